"""What a reader says of one film, whatever the layout that it came in."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hilum_training.films.asked import asked_by_label
from hilum_training.films.readers.errors import FileMissing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle that an annotator drew.

    Attributes:
        label: As recorded.
        x: Left edge; with the others in pixels of the film file, origin at its top left corner.
        y: Top edge.
        width: To the right.
        height: Downwards.
    """

    label: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Mask:
    """A picture of the film's size in which one structure is bright.

    Attributes:
        kind: ``lungs``, ``left_lung``, ``right_lung`` ...; a side is named as the layout names it.
        file: Relative to the data set's folder.
        convention: Whether the lung behind heart and mediastinum is inside; empty where unstated.
        annotator: Who or what drew it; empty where unstated.
        licence: Of the mask.
    """

    kind: str
    file: str
    convention: str = ""
    annotator: str = ""
    licence: str = ""


@dataclass(frozen=True, slots=True)
class FilmRecord:
    """One film of a data set.

    Attributes:
        file: Relative to the data set's folder, with forward slashes.
        source: Where it was taken or collected; a mixed data set keeps the sources apart.
        group: Patient, as far as known: films that share one are never divided by a split. The
            same patient has the same group in every layout that holds the film.
        labels: As recorded, untouched.
        label: One word for them all, in the words of :mod:`.vocabulary`; empty if unlabelled.
        findings: Each finding by itself, in the same words; none for a normal film.
        asked: Findings of which the layout says whether they are there, beside those; None: what
            the label answers. See :mod:`hilum_training.films.asked`.
        view: ``PA``, ``AP``, ``AP Supine``, ``L`` ... or ``frontal (AP/PA not stated)``; empty
            where nothing is known.
        licence: As stated.
        licence_flags: ``NC``, ``SA``, ``ND``, ``no-explicit-licence-text``,
            ``unverified-upstream``: what may rule a film out.
        study: Empty where the layout does not tell studies apart.
        age: Years, or None.
        age_group: As the source states it for all its films, e.g. ``paediatric (1-5 y)``.
        sex: ``F``, ``M`` or empty.
        split: As published: ``train``, ``val``, ``train_val``, ``test`` or empty.
        boxes: In pixels of the file.
        masks: See :class:`Mask`.
        address: Where the film was published, for its credit; empty where only the set is known.
        variant_of: Another copy of the same film in this data set, or empty.
        native_size: Width and height as first published, where this copy may be smaller.
    """

    file: str
    source: str
    group: str
    labels: tuple[str, ...]
    label: str
    findings: tuple[str, ...]
    view: str
    licence: str
    licence_flags: tuple[str, ...] = ()
    asked: frozenset[str] | None = None
    study: str = ""
    age: float | None = None
    age_group: str = ""
    sex: str = ""
    split: str = ""
    boxes: tuple[Box, ...] = ()
    masks: tuple[Mask, ...] = ()
    address: str = ""
    variant_of: str = ""
    native_size: tuple[int, int] | None = None

    @property
    def answered(self) -> frozenset[str]:
        """What was asked of the film, said or by its label."""
        return asked_by_label(self.label) if self.asked is None else self.asked


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read from a folder.

    Attributes:
        records: In the order of the layout's own table, or by name.
        left_out: Reason -> rows or files that were not made into a record.
    """

    records: tuple[FilmRecord, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)


class Collection:
    """Films of a folder while it is being read."""

    def __init__(self, folder: Path, *, partial: bool = False) -> None:
        """Nothing read yet.

        Args:
            folder: Of the data set, to which names are relative.
            partial: Leave out films whose file is not there, instead of failing.
        """
        self._folder = folder
        self._partial = partial
        self._records: list[FilmRecord] = []
        self._left_out: Counter[str] = Counter()

    def add(self, record: FilmRecord) -> None:
        """One film more."""
        self._records.append(record)

    def leave_out(self, why: str) -> None:
        """One row or file that is no film for training."""
        self._left_out[why] += 1

    def absent(self, path: Path) -> None:
        """A film's file is not there.

        Raises:
            FileMissing: Unless a part of the data set is enough.
        """
        if not self._partial:
            raise FileMissing(path, "named by the layout's table (part of a download? say so)")
        self.leave_out("file not there")

    def name(self, path: Path) -> str:
        """A path as records name it."""
        return path.relative_to(self._folder).as_posix()

    def reading(self) -> Reading:
        """What was read.

        Raises:
            FileMissing: Not one film.
        """
        if not self._records:
            raise FileMissing(self._folder, "it holds no film in this layout")
        return Reading(tuple(self._records), dict(sorted(self._left_out.items())))
