"""Results as documents: this release reads the release before, and the other way round."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hilum.adapters.postgres.repositories.reading_documents import (
    document_of_impression,
    document_of_panel,
    impression_of_document,
    panel_of,
)
from hilum.domain.finding import Finding, PanelReading
from hilum.domain.impression import Impression, ImpressionKind, NamedFinding
from hilum.domain.model import PanelKind, Rank

ASSESSED = Finding(
    label="tuberculosis",
    display="Tuberculosis",
    probability=0.9,
    operating_point=0.3,
    positive=True,
    abnormal=True,
    weak=False,
    prevalence=0.05,
    predictive_value=0.3214,
    map_in_lungs=0.75,
)
BEYOND = replace(ASSESSED, positive=None, reason="age_outside_scope")
OFF = replace(
    ASSESSED,
    operating_point=None,
    positive=None,
    rank=Rank.EXPERIMENTAL,
    reason="experimental_label",
)


def panel(*findings: Finding) -> PanelReading:
    return PanelReading(
        "tuberculosis", "chest", "1.0.0", findings, scope_reason="age_outside_scope"
    )


def test_findings_come_back_as_they_were():
    """Also those that were not assessed."""
    reading = panel(ASSESSED, BEYOND, OFF)
    assert panel_of(document_of_panel(reading)) == reading


@pytest.mark.parametrize(
    ("finding", "point", "positive"),
    [(ASSESSED, 0.3, True), (BEYOND, 0.3, False), (OFF, 1.0, False)],
)
def test_the_release_before_reads_what_was_not_assessed_as_negative(finding, point, positive):
    """It knows no null: without an operating point it is told one that nothing reaches."""
    (document,) = document_of_panel(panel(finding))["findings"]
    assert document["operating_point"] == point
    assert document["positive"] is positive
    assert isinstance(document["operating_point"], float)


def test_a_document_of_the_release_before_reads_as_before():
    """Every finding was assessed, and counts as validated."""
    document = {
        "panel": "pneumonia",
        "model": "chest",
        "version": "0.2.0",
        "kind": "multi_label",
        "findings": [
            {
                "label": "covid19",
                "display": "COVID-19",
                "probability": 0.2,
                "operating_point": 0.25,
                "positive": False,
                "abnormal": True,
                "weak": True,
                "code": None,
                "heatmap": False,
                "boxes": [],
            }
        ],
    }
    reading = panel_of(document)
    assert (reading.kind, reading.scope_reason) == (PanelKind.MULTI_LABEL, "")
    assert reading.findings == (Finding("covid19", "COVID-19", 0.2, 0.25, False, True, True),)
    assert reading.findings[0].assessment == "negative"
    assert impression_of_document(None) is None


@pytest.mark.parametrize(
    "impression",
    [
        Impression(
            ImpressionKind.FINDING,
            (NamedFinding("tuberculosis", "tuberculosis", "Tuberculosis", 0.9),),
            "",
            "Finding: tuberculosis (probability 0.90).",
        ),
        Impression(ImpressionKind.NO_FINDING, (), "", "No finding. Looked for: tuberculosis."),
        Impression(ImpressionKind.UNDETERMINED, (), "age_outside_scope", "Not assessed: ..."),
    ],
)
def test_an_impression_comes_back_as_it_was(impression):
    """Its words, too: a later release may say the same in others."""
    assert impression_of_document(document_of_impression(impression)) == impression
    assert document_of_impression(None) is None
