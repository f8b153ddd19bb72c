"""``data check``: what a folder holds, and what would spoil a training run."""

from __future__ import annotations

from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from PIL import Image

from hilum_training.films.readers.vocabulary import FRONTAL_VIEWS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from hilum_training.films.readers.record import FilmRecord, Reading

SMALLEST_SIDE: Final = 224
FEW_PATIENTS: Final = 50
SHOWN: Final = 5
# Pillow's names; 16-bit grey ("I;16") would be cut off at 255, not scaled.
_MODES: Final = frozenset({"1", "L", "LA", "P", "RGB", "RGBA"})


@dataclass(frozen=True, slots=True)
class DatasetCheck:
    """What a folder holds.

    Attributes:
        counts: Table -> value -> films; see :data:`TABLES`.
        films: All of them.
        patients: Groups.
        left_out: Reason -> rows that were not made into a film.
        problems: What must be put right: training would fail, or its figures would lie.
        warnings: What to know before training.
    """

    counts: dict[str, dict[str, int]]
    films: int
    patients: int
    left_out: dict[str, int]
    problems: tuple[str, ...]
    warnings: tuple[str, ...]

    def text(self) -> str:
        """For the terminal."""
        lines = [f"{self.films} films of {self.patients} patients"]
        for table, counts in self.counts.items():
            listed = ", ".join(f"{name or 'not stated'} {n}" for name, n in counts.items())
            lines.append(f"{table:<14} {listed}")
        lines += [f"left out       {reason}: {n}" for reason, n in self.left_out.items()]
        lines += [f"warning: {line}" for line in self.warnings]
        lines += [f"PROBLEM: {line}" for line in self.problems]
        lines.append("not fit for training" if self.problems else "fit for training")
        return "\n".join(lines) + "\n"


TABLES: Final[dict[str, Callable[[FilmRecord], Iterable[str]]]] = {
    "source": lambda record: (record.source,),
    "label": lambda record: (_kind(record),),
    "finding": lambda record: record.findings,
    "view": lambda record: (record.view,),
    "sex": lambda record: (record.sex,),
    "age": lambda record: ("stated" if record.age is not None else "",),
    "split": lambda record: (record.split,),
    "licence flag": lambda record: record.licence_flags or ("none",),
    "mask": lambda record: (mask.kind for mask in record.masks),
    "box": lambda record: (box.label for box in record.boxes),
}


def check_dataset(reading: Reading, folder: Path) -> DatasetCheck:
    """Count, open every picture, and look for what is not fit.

    Args:
        reading: Of the folder.
        folder: To which the records' files are relative.
    """
    records = reading.records
    counts = {
        table: dict(sorted(Counter(value for r in records for value in values(r)).items()))
        for table, values in TABLES.items()
    }
    pictures = _pictures(records, folder)
    return DatasetCheck(
        counts={table: found for table, found in counts.items() if found},
        films=len(records),
        patients=len({record.group for record in records}),
        left_out=dict(reading.left_out),
        problems=tuple(_problems(records, pictures)),
        warnings=tuple(_warnings(records, pictures)),
    )


def _pictures(records: Sequence[FilmRecord], folder: Path) -> list[tuple[int, int] | str]:
    """Width and height of each film, or why it cannot be read."""
    with ThreadPoolExecutor() as pool:
        return list(pool.map(partial(_picture, folder), records))


def _picture(folder: Path, record: FilmRecord) -> tuple[int, int] | str:
    try:
        with Image.open(folder / record.file) as image:
            image.load()
            if image.mode not in _MODES:
                return f"{record.file}: pixels of mode {image.mode}, 8 bit wanted"
            size: tuple[int, int] = image.size
            return size
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        return f"{record.file}: {error}"


def _problems(
    records: Sequence[FilmRecord], pictures: Sequence[tuple[int, int] | str]
) -> Iterable[str]:
    broken = [found for found in pictures if isinstance(found, str)]
    if broken:
        yield f"{len(broken)} pictures cannot be read: {_some(broken)}"
    twice = [name for name, n in Counter(record.file for record in records).items() if n > 1]
    if twice:
        yield f"{len(twice)} files stand in the table more than once: {_some(twice)}"
    labels = {_kind(record) for record in records} - {""}
    one_label = len(labels) < 2  # noqa: PLR2004 - one label is no question
    if one_label and not _there_and_absent(records):
        yield f"only one label: {', '.join(sorted(labels)) or 'none'}"


def _warnings(
    records: Sequence[FilmRecord], pictures: Sequence[tuple[int, int] | str]
) -> Iterable[str]:
    patients: dict[str, set[str]] = defaultdict(set)
    sources: dict[str, set[str]] = defaultdict(set)
    for record in records:
        patients[_kind(record)].add(record.group)
        sources[_kind(record)].add(record.source)
    for label, groups in sorted(patients.items()):
        if not label:
            yield "films without a label teach no more than the findings that their row answers"
        elif len(groups) < FEW_PATIENTS:
            yield f"{label}: {len(groups)} patients; intervals will be wide"
    everywhere = {record.source for record in records}
    for label, found in sorted(sources.items()):
        if len(everywhere) > 1 and len(found) == 1 and label:
            yield f"{label} comes from {next(iter(found))} alone: the source can give it away"
    other = sorted({record.view or "not stated" for record in records} - set(FRONTAL_VIEWS))
    if other:
        yield f"views that recipes for frontal films leave out: {', '.join(other)}"
    torn = torn_groups(records)
    if torn:
        yield (
            f"{len(torn)} patients stand in more than one published split ({_some(torn)}): "
            "divide the films by patient instead"
        )
    small = [size for size in pictures if not isinstance(size, str) and min(size) < SMALLEST_SIDE]
    if small:
        yield f"{len(small)} films have a side under {SMALLEST_SIDE} pixels"


def _there_and_absent(records: Sequence[FilmRecord]) -> bool:
    """Whether some finding is on one film, and another film was asked for it in vain."""
    there = {name for record in records for name in record.findings}
    absent = {name for record in records for name in record.answered - set(record.findings)}
    return bool(there & absent)


def _kind(record: FilmRecord) -> str:
    """The label without its findings: ``other`` for ``other:effusion|mass``."""
    return record.label.partition(":")[0]


def torn_groups(records: Sequence[FilmRecord]) -> list[str]:
    """Patient groups that stand in more than one published split."""
    splits: dict[str, set[str]] = defaultdict(set)
    for record in records:
        splits[record.group].add(record.split)
    return sorted(group for group, found in splits.items() if len(found) > 1)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return "; ".join(names[:SHOWN]) + more
