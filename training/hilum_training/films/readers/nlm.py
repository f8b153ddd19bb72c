"""Films of the US National Library of Medicine's two tuberculosis sets: what both have.

A name ends in ``_0`` for normal and ``_1`` for tuberculosis; ``ClinicalReadings`` holds a text of
the same name with sex, age and the reading. Jaeger et al., IEEE Trans Med Imaging 2014;33:233.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from hilum_training.films.readers import vocabulary
from hilum_training.films.readers.errors import FileMissing, NameUnreadable, RowUnreadable
from hilum_training.films.readers.record import FilmRecord

if TYPE_CHECKING:
    from pathlib import Path

LICENCE: Final = "NLM-open (attribution requested)"
EXCLUDING: Final = "lung fields EXCLUDING heart/mediastinum"
_NAME: Final = re.compile(r"(CHNCXR|MCUCXR)_(\d{4})_([01])")
_SOURCES: Final = {"CHNCXR": "shenzhen", "MCUCXR": "montgomery"}


def recognised(path: Path) -> tuple[str, str, str]:
    """Source, group and label that a name tells.

    Raises:
        NameUnreadable: It tells none.
    """
    match = _NAME.fullmatch(path.stem)
    if match is None:
        raise NameUnreadable(path, "CHNCXR_0001_0.png or MCUCXR_0001_0.png")
    source = _SOURCES[match[1]]
    label = "tuberculosis" if match[3] == "1" else vocabulary.NORMAL
    return source, f"{source}-{match[2]}", label


def record(path: Path, file: str, reading: Path) -> FilmRecord:
    """The record of a film with its clinical reading.

    Args:
        path: Of the film.
        file: As records name it.
        reading: The text; see :func:`read_text`.

    Raises:
        FileMissing: There is no reading.
        RowUnreadable: It is empty or no text.
    """
    source, group, label = recognised(path)
    sex, age, text = read_text(reading)
    return FilmRecord(
        file=file,
        source=source,
        group=group,
        labels=(path.stem[-1], text),
        label=label,
        findings=() if label == vocabulary.NORMAL else (label,),
        view="PA",
        age=age,
        sex=sex,
        licence=LICENCE,
        licence_flags=(vocabulary.NO_LICENCE_TEXT,),
    )


def read_text(path: Path) -> tuple[str, float | None, str]:
    """Sex, age in years and the reading itself.

    Shenzhen: ``male 45yrs`` on the first line, with spellings such as ``femal``, ``16month`` and
    ``64days``. Montgomery: ``Patient's Sex: F`` and ``Patient's Age: 027Y`` on two lines.

    Raises:
        FileMissing: There is no such file.
        RowUnreadable: It is empty or no text.
    """
    if not path.is_file():
        raise FileMissing(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RowUnreadable(path, 0, "no text in UTF-8") from error
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        raise RowUnreadable(path, 0, "an empty clinical reading")
    labelled = {
        name: line.partition(":")[2]
        for name in ("sex", "age")
        for line in lines
        if line.lower().startswith(f"patient's {name}")
    }
    if labelled:
        rest = [line for line in lines if not line.lower().startswith("patient's ")]
        return (
            vocabulary.sex(labelled.get("sex", "")),
            vocabulary.age(labelled.get("age", "")),
            "; ".join(rest),
        )
    return vocabulary.sex(lines[0]), vocabulary.age(lines[0]), "; ".join(lines[1:])
