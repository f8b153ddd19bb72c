"""What another network, or two together, would bring: tables of the details page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hilum_training.evaluation.rival_figures import surely

if TYPE_CHECKING:
    from collections.abc import Mapping

    Reports = Mapping[str, Mapping[str, Any]]
    Rows = list[dict[str, Any]]

RIVAL: Final = "rivals/"
_ALONE, _BOTH = "rival_less_shipped", "mean_less_shipped"


def rival_verdicts(reports: Reports) -> Rows:
    """Return for each network how many figures differ beyond chance; a mean costs two."""
    rows = []
    for report in _rivals(reports):
        for what, difference, price in (("alone", _ALONE, 1), ("mean of both", _BOTH, 2)):
            better, worse = surely(report["rows"], difference)
            rows.append(
                {
                    "network": report["about"],
                    "instead of the shipped one": what,
                    "figures compared": len(report["rows"]),
                    "better": better,
                    "worse": worse,
                    "cost of one": price,
                }
            )
    return rows


def rival_rows(reports: Reports) -> Rows:
    """Return every figure of every other network with the shipped network's."""
    return [
        {
            "panel": row["panel"],
            "figure": row["figure"],
            "images": row["films"],
            "shipped": row["shipped"],
            "rival": row["rival"],
            "mean of both": row["mean"],
            "rival less shipped": row[_ALONE],
            "mean less shipped": row[_BOTH],
        }
        for report in _rivals(reports)
        for row in report["rows"]
    ]


def _rivals(reports: Reports) -> list[Mapping[str, Any]]:
    return [report for name, report in reports.items() if name.startswith(RIVAL)]
