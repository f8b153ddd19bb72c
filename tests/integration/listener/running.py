"""A real listener on SQLite and a folder, what it kept, and the peers that send to it."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pydicom.filereader import dcmread
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom.ae import ApplicationEntity

from hilum.adapters.object_store.object_store import open_object_store
from hilum.adapters.postgres.engine import create_database_engine
from hilum_stack.server import find_program
from hilum_stack.services import (
    Listener,
    child_environment,
    cli_command,
    prepare_object_store,
    upgrade_database,
)
from tests.integration.listener.senders import VERIFICATION, sent_as_they_are
from tests.servers import MODEL_REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pydicom import Dataset
    from pynetdicom.association import Association

SITE = "north"
META_HEADER = 132
"""Preamble and prefix."""


class Running:
    """A listener with its database and its folder of objects.

    Args:
        folder: Of all that it keeps.
        strangers: Whether callers that are no peer may send, to one site.
        settings: Further settings, by name.
    """

    def __init__(self, folder: Path, *, strangers: bool = True, **settings: object) -> None:
        self.folder = folder
        (folder / "objects").mkdir(parents=True, exist_ok=True)
        self.env = {
            "HILUM_MODEL_REPOSITORY": str(MODEL_REPOSITORY),
            "HILUM_DATABASE_URL": f"sqlite:///{folder / 'hilum.db'}",
            "HILUM_OBJECT_STORE_URL": f"file://{folder / 'objects'}",
            "HILUM_BROKER_URL": f"filesystem://{folder / 'broker'}",
            "HILUM_LISTENER_UNKNOWN_CALLERS_SITE": SITE,
            "HILUM_LISTENER_PROCESSES": "2",
        }
        self.env.update({name: str(value) for name, value in settings.items()})
        if not strangers:
            del self.env["HILUM_LISTENER_UNKNOWN_CALLERS_SITE"]
        upgrade_database(self.env)
        prepare_object_store(self.env)
        self.server = Listener(folder / "listener", self.env)

    @property
    def port(self) -> int:
        """Return where it takes associations."""
        return self.server.dicom_port

    def rows(self, statement: str) -> list[Any]:
        """Return what a query finds."""
        engine = create_database_engine(self.env["HILUM_DATABASE_URL"])
        try:
            with engine.connect() as connection:
                return [tuple(row) for row in connection.exec_driver_sql(statement)]
        finally:
            engine.dispose()

    def jobs(self) -> dict[str, int]:
        """Return how many jobs there are by SOP Instance UID."""
        found = self.rows(
            "SELECT i.sop_instance_uid, count(*) FROM jobs j JOIN instances i"
            " ON i.id = j.instance_id GROUP BY 1"
        )
        return dict(found)

    def object_of(self, sop_instance_uid: str) -> bytes:
        """Return the stored file of an instance."""
        ((key,),) = self.rows(
            f"SELECT object_key FROM instances WHERE sop_instance_uid = '{sop_instance_uid}'"  # noqa: S608 - our own
        )
        return open_object_store(self.env["HILUM_OBJECT_STORE_URL"]).get(key)

    def refusals(self) -> list[tuple[str, str]]:
        """Return filename and code of each refusal, in their order."""
        return self.rows(
            "SELECT filename, reason_code FROM submission_items WHERE outcome = 'refused'"
            " ORDER BY rowid"
        )

    def associations(self) -> list[tuple[str, str | None]]:
        """Return outcome and reason of each association that ended, in their order."""
        return self.rows("SELECT outcome, reason FROM associations ORDER BY rowid")

    def reasons(self) -> list[str | None]:
        """Return the reasons of the associations that ended early, or None."""
        return [reason for _, reason in self.associations()]

    def command(self, *arguments: str) -> None:
        """Run ``hilum`` beside the database."""
        done = run(*cli_command(*arguments), env=child_environment(self.env))
        assert done.returncode == 0, done.stderr

    def lines(self) -> list[dict[str, Any]]:
        """Return the log."""
        text = self.server.log.read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]

    def associate(
        self,
        contexts: Sequence[tuple[str, str]] = ((VERIFICATION, ExplicitVRLittleEndian),),
        *,
        calling: str = "SENDER",
        called: str = "HILUM",
        **options: Any,
    ) -> Association:
        """Ask for an association as pynetdicom does, with one syntax a context."""
        entity = ApplicationEntity(calling)
        for sop_class, syntax in contexts:
            entity.add_requested_context(sop_class, syntax)
        return entity.associate("127.0.0.1", self.port, ae_title=called, **options)

    @contextmanager
    def associated(self, contexts: Sequence[tuple[str, str]]) -> Iterator[Association]:
        """Have an association."""
        association = self.associate(contexts)
        assert association.is_established
        try:
            yield association
        finally:
            if association.is_established:
                association.release()

    def send(self, *files: Path) -> list[int]:
        """Send files as pynetdicom does; the statuses."""
        sets = [dcmread(path, stop_before_pixels=True) for path in files]
        contexts = list({(str(one.SOPClassUID), syntax_of(one)) for one in sets})
        with self.associated(contexts) as association:
            return sent_as_they_are(
                lambda: [int(association.send_c_store(path).Status) for path in files]
            )

    def dcmsend(self, *files: Path) -> subprocess.CompletedProcess[str]:
        """Send files as DCMTK does, each in its own syntax."""
        command = [str(find_program("DCMTK", "dcmsend")), "--call", "HILUM", "-v", "-dn"]
        return run(*command, "127.0.0.1", str(self.port), *map(str, files))


def run(*command: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program."""
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=120, env=env
    )


def syntax_of(dataset: Dataset) -> str:
    """Return the transfer syntax of a file that was read."""
    return str(dataset.file_meta.TransferSyntaxUID)


def rejection_of(association: Association) -> tuple[int, int, int]:
    """Return result, source and diagnostic of an A-ASSOCIATE-RJ."""
    told = association.acceptor.primitive
    assert told is not None
    assert association.is_rejected
    return told.result, told.result_source, told.diagnostic


def data_set_of(file: bytes) -> bytes:
    """Return what stands behind the file meta group."""
    length = int.from_bytes(file[META_HEADER + 8 : META_HEADER + 12], "little")
    return file[META_HEADER + 12 + length :]
