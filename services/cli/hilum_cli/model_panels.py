"""One panel of an installed model, as a site sees it: scope, ranks, operating points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from hilum.domain.model import PanelKind, Rank
from hilum.domain.verdict import predictive_value_of, reason_text
from hilum_cli.table import print_prose, print_table

if TYPE_CHECKING:
    from hilum.application.models.manage_models import VersionAtSite
    from hilum.domain.model import Label, OperatingPoint, Panel, Scope

_COLUMNS: Final = (
    "label", "rank", "operating point", "sensitivity", "specificity", "predictive value",
)  # fmt: skip
_NONE: Final = "none"


def print_panel(found: VersionAtSite, panel: Panel) -> None:
    """Print a panel's caution and scope, a table of its labels, and what each point rests on.

    Args:
        found: The version of the model, as a site sees it.
        panel: One of its panels, with the site's operating points.
    """
    click.echo()
    print_prose(f"panel {panel.name}: {panel.caution or panel.display}")
    if panel.kind is PanelKind.STRUCTURES:
        return
    for line in scope_lines(panel.scope):
        print_prose(line)
    shipped = found.shipped.panel(panel.name) or panel
    missing = {label for of, label in found.missing if of == panel.name}
    print_table(
        _COLUMNS,
        [_row(label, panel, shipped, missing=label.name in missing) for label in panel.labels],
    )
    for label in panel.labels:
        point = panel.operating_point(label.name) or shipped.operating_point(label.name)
        text = point.fitted_on if point else f"{_NONE}: {why_no_point(shipped, label)}"
        if text:
            print_prose(f"{label.name}: {text}")


def scope_lines(scope: Scope) -> list[str]:
    """Return what bounds a panel's scope, and which images it was trained on."""
    facts = [
        ("ages", scope.ages),
        ("views", ", ".join(scope.views)),
        *(
            (
                f"{limit.measure} at most",
                f"{limit.at_most:g}, beyond it {reason_text(limit.reason)}",
            )
            for limit in scope.limits
        ),
        ("trained on images of", ", ".join(scope.sources)),
        ("never shown", ", ".join(scope.never_shown)),
    ]
    return [f"{name}: {value}" for name, value in facts if value]


def why_no_point(shipped: Panel, label: Label) -> str:
    """Return why the manifest has no operating point for a label."""
    measured = (shipped.metrics.get("labels") or {}).get(label.name) or {}
    why = measured.get("no_point", "")
    return str(why) if why else "the manifest has no operating point for it"


def _row(label: Label, panel: Panel, shipped: Panel, *, missing: bool) -> tuple[str, ...]:
    point = panel.operating_point(label.name)
    off = point is None and label.rank is Rank.EXPERIMENTAL
    shown = point or shipped.operating_point(label.name)
    return (
        label.name,
        label.rank.value.replace("_", " "),
        _threshold(shown, off=off, missing=missing),
        _share(shown.sensitivity if shown else None),
        _share(shown.specificity if shown else None),
        _predictive_value(label, shown),
    )


def _threshold(point: OperatingPoint | None, *, off: bool, missing: bool) -> str:
    if point is None:
        return _NONE
    child = "" if point.child_threshold is None else f"children {point.child_threshold:.6g}"
    notes = {
        child: bool(child),
        "off": off,
        "not adopted": missing,
        f"beyond scope: {', '.join(map(reason_text, point.beyond_scope))}": bool(
            point.beyond_scope
        ),
    }
    noted = ", ".join(note for note, true in notes.items() if true)
    return f"{point.threshold:.6g}{f' ({noted})' if noted else ''}"


def _predictive_value(label: Label, point: OperatingPoint | None) -> str:
    value = predictive_value_of(label, point)
    return "" if value is None else f"{value:.2f} at {label.prevalence:g}"


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
