"""What the models were meant to reach, beside what the reports say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Reports = Mapping[str, Mapping[str, Any]]
    Figure = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Aim:
    """One aim.

    Attributes:
        what: In words.
        wanted: The bound.
        figure: Finds the figure among the reports, None where it was not measured.
        at_most: The bound is an upper one.
    """

    what: str
    wanted: float
    figure: Callable[[Reports], Figure | None]
    at_most: bool = False

    def row(self, reports: Reports) -> dict[str, Any]:
        """A row of the table of aims."""
        found = self.figure(reports)
        bound = "at most" if self.at_most else "at least"
        return {
            "aim": self.what,
            "wanted": f"{bound} {self.wanted:g}",
            "reached": found,
            "met": self._verdict(found),
        }

    def _verdict(self, found: Figure | None) -> str:
        """Whether the figure reaches the bound, and whether its whole interval agrees."""
        if found is None or found["value"] is None:
            return "not measured"
        met = self._met(found["value"])
        said = "yes" if met else "**no**"
        ends = found.get("interval")
        if ends is not None and any(self._met(end) != met for end in ends):
            return f"{said}, within chance"
        return said

    def _met(self, value: float) -> bool:
        return value <= self.wanted if self.at_most else value >= self.wanted


def _panel(name: str, *keys: str) -> Callable[[Reports], Figure | None]:
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


def _error(panel: str) -> Callable[[Reports], Figure | None]:
    def find(reports: Reports) -> Figure | None:
        error = reports.get(panel, {}).get("calibration_error")
        found: Figure | None = None if error is None else error["after"]
        return found

    return find


def _across(shift: str, source: str) -> Callable[[Reports], Figure | None]:
    return question(f"shifts/{shift}", source, "normal or tuberculosis", "auroc")


def _dice(source: str, structure: str) -> Callable[[Reports], Figure | None]:
    """Dice of a structure on a source's films; of the annotators who drew most of them."""

    def find(reports: Reports) -> Figure | None:
        rows = [
            row
            for row in reports.get("lungs", {}).get("structures", ())
            if (row["source"], row["structure"]) == (source, structure)
        ]
        most = max(rows, key=lambda row: int(row["films"]), default=None)
        return None if most is None else most["dice"]

    return find


AIMS: Final = (
    Aim("four-class pneumonia, accuracy, all sources", 0.90, _panel("pneumonia", "accuracy")),
    Aim(
        "normal or pneumonia within Kermany, AUROC",
        0.997,
        question("pneumonia", "kermany", "normal or pneumonia", "auroc"),
    ),
    Aim(
        "bacterial or viral within Kermany, accuracy",
        0.88,
        question("pneumonia", "kermany", "bacterial or viral", "accuracy"),
    ),
    Aim(
        "tuberculosis within Shenzhen, AUROC",
        0.95,
        question("tuberculosis", "shenzhen", "normal or tuberculosis", "auroc"),
    ),
    Aim(
        "tuberculosis within Montgomery, AUROC",
        0.95,
        question("tuberculosis", "montgomery", "normal or tuberculosis", "auroc"),
    ),
    Aim(
        "tuberculosis, learnt in Shenzhen, asked in Montgomery, AUROC",
        0.88,
        _across("tb-learnt-in-shenzhen", "montgomery"),
    ),
    Aim(
        "tuberculosis, learnt in Montgomery, asked in Shenzhen, AUROC",
        0.88,
        _across("tb-learnt-in-montgomery", "shenzhen"),
    ),
    Aim(
        "tuberculosis, learnt in Shenzhen beside other adults, asked in Montgomery, AUROC",
        0.88,
        _across("tb-without-montgomery", "montgomery"),
    ),
    Aim(
        "tuberculosis, learnt in Montgomery beside other adults, asked in Shenzhen, AUROC",
        0.88,
        _across("tb-without-shenzhen", "shenzhen"),
    ),
    *(
        aim
        for source, place in (("shenzhen", "Shenzhen"), ("montgomery", "Montgomery"))
        for aim in (
            Aim(
                f"WHO triage target as shipped, {place}: sensitivity",
                0.90,
                question("tuberculosis", source, "normal or tuberc", "shipped_sensitivity"),
            ),
            Aim(
                f"WHO triage target as shipped, {place}: specificity",
                0.70,
                question("tuberculosis", source, "normal or tuberc", "shipped_specificity"),
            ),
            Aim(
                f"{place}: specificity where 90 % of these films' tuberculosis is found",
                0.70,
                question(
                    "tuberculosis", source, "normal or tuberc", "specificity_at_90_sensitivity"
                ),
            ),
        )
    ),
    Aim("lung fields, Montgomery, Dice", 0.96, _dice("montgomery", "lung_fields")),
    Aim("lung fields, Shenzhen, Dice", 0.96, _dice("shenzhen", "lung_fields")),
    Aim("lungs with heart, Kermany, Dice", 0.96, _dice("kermany", "lungs_with_heart")),
    Aim("lungs with heart, Cohen, Dice", 0.96, _dice("cohen", "lungs_with_heart")),
    Aim("gate: frontal films that pass", 0.99, _panel("gate", "frontal_films_that_pass")),
    Aim("gate: severely ill films that pass", 0.97, _panel("gate", "severe_films_that_pass")),
    Aim("gate: other pictures that stop", 0.99, _panel("gate", "other_pictures_that_stop")),
    *(
        Aim(f"gate: {words} that stop", 0.99, _panel("gate", "that_stop", label))
        for label, words in (
            ("lateral", "lateral films"),
            ("not_chest", "pictures of anything else"),
            ("inverted", "frontal films as negatives"),
            ("rotated", "frontal films on their side"),
        )
    ),
    *(
        Aim(f"calibration error of {panel}", 0.03, _error(panel), at_most=True)
        for panel in ("pneumonia", "infection", "tuberculosis", "pathology")
    ),
)


@dataclass(frozen=True, slots=True)
class Original:
    """A reading of an app that Hilum replaces, with the figure that the app gave itself."""

    app: str
    claimed: str
    what: str
    figure: Callable[[Reports], Figure | None]


def _covid(key: str) -> Callable[[Reports], Figure | None]:
    def find(reports: Reports) -> Figure | None:
        row = reports.get("pneumonia", {}).get("labels", {}).get("covid19")
        found: Figure | None = None if row is None else row[key]
        return found

    return find


ORIGINALS: Final = (
    Original(
        "Flask + Docker app (MobileNet + Inception)",
        "80 %",
        "accuracy over the four labels, all sources pooled",
        _panel("pneumonia", "accuracy"),
    ),
    Original(
        "COVID app",
        "no figure within one source",
        "AUROC within Cohen, COVID-19 or another reading",
        question("pneumonia", "cohen", "COVID-19", "auroc"),
    ),
    *(
        Original("COVID app", claimed, f"{name} of covid19, all sources pooled", _covid(key))
        for claimed, name, key in (
            ("precision 97 %", "precision", "precision"),
            ("recall 94 %", "recall", "recall"),
            ("F1 96 %", "F1", "f1"),
        )
    ),
    Original(
        "interpreter (small CNN)",
        "87 %",
        "accuracy, normal or infected, all sources pooled",
        _panel("infection", "accuracy"),
    ),
    Original(
        "MobileNetV2 classifier of tuberculosis",
        "no figure that could be taken over",
        "AUROC within Shenzhen",
        question("tuberculosis", "shenzhen", "normal or tuberculosis", "auroc"),
    ),
)
