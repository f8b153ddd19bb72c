"""What the apps that Hilum replaces stated of themselves, beside what the reports say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hilum_training.evaluation.criteria import of_panel, question

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Reports = Mapping[str, Mapping[str, Any]]
    Figure = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Original:
    """A figure of an app that Hilum replaces, as the app stated it."""

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
        of_panel("pneumonia", "accuracy"),
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
        of_panel("infection", "accuracy"),
    ),
    Original(
        "MobileNetV2 classifier of tuberculosis",
        "no figure that could be taken over",
        "AUROC within Shenzhen",
        question("tuberculosis", "shenzhen", "normal or tuberculosis", "auroc"),
    ),
)
