"""Acceptance criteria: figures that the models must reach, beside what the reports say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hilum_training.export.figure_text import FEWEST_TO_LEAD, few_last, is_few, short
from hilum_training.export.lead_tables import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Reports = Mapping[str, Mapping[str, Any]]
    Figure = Mapping[str, Any]

MOST_FLAGS: Final = 0.3
"""Abnormal labels that a normal image carries, in every source."""
MOST_WITHOUT_A_FLAG: Final = 0.05
"""Share of ill images that carry none."""
MOST_CALIBRATION_ERROR: Final = 0.03
LEAST_SENSITIVITY: Final = 0.9
LEAST_SPECIFICITY: Final = 0.7
"""The WHO target for a triage test of tuberculosis, with the sensitivity above."""
NETWORK: Final = "network/chest"
MET: Final = "yes"
MISSED: Final = "**no**"
NOT_MEASURED: Final = "not measured"
_FLAGS: Final = "flags a normal image"
_MISSED: Final = "ill images without a flag"
_NO_BODIES: Final = ("changed", "drawn", "picture", "several", "part of a chest")
"""Kinds of images without a chest that are no radiographs of another body."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """One acceptance criterion.

    Attributes:
        what: In words.
        bound: The value that must be reached.
        figure: Finds the figure among the reports, None where it was not measured.
        at_most: The bound is an upper one.
    """

    what: str
    bound: float
    figure: Callable[[Reports], Figure | None]
    at_most: bool = False

    def row(self, reports: Reports) -> dict[str, Any]:
        """Return a row of the table of criteria."""
        found = self.figure(reports)
        side = "at most" if self.at_most else "at least"
        return {
            "criterion": self.what,
            "bound": f"{side} {self.bound:g}",
            "reached": short(found, 3),
            "met": self._verdict(found),
        }

    def _verdict(self, found: Figure | None) -> str:
        """Whether the figure reaches the bound, and whether its whole interval agrees."""
        if found is None or found["value"] is None:
            return NOT_MEASURED
        met = self._met(found["value"])
        said = MET if met else MISSED
        ends = found.get("interval")
        if ends is not None and any(self._met(end) != met for end in ends):
            return f"{said}, within chance"
        return said

    def _met(self, value: float) -> bool:
        return value <= self.bound if self.at_most else value >= self.bound


def criteria(reports: Reports) -> list[Criterion]:
    """Return every criterion, those of single sources and panels among them.

    Args:
        reports: From :func:`hilum_training.evaluation.report_index.read_reports`.
    """
    return [*_of_headline(reports), *_CRITERIA, *_of_calibration(reports), *_of_kinds(reports)]


def criteria_sentence(reports: Reports) -> str:
    """Return how many criteria are met, and which are missed."""
    rows = [criterion.row(reports) for criterion in criteria(reports)]
    met = [row for row in rows if row["met"].startswith(MET)]
    missed = [row for row in rows if row["met"].startswith(MISSED)]
    text = f"Of {len(rows)} acceptance criteria {len(met)} are met, {len(missed)} missed"
    if unmeasured := len(rows) - len(met) - len(missed):
        text += f", {unmeasured} not measured"
    if not missed:
        return f"{text}."
    named = "; ".join(
        f"{row['criterion']} ({row['reached'].partition(' ')[0]}, {row['bound']})" for row in missed
    )
    return f"{text}. Missed: {named}."


def _of_headline(reports: Reports) -> list[Criterion]:
    """Flags and misses of the labels that are shown by default."""
    part = reports.get(NETWORK, {}).get("headline", {}).get(DEFAULT)
    if part is None:
        return [
            Criterion(_FLAGS, MOST_FLAGS, _unmeasured, at_most=True),
            Criterion(_MISSED, MOST_WITHOUT_A_FLAG, _unmeasured, at_most=True),
        ]
    rows = part["by_source"]
    return [
        *_of_sources(_FLAGS, MOST_FLAGS, rows, "flags_a_normal_film", "normal_films"),
        *_of_sources(_MISSED, MOST_WITHOUT_A_FLAG, rows, "ill_films_without_a_flag", "ill_films"),
        Criterion(
            f"{_MISSED}, all sources",
            MOST_WITHOUT_A_FLAG,
            _given(part["overall"]["ill_films_without_a_flag"]),
            at_most=True,
        ),
        Criterion(
            "images with a normal and an abnormal label of one panel",
            0,
            _given(
                {"value": part["overall"]["normal_and_abnormal_of_one_panel"], "interval": None}
            ),
            at_most=True,
        ),
    ]


def _of_sources(
    what: str, bound: float, rows: Sequence[Mapping[str, Any]], key: str, kind: str
) -> Iterator[Criterion]:
    """A ceiling in every source with images of a kind, sources of few images last."""
    for row in few_last([row for row in rows if row[kind]], kind):
        named = f"{what}, {row['source']}{_few(row, kind)}"
        yield Criterion(named, bound, _given(row[key]), at_most=True)


def _of_calibration(reports: Reports) -> list[Criterion]:
    """The error within the source where it is largest; over all sources errors cancel."""
    found = []
    for panel in ("pneumonia", "infection", "tuberculosis", "pathology"):
        worst = reports.get(panel, {}).get("calibration_error", {}).get("worst_source")
        where = f", within {worst['source']}" if worst else ""
        figure = _given(worst["error"]) if worst else _unmeasured
        what = f"largest calibration error of {panel}{where}"
        found.append(Criterion(what, MOST_CALIBRATION_ERROR, figure, at_most=True))
    return found


def _of_kinds(reports: Reports) -> list[Criterion]:
    """Other bodies that the gate must reject, by kind."""
    return [
        Criterion(f"gate: {row['kind']} rejected{_few(row, 'films')}", 0.95, _given(row["stop"]))
        for row in reports.get("gate", {}).get("kinds_that_stop", ())
        if row["label"] == "not_chest" and not row["kind"].startswith(_NO_BODIES)
    ]


def _few(row: Mapping[str, Any], key: str) -> str:
    return f" ({row[key]} images)" if is_few(row, key) else ""


def _given(figure: Figure) -> Callable[[Reports], Figure | None]:
    return lambda _: figure


def _unmeasured(_: Reports) -> Figure | None:
    return None


def of_panel(name: str, *keys: str) -> Callable[[Reports], Figure | None]:
    """A figure at the end of a chain of keys in a panel's report."""

    def find(reports: Reports) -> Figure | None:
        found: Any = reports.get(name)
        for key in keys:
            found = found.get(key) if found is not None else None
        return found if found is None or "value" in found else None

    return find


def question(panel: str, source: str, start: str, key: str) -> Callable[[Reports], Figure | None]:
    """A figure of the question within a source whose wording starts like this."""

    def find(reports: Reports) -> Figure | None:
        for row in reports.get(panel, {}).get("within_source", ()):
            if row["source"] == source and row["question"].startswith(start):
                found: Figure | None = row[key]
                return found
        return None

    return find


def _across(shift: str, source: str) -> Callable[[Reports], Figure | None]:
    return question(f"shifts/{shift}", source, "normal or tuberculosis", "auroc")


def _dice(source: str, structure: str) -> Callable[[Reports], Figure | None]:
    """Dice of a structure on a source's images, of the annotators who drew most of them."""

    def find(reports: Reports) -> Figure | None:
        rows = [
            row
            for row in reports.get("lungs", {}).get("structures", ())
            if (row["source"], row["structure"]) == (source, structure)
        ]
        most = max(rows, key=lambda row: int(row["films"]), default=None)
        return None if most is None else most["dice"]

    return find


_TRIAGE: Final = "normal or tuberculosis"

_CRITERIA: Final = (
    Criterion(
        "tuberculosis within Shenzhen at the shipped point, sensitivity",
        LEAST_SENSITIVITY,
        question("tuberculosis", "shenzhen", _TRIAGE, "shipped_sensitivity"),
    ),
    Criterion(
        "tuberculosis within Shenzhen at the shipped point, specificity",
        LEAST_SPECIFICITY,
        question("tuberculosis", "shenzhen", _TRIAGE, "shipped_specificity"),
    ),
    Criterion(
        "tuberculosis within Shenzhen, specificity at 90 % sensitivity on these images",
        LEAST_SPECIFICITY,
        question("tuberculosis", "shenzhen", _TRIAGE, "specificity_at_90_sensitivity"),
    ),
    Criterion(
        "tuberculosis within Shenzhen, AUROC",
        0.95,
        question("tuberculosis", "shenzhen", _TRIAGE, "auroc"),
    ),
    Criterion(
        "normal or pneumonia within Kermany, AUROC",
        0.997,
        question("pneumonia", "kermany", "normal or pneumonia", "auroc"),
    ),
    Criterion(
        "bacterial or viral within Kermany, by patient, accuracy",
        0.88,
        question("pneumonia", "kermany", "bacterial or viral", "accuracy"),
    ),
    Criterion(
        "four-class pneumonia, accuracy, all sources", 0.90, of_panel("pneumonia", "accuracy")
    ),
    *(
        Criterion(f"tuberculosis, external validation, {words}, AUROC", 0.88, _across(run, source))
        for run, source, words in (
            ("tb-learnt-in-shenzhen", "montgomery", "Shenzhen to Montgomery"),
            ("tb-learnt-in-montgomery", "shenzhen", "Montgomery to Shenzhen"),
            ("tb-without-montgomery", "montgomery", "Shenzhen and other adults to Montgomery"),
            ("tb-without-shenzhen", "shenzhen", "Montgomery and other adults to Shenzhen"),
        )
    ),
    Criterion("gate: frontal images accepted", 0.99, of_panel("gate", "frontal_films_that_pass")),
    Criterion(
        "gate: severely ill frontal images accepted",
        0.97,
        of_panel("gate", "severe_films_that_pass"),
    ),
    Criterion("gate: other images rejected", 0.99, of_panel("gate", "other_pictures_that_stop")),
    *(
        Criterion(f"gate: {words} rejected", 0.99, of_panel("gate", "that_stop", label))
        for label, words in (
            ("lateral", "lateral images"),
            ("not_chest", "images of anything else"),
            ("inverted", "inverted frontal images"),
            ("rotated", "rotated frontal images"),
        )
    ),
    Criterion("lung fields, Shenzhen, Dice", 0.96, _dice("shenzhen", "lung_fields")),
    Criterion("lungs with heart, Kermany, Dice", 0.96, _dice("kermany", "lungs_with_heart")),
    *(
        Criterion(f"{what} (fewer than {FEWEST_TO_LEAD} images)", bound, figure)
        for what, bound, figure in (
            (
                "tuberculosis within Montgomery at the shipped point, sensitivity",
                LEAST_SENSITIVITY,
                question("tuberculosis", "montgomery", _TRIAGE, "shipped_sensitivity"),
            ),
            (
                "tuberculosis within Montgomery at the shipped point, specificity",
                LEAST_SPECIFICITY,
                question("tuberculosis", "montgomery", _TRIAGE, "shipped_specificity"),
            ),
            (
                "tuberculosis within Montgomery, AUROC",
                0.95,
                question("tuberculosis", "montgomery", _TRIAGE, "auroc"),
            ),
            ("lung fields, Montgomery, Dice", 0.96, _dice("montgomery", "lung_fields")),
            ("lungs with heart, Cohen, Dice", 0.96, _dice("cohen", "lungs_with_heart")),
        )
    ),
)
