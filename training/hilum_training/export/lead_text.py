"""What every summary and card leads with, as text by the names that templates have for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hilum_training.export import before_and_after as changes
from hilum_training.export import lead_sentences as sentences
from hilum_training.export import lead_tables as tables
from hilum_training.export.figure_text import FEWEST_TO_LEAD, NOTHING
from hilum_training.markdown import markdown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Report = Mapping[str, Any]

_NO_FILES: Final[Mapping[str, Any]] = {"previous": (), "external": {}, "thumbnail_ridge": None}


def lead_text(report: Report, kept: Report | None = None) -> dict[str, str]:
    """Return tables and sentences in Markdown.

    Args:
        report: Of a network.
        kept: From :func:`hilum_training.export.other_reports.kept_files`, or None.
    """
    panels = {name: part for name, part in report["panels"].items() if "labels" in part}
    files = kept or _NO_FILES
    previous = changes.newest_before(report.get("version", "0"), files["previous"])
    return {
        "fewest": str(FEWEST_TO_LEAD),
        **_tables(report, panels, files, previous),
        **_of_report(report, panels),
        **_of_files(report, files, previous),
    }


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return a table in Markdown, or that nothing was measured."""
    return markdown(rows) if rows else NOTHING


def _tables(
    report: Report, panels: Mapping[str, Report], files: Report, previous: Report | None
) -> dict[str, str]:
    return {
        "flags": table(tables.headline_table(report, previous)),
        "at_points": table(tables.point_table(panels)),
        "within": table(tables.within_table(panels, few=False)),
        "calibration_errors": table(tables.calibration_table(panels)),
        "out_of_scope": table(tables.scope_table(report)),
        "ages": table(tables.age_table(report)),
        "ranks": table(tables.rank_table(panels)),
        "images_used": table(tables.data_table(report, files["external"].get("sources", {}))),
    }


def _of_report(report: Report, panels: Mapping[str, Report]) -> dict[str, str]:
    return {
        "in_short": sentences.in_short(report),
        "few_images": sentences.few_images(report),
        "both_named": sentences.both_named(report),
        "confounded": sentences.confounded(report),
        "validated": sentences.validated(panels),
        "experimental": sentences.experimental(panels),
        "points": sentences.points(panels),
        "flag_values": sentences.flag_values(panels),
        "scope_sentence": sentences.scope_sentence(report),
        "severity": sentences.severity_sentence(report),
        "never_shown": sentences.never_shown_sentence(panels),
    }


def _of_files(report: Report, files: Report, previous: Report | None) -> dict[str, str]:
    external = files["external"]
    return {
        "germs": sentences.germ_sentence(files["thumbnail_ridge"], report),
        "unseen_hospital": sentences.unseen_hospital(
            external.get("unseen_hospital"), report.get("version", "0")
        ),
        "read_before": sentences.read_before(previous),
        "changed_since": changes.before_and_after_sentence(previous, report),
        "flags_changed": changes.flags_sentence(previous, report),
        "regrouped": changes.regrouped_sentence(
            external.get("regrouped_patients"), previous, report
        ),
        "references": sentences.references(external.get("sources", {})),
        "citations": sentences.citations(external.get("sources", {})),
    }
