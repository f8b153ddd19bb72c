"""A database and a backup with everything in them that a release writes.

``python -m tests.previous.stored`` lets this checkout write both. Run it at a release.
"""

from __future__ import annotations

import json
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psutil

from hilum.imaging.phantom import phantom_film
from hilum_stack.postgres import PostgresServer
from tests.contract.frozen import stopped
from tests.previous.answers import Client
from tests.previous.images import png
from tests.previous.release import Release, Served, this_release
from tests.servers import run_folder, started
from tests.unit.adapters.dicom.films import film

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

STORED: Final = Path(__file__).with_name("stored")
KEPT: Final = ("hilum.db", "objects", "api-key", "session.json")
"""What holds the state of an embedded stack."""
SITE: Final = "north"
LOST: Final = 2
"""Seed of the phantom whose job stays failed."""


def fill(release: Release, served: Served, folder: Path) -> dict[str, Any]:
    """Do what leaves rows: jobs in each final state, keys, a promotion, a rule of a site.

    Args:
        release: Does it.
        served: Its running stack, whose objects lie in ``folder/objects``.
        folder: Of that stack.

    Returns:
        The document of each job and the digests of its pictures, by the job's id.
    """
    client = Client(served)
    chests = [chest(seed) for seed in range(4)]
    mirrored = film(phantom_film(320, 256, seed=7), bits=8, PatientOrientation=["R", "F"])
    entries = client.send({"first.png": chests[0], "second.png": chests[1]})
    entries |= client.send({"mirrored.dcm": mirrored}, site=SITE, priority="stat", patient_ref="P1")
    entries |= client.send({"rotated.png": png(phantom_film(320, 256, seed=0).T)})
    for entry in entries.values():
        client.settled(entry["job_id"])
    lost = lose(client, served, folder, {"lost.png": chest(LOST), "discarded.png": chests[3]})
    administer(release, served, folder, lost["discarded.png"]["job_id"])
    return {
        entry["job_id"]: told_of(client, entry["job_id"]) for entry in (entries | lost).values()
    }


def chest(seed: int) -> bytes:
    """Return a phantom chest as a PNG file."""
    return png(phantom_film(320, 256, seed=seed))


def lose(
    client: Client, served: Served, folder: Path, images: Mapping[str, bytes]
) -> dict[str, dict[str, Any]]:
    """Submit images whose objects are away while a worker asks for them, so that they fail."""
    with stopped(workers_of(served)):
        entries = client.send(images)
        away = {objects_of(client, entry, folder) for entry in entries.values()}
        for path in away:
            path.rename(path.with_suffix(".away"))
    for entry in entries.values():
        assert client.settled(entry["job_id"])["reason"]["code"] == "object_missing"
    for path in away:
        path.with_suffix(".away").rename(path)
    return entries


def objects_of(client: Client, entry: Mapping[str, Any], folder: Path) -> Path:
    """Return the folder of the submission that a job came with, among a stack's objects."""
    study = client.get(f"/v1/jobs/{entry['job_id']}").json()["study_id"]
    return folder / "objects" / "films" / str(study)


def administer(release: Release, served: Served, folder: Path, job_id: str) -> None:
    """Discard a job, make and revoke a key, promote a model, set a rule."""
    as_admin = {**served.env, "HILUM_API_KEY": served.api_key, "HILUM_URL": served.url}
    viewer = folder / "viewer-key"
    commands = [
        ("discard", job_id),
        ("keys", "create", "--name", "viewer", "--role", "viewer", "--write", str(viewer)),
        ("rules", "set", "for_processing", "accept", "--site", SITE),
        ("thresholds", "adopt-defaults", "gate", "0.3.0", "--site", SITE),
        ("models", "promote", "gate", "0.3.0", "--site", SITE),
    ]
    for words in commands:
        told = release.run(*words, env=as_admin)
        if told.returncode != 0:
            raise RuntimeError(f"hilum {' '.join(words)}: {told.stdout}{told.stderr}")
    told = release.run(
        "keys", "revoke", viewer.read_text().split("_")[1].split(".")[0], env=as_admin
    )
    if told.returncode != 0:
        raise RuntimeError(f"{told.stdout}{told.stderr}")


def told_of(client: Client, job_id: str) -> dict[str, Any]:
    """Return a job's document, and the digests of its pictures where it is completed."""
    document = client.get(f"/v1/jobs/{job_id}").json()
    pictures = client.pictures(document) if document["state"] == "completed" else {}
    return {"document": document, "pictures": pictures}


def workers_of(served: Served) -> list[psutil.Process]:
    """Return the worker processes of a stack."""
    family = psutil.Process(served.process).children(recursive=True)
    workers = [one for one in family if "hilum_worker" in " ".join(one.cmdline())]
    assert workers
    return workers


def on_postgres(folder: Path, url: str) -> dict[str, str]:
    """Return settings that put the rows into PostgreSQL and leave everything else embedded."""
    return {
        "HILUM_DATABASE_URL": url,
        "HILUM_OBJECT_STORE_URL": f"file://{folder / 'objects'}",
        "HILUM_BROKER_URL": f"filesystem://{folder / 'broker'}",
        "HILUM_INFERENCE_URL": "onnx://",
        "HILUM_BACKUP_STORE_URL": f"file://{folder / 'backups'}",
    }


def write_embedded(release: Release) -> None:
    """Keep the state of an embedded stack."""
    with run_folder() as folder:
        with release.serve("embedded", folder, {}) as served:
            told = {"api_key": served.api_key, "jobs": fill(release, served, folder)}
        _keep("embedded", folder, KEPT, told)


def write_backup(release: Release) -> None:
    """Keep a backup of a stack on PostgreSQL."""
    with run_folder() as folder, started(PostgresServer) as postgres:
        env = on_postgres(folder, postgres.url)
        with release.serve("joined", folder, env) as served:
            told = {"api_key": served.api_key, "jobs": fill(release, served, folder)}
        for words in (
            ("store", "prepare", "--object-store-url", env["HILUM_BACKUP_STORE_URL"]),
            ("backup", "create"),
        ):
            done = release.run(*words, env=env)
            if done.returncode != 0:
                raise RuntimeError(f"{done.stdout}{done.stderr}")
        _keep("backup", folder, ("backups",), told)


def unpack(name: str, folder: Path) -> dict[str, Any]:
    """Put what was kept into a folder.

    Returns:
        The key and the documents of the release that wrote it.
    """
    with tarfile.open(STORED / f"{name}.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    told: dict[str, Any] = json.loads((STORED / f"{name}.json").read_text(encoding="utf-8"))
    return told


def _keep(name: str, folder: Path, paths: Iterable[str], told: Mapping[str, Any]) -> None:
    STORED.mkdir(exist_ok=True)
    with tarfile.open(STORED / f"{name}.tar.xz", "w:xz") as archive:
        for path in paths:
            archive.add(folder / path, path)
    text = json.dumps(told, indent=1, sort_keys=True) + "\n"
    (STORED / f"{name}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_embedded(this_release())
    write_backup(this_release())
    sys.stdout.write(f"wrote {STORED}\n")
