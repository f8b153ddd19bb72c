"""What was built: names, digests and sizes, as JSON and as a table."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from images.paths import CACHE, REPORT

if TYPE_CHECKING:
    from pathlib import Path

    from images.catalogue import Image
    from images.container_engine import ContainerEngine

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Built:
    """One image as it was built.

    Attributes:
        name: Short name.
        reference: Name in the local store and in the archive.
        identifier: Digest of its configuration (``sha256:...``): what it is called by content.
        base: Name of the image that it stands on.
        base_identifier: Content of that image.
        version: Of the product.
        revision: Commit of what it holds.
        bytes: Size of its layers, unpacked.
        archive: File name of the archive beside the report.
        archive_bytes: Its size.
    """

    name: str
    reference: str
    identifier: str
    base: str
    base_identifier: str
    version: str
    revision: str
    bytes: int
    archive: str
    archive_bytes: int


def read_report(path: Path = REPORT) -> dict[str, Built]:
    """What the report of an earlier build says, by name; nothing where there is none."""
    if not path.exists():
        return {}
    listed = json.loads(path.read_text(encoding="utf-8"))["images"]
    return {item["name"]: Built(**item) for item in listed}


def write_report(built: dict[str, Built], path: Path = REPORT) -> None:
    """Writes the report anew, in one step."""
    text = json.dumps({"images": [asdict(item) for item in built.values()]}, indent=2)
    draft = path.with_suffix(".new")
    draft.write_text(f"{text}\n", encoding="utf-8")
    draft.replace(path)


def keep(engine: ContainerEngine, image: Image, base: str, before: Built | None) -> Built:
    """Saves an image into its archive, unless that very image lies there already."""
    shown = json.loads(engine.ask("image", "inspect", image.reference))[0]
    identifier = _digest(shown["Id"])
    archive = CACHE / f"{image.name}.tar"
    if before is None or before.identifier != identifier or not archive.exists():
        draft = archive.with_suffix(".new")
        draft.unlink(missing_ok=True)  # podman refuses to write over an archive
        engine.save(image.reference, draft)
        draft.replace(archive)
    labels = shown["Config"].get("Labels") or {}
    return Built(
        name=image.name,
        reference=image.reference,
        identifier=identifier,
        base=base,
        base_identifier=_digest(engine.ask("image", "inspect", "--format", "{{.Id}}", base)),
        version=labels.get("org.opencontainers.image.version", ""),
        revision=labels.get("org.opencontainers.image.revision", ""),
        bytes=shown["Size"],
        archive=archive.name,
        archive_bytes=archive.stat().st_size,
    )


def as_table(built: dict[str, Built]) -> str:
    """Markdown: name, MiB, base."""
    rows = [
        f"| {item.name} | {item.bytes / MEBIBYTE:.0f} | {item.identifier[7:19]} | {item.base} |"
        for item in built.values()
    ]
    return "\n".join(["| image | MiB | id | base |", "| --- | ---: | --- | --- |", *rows])


def _digest(identifier: str) -> str:
    return identifier if identifier.startswith("sha256:") else f"sha256:{identifier}"
