"""A hospital's own films: a folder with ``films.csv`` and the pictures that it names.

Columns of ``films.csv`` (UTF-8, a header, any order, upper and lower case alike):

    file       required   picture, relative to the folder: PNG or JPEG, 8 bit, MONOCHROME2
    patient    required   a pseudonym; films that share it never stand in two splits
    view       required   PA, AP, AP Supine, L, or frontal where PA or AP is not known
    age        required   years, may be blank
    sex        required   F, M, may be blank
    label      one word for the film: normal, pneumonia_bacterial, pneumonia_viral, covid19,
               tuberculosis ...; another word becomes other:<word>
    findings   instead of label: every finding, separated by "|"; ``normal`` or blank for none
    study, split (train, val, test), source, licence, licence_flags   optional

Every further column is a finding, with 1 or 0 in each row, or a blank where it was not asked: so a
table with one column per finding needs neither ``label`` nor ``findings``; a film with 0 in all of
them is ``normal``. ``findings`` lists all that was found, as ``normal`` says that nothing was: what
is not listed is absent. Of a finding that no column of the row asks about, nothing is known.
``source`` names a site or a device (default ``local``): films are balanced and reported by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hilum_training.films.asked import EVERY
from hilum_training.films.readers import vocabulary
from hilum_training.films.readers.errors import ColumnMissing
from hilum_training.films.readers.folder import PICTURES
from hilum_training.films.readers.record import Collection, FilmRecord, Reading
from hilum_training.films.readers.table import Row, read_table

if TYPE_CHECKING:
    from pathlib import Path

TABLE: Final = "films.csv"
_REQUIRED: Final = ("file", "patient", "view", "age", "sex")
_OPTIONAL: Final = ("label", "findings", "study", "split", "source", "licence", "licence_flags")
_SPLITS: Final = frozenset({"", "train", "val", "test"})


def read(folder: Path, *, partial: bool = False) -> Reading:
    """Read the films; see the module for the table.

    Raises:
        FileMissing: ``films.csv``, or a picture that it names (unless ``partial``).
        ColumnMissing: A required column, or any column with a finding.
        RowUnreadable: A row without a patient, of an unknown split, with a file that is no picture,
            or with something else than 0 or 1 in the column of a finding.
    """
    rows = read_table(folder / TABLE, _REQUIRED)
    columns = tuple(rows[0].values) if rows else ()
    own = tuple(name for name in columns if name and name not in (*_REQUIRED, *_OPTIONAL))
    if rows and not own and "label" not in columns and "findings" not in columns:
        raise ColumnMissing(folder / TABLE, "label", columns)
    films = Collection(folder, partial=partial)
    for row in rows:
        path = folder / row["file"]
        if path.suffix.lower() not in PICTURES:
            raise row.unreadable(f"{row['file'] or 'a blank file'} is neither PNG nor JPEG")
        if not path.is_file():
            films.absent(path)
            continue
        films.add(_record(row, own))
    return films.reading()


def _record(row: Row, own: tuple[str, ...]) -> FilmRecord:
    if not row["patient"]:
        raise row.unreadable("no patient")
    if row["split"] not in _SPLITS:
        raise row.unreadable(f"split {row['split']!r} is none of train, val, test")
    labels = _labels(row, own)
    found = vocabulary.findings(labels)
    stated = vocabulary.findings((row["label"],)) if row["label"] else found
    if row["label"] and not stated and found:
        raise row.unreadable(f"label {row['label']!r} beside {', '.join(found)}")
    known = bool(labels) or _findings_only(row, own) or _all_absent(row, own)
    return FilmRecord(
        file=row["file"].replace("\\", "/"),
        source=row["source"] or "local",
        # Not by source: a patient who was filmed on two devices is one patient.
        group=f"local-{row['patient']}",
        study=row["study"],
        labels=labels,
        label=vocabulary.label(stated) if known else "",
        findings=found,
        asked=_asked(row, own, labels),
        view=vocabulary.view(row["view"]),
        age=vocabulary.age(row["age"]),
        sex=vocabulary.sex(row["sex"]),
        licence=row["licence"] or "local",
        licence_flags=tuple(
            flag.strip() for flag in row["licence_flags"].split(",") if flag.strip()
        ),
        split=row["split"],
    )


def _labels(row: Row, own: tuple[str, ...]) -> tuple[str, ...]:
    """Everything that the row says is there."""
    for name in own:
        if row[name] not in {"0", "1", ""}:
            raise row.unreadable(f"{name!r} holds {row[name]!r}, which is neither 0 nor 1")
    listed = (row["label"], *row["findings"].split("|"))
    present = [name for name in own if row[name] == "1"]
    return (*(text.strip() for text in listed if text.strip()), *present)


def _asked(row: Row, own: tuple[str, ...], labels: tuple[str, ...]) -> frozenset[str]:
    """Of which findings the row says whether they are there: a blank is no answer."""
    called = {vocabulary.finding(text) for text in labels}
    if called == {vocabulary.NORMAL} or row["findings"] or _findings_only(row, own):
        return frozenset({EVERY})
    answered = {vocabulary.finding(name) for name in own if row[name]}
    return frozenset(answered - {vocabulary.NORMAL})


def _findings_only(row: Row, own: tuple[str, ...]) -> bool:
    """Whether the table has a column ``findings`` and no other: then a blank is no finding."""
    return "findings" in row.values and "label" not in row.values and not own


def _all_absent(row: Row, own: tuple[str, ...]) -> bool:
    """Whether 0 stands in the column of each finding; one that is blank may be there."""
    asks = bool(own) and vocabulary.NORMAL not in map(vocabulary.finding, own)
    return asks and all(row[name] == "0" for name in own)
