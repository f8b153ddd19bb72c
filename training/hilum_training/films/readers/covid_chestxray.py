"""COVID-19 image data collection (Cohen et al., ieee8023/covid-chestxray-dataset), as published.

    metadata.csv                 one row an image: patient, finding, view, modality, licence ...
    images/*.jpg, *.png          films (and slices of CT, which are left out)
    annotations/lungVAE-masks/<stem>_mask.png                 lungs, drawn by a network
    annotations/imageannotation_ai_lung_bounding_boxes.json   boxes in COCO form

Licences differ from film to film and stand in the table; a blank one is flagged. Early releases
have a column ``notes`` for ``clinical_notes``, no ``modality`` and no ``folder``: a view of ``CT``
then tells what is no film. Annotations may be absent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hilum_training.films.readers import vocabulary
from hilum_training.films.readers.folder import PICTURES, layout_root
from hilum_training.films.readers.record import Box, Collection, FilmRecord, Mask, Reading
from hilum_training.films.readers.table import Row, read_coco, read_table

if TYPE_CHECKING:
    from pathlib import Path

_COLUMNS: Final = ("patientid", "offset", "sex", "age", "finding", "view", "filename", "license")
_SLICES: Final = frozenset({"CT", "Axial", "Coronal"})
_UNLABELLED: Final = frozenset({"", "todo", "unknown"})
_BOXES: Final = "annotations/imageannotation_ai_lung_bounding_boxes.json"


def read(folder: Path, *, partial: bool = False) -> Reading:
    """Read the data set; see the module for its layout.

    Raises:
        FileMissing: ``metadata.csv``, or a film that it names (unless ``partial``).
        ColumnMissing: Of ``metadata.csv``.
        RowUnreadable: A row without a patient.
    """
    root = layout_root(folder, ("metadata.csv",), "covid-chestxray-dataset")
    boxes = read_coco(root / _BOXES) if (root / _BOXES).is_file() else {}
    films = Collection(folder, partial=partial)
    for row in read_table(root / "metadata.csv", _COLUMNS):
        path = root / (row["folder"] or "images") / row["filename"]
        reason = _no_film(row, path)
        if reason:
            films.leave_out(reason)
        elif not path.is_file():
            films.absent(path)
        else:
            films.add(_record(row, path, films, _masks(root, path, films), boxes))
    return films.reading()


def _no_film(row: Row, path: Path) -> str:
    if row["modality"].upper() == "CT" or row["view"] in _SLICES:
        return "CT"
    if path.suffix.lower() not in PICTURES:
        return f"{path.suffix} file"
    if row["finding"].lower() in _UNLABELLED:
        return "no finding recorded"
    return ""


def _record(
    row: Row,
    path: Path,
    films: Collection,
    masks: tuple[Mask, ...],
    boxes: dict[str, tuple[Box, ...]],
) -> FilmRecord:
    if not row["patientid"]:
        raise row.unreadable("no patientid")
    labels = tuple(part.strip() for part in row["finding"].split(","))
    found = vocabulary.findings(labels)
    group = f"cohen-{row['patientid']}"
    return FilmRecord(
        file=films.name(path),
        source="cohen",
        group=group,
        study=f"{group}-{row['offset']}" if row["offset"] else "",
        labels=labels,
        label=vocabulary.label(found),
        findings=found,
        view=vocabulary.view(row["view"]),
        age=vocabulary.age(row["age"]),
        sex=vocabulary.sex(row["sex"]),
        licence=row["license"] or "not stated",
        licence_flags=vocabulary.licence_flags(row["license"]),
        address=row["url"],
        boxes=boxes.get(row["filename"], ()),
        masks=masks,
    )


def _masks(root: Path, film: Path, films: Collection) -> tuple[Mask, ...]:
    path = root / "annotations" / "lungVAE-masks" / f"{film.stem}_mask.png"
    if not path.is_file():
        return ()
    return (Mask("lungs", films.name(path), annotator="lungVAE, a network"),)
