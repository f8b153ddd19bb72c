"""A PACS beside a stack: it sends an image to Hilum, and takes what Hilum sends back."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Final
from urllib.request import Request, urlopen

from pydicom import dcmread
from pynetdicom import AE

from hilum_stack.errors import ServerMissing, StackError
from hilum_stack.orthanc import OrthancServer
from hilum_stack.ports import LOOPBACK
from hilum_stack.receiver import Receiver

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

HILUM: Final = "HILUM"
"""AE title of the listener."""

_ANSWER_WITHIN_S: Final = 60


class Pacs(ABC):
    """One PACS.

    Attributes:
        server: Its process.
        ae_title: Its own.
        dicom_port: Where it takes associations, on 127.0.0.1.
    """

    server: OrthancServer | Receiver

    @property
    def ae_title(self) -> str:
        """Return its AE title."""
        return self.server.ae_title

    @property
    def dicom_port(self) -> int:
        """Return its port for DICOM."""
        return self.server.dicom_port

    @abstractmethod
    def send(self, image: Path) -> None:
        """Send a DICOM file to Hilum by C-STORE.

        Raises:
            StackError: Hilum does not take it. Its words are in the text.
        """

    @abstractmethod
    def objects(self, study_instance_uid: str) -> Mapping[str, bytes]:
        """Return the files of a study that it holds, by SOP Instance UID."""


class OrthancPacs(Pacs):
    """Orthanc."""

    server: OrthancServer

    def __init__(self, folder: Path, listener_port: int) -> None:
        """Prepare it.

        Raises:
            ServerMissing: Orthanc is not installed, or this user may make no network namespace.
        """
        self.server = OrthancServer(folder, {HILUM: listener_port})
        self.server.require_installed()

    def send(self, image: Path) -> None:
        """Put the file into Orthanc, and have it sent."""
        told = json.loads(self._ask("/instances", image.read_bytes()))
        self._ask(f"/modalities/{HILUM}/store", told["ID"].encode())

    def objects(self, study_instance_uid: str) -> Mapping[str, bytes]:
        """Ask for the files of the study."""
        query = {"Level": "Instance", "Query": {"StudyInstanceUID": study_instance_uid}}
        found: list[str] = json.loads(self._ask("/tools/find", json.dumps(query).encode()))
        return {
            json.loads(self._ask(f"/instances/{one}/simplified-tags"))["SOPInstanceUID"]: self._ask(
                f"/instances/{one}/file"
            )
            for one in found
        }

    def _ask(self, path: str, body: bytes | None = None) -> bytes:
        try:
            with urlopen(  # noqa: S310 - its own address
                Request(self.server.url + path, data=body),  # noqa: S310
                timeout=_ANSWER_WITHIN_S,
            ) as answer:
                content: bytes = answer.read()
                return content
        except OSError as error:
            raise StackError(f"Orthanc: {path}: {error}") from error


class ReceiverPacs(Pacs):
    """A receiver of ours, and a sender beside it."""

    server: Receiver

    def __init__(self, folder: Path, listener_port: int) -> None:
        """Prepare it."""
        self.server = Receiver(folder)
        self._listener_port = listener_port

    def send(self, image: Path) -> None:
        """Send the file as it is encoded."""
        dataset = dcmread(image)
        entity = AE(ae_title=self.ae_title)
        entity.add_requested_context(dataset.SOPClassUID, dataset.file_meta.TransferSyntaxUID)
        association = entity.associate(LOOPBACK, self._listener_port, ae_title=HILUM)
        if not association.is_established or not association.accepted_contexts:
            raise StackError("the listener takes no association for this image")
        try:
            answer: Any = association.send_c_store(dataset)
        finally:
            association.release()
        if answer.get("Status") != 0x0000:
            status = answer.get("Status")
            told = "no answer" if status is None else f"0x{status:04X}"
            raise StackError(f"the listener: {told} {answer.get('ErrorComment', '')}")

    def objects(self, study_instance_uid: str) -> Mapping[str, bytes]:
        """Read what the receiver has written."""
        return {
            path.stem: path.read_bytes()
            for path in self.server.received.glob("*.dcm")
            if dcmread(path, stop_before_pixels=True).StudyInstanceUID == study_instance_uid
        }


def open_pacs(folder: Path, listener_port: int, *, require_orthanc: bool) -> Pacs:
    """Return Orthanc, or a receiver of ours where Orthanc cannot run and need not.

    Args:
        folder: Holds what it keeps.
        listener_port: Where Hilum takes associations, on 127.0.0.1.
        require_orthanc: Raise instead of taking the receiver.

    Raises:
        ServerMissing: Orthanc cannot run here.
    """
    try:
        return OrthancPacs(folder / "orthanc", listener_port)
    except ServerMissing:
        if require_orthanc:
            raise
        return ReceiverPacs(folder / "receiver", listener_port)
