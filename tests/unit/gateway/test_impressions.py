"""The impression and what was not assessed, over the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hilum.domain.model import Rank
from tests.fakes.model_catalogue import whole_set
from tests.unit.gateway.api import Api, FakeGateway
from tests.unit.gateway.pages.results import (
    a_finding,
    a_panel,
    healthy,
    ill,
    out_of_scope,
    stored,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hilum.domain.finding import PanelReading


@pytest.fixture
def gateway() -> FakeGateway:
    return FakeGateway(models=whole_set())


def result(api: Api, panels: Sequence[PanelReading], **how: bool) -> dict[str, Any]:
    """A result of these panels, as the API gives it."""
    job_id = stored(api.gateway, panels, **how).rpartition("/")[2]
    found: dict[str, Any] = api.get(f"/v1/jobs/{job_id}").json()["result"]
    return found


def finding(document: dict[str, Any], label: str) -> dict[str, Any]:
    """The finding of this label."""
    return next(
        item for panel in document["panels"] for item in panel["findings"] if item["label"] == label
    )


def test_a_healthy_result_has_the_impression_no_finding(api: Api):
    """Kind and text come without a finding and without a reason."""
    impression = result(api, healthy())["impression"]
    assert (impression["kind"], impression["reason"], impression["findings"]) == (
        "no_finding",
        "",
        [],
    )
    assert impression["text"].startswith("No finding. Looked for: infected.")


def test_an_ill_result_names_its_findings(api: Api):
    """Each is named with panel, label, display and probability, the surest first."""
    impression = result(api, ill())["impression"]
    assert impression["kind"] == "finding"
    assert impression["findings"][0] == {
        "panel": "tuberculosis",
        "label": "tuberculosis",
        "display": "Tuberculosis",
        "probability": 0.92,
    }
    assert [found["label"] for found in impression["findings"]] == ["tuberculosis", "effusion"]


def test_a_panel_out_of_scope_keeps_its_scores_and_says_why(api: Api):
    """Every finding is `not_assessed` with the code and its words, and none is positive."""
    document = result(api, out_of_scope())
    assert document["impression"]["kind"] == "undetermined"
    assert document["impression"]["reason"] == "looks_like_a_child"
    for panel in document["panels"]:
        assert (panel["in_scope"], panel["scope_reason"]) == (False, "looks_like_a_child")
        assert panel["scope_reason_text"].startswith("not validated for children")
        for item in panel["findings"]:
            assert item["probability"] > 0
            assert (item["positive"], item["assessment"]) == (None, "not_assessed")
            assert item["reason"] == "looks_like_a_child"
            assert item["reason_text"] == panel["scope_reason_text"]


def test_an_experimental_label_has_no_verdict_and_no_operating_point(api: Api):
    """It carries its rank and the reason."""
    item = finding(result(api, healthy()), "hernia")
    assert (item["rank"], item["operating_point"], item["positive"]) == ("experimental", None, None)
    assert item["reason"] == "experimental_label"
    assert "experimental" in item["reason_text"]


def test_a_map_outside_the_lungs_is_said_to_lie_there(api: Api):
    """The share comes with a verdict of its own, which is null without a map."""
    document = result(api, ill())
    outside, inside = finding(document, "effusion"), finding(document, "tuberculosis")
    assert (outside["map_in_lungs"], outside["outside_lungs"], outside["boxes"]) == (0.2, True, [])
    assert (inside["map_in_lungs"], inside["outside_lungs"]) == (0.9, False)
    assert inside["boxes"]
    assert finding(document, "normal")["outside_lungs"] is None


def test_a_predictive_value_comes_with_its_prevalence(api: Api):
    """Both are there, or neither."""
    document = result(api, ill())
    found = finding(document, "tuberculosis")
    assert (found["prevalence"], found["predictive_value"]) == (0.05, 0.3366)
    other = finding(document, "effusion")
    assert (other["prevalence"], other["predictive_value"]) == (None, None)


def test_a_result_without_impression_has_null_and_the_fields_of_before(api: Api):
    """A result of release 0.2.0 has every verdict that it had."""
    panels = [a_panel("infection", a_finding("infected", 0.55, weak=True))]
    document = result(api, panels, with_impression=False)
    assert document["impression"] is None
    item = finding(document, "infected")
    assert (item["positive"], item["operating_point"], item["weak"]) == (True, 0.4, True)
    assert (item["rank"], item["assessment"]) == ("validated", "positive")


def test_a_label_that_is_not_shown_says_so_to_clients(api: Api):
    """A client decides by the rank, as the pages do."""
    assert finding(result(api, ill()), "granuloma")["rank"] == Rank.NOT_SHOWN
