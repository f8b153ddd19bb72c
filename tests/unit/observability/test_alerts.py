"""Alerts fire when they must, and not before, in Prometheus's own evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.promtool import assert_alerts

SOURCE = Path(__file__).parents[3] / "observability" / "alerts.yaml"
WAITING = {'hilum_jobs{namespace="n",priority="routine",state="queued"}': "7x60"}
HERE = {"namespace": "n"}


@pytest.fixture(scope="module")
def rules() -> dict[str, Any]:
    """The file as it lies there."""
    found: dict[str, Any] = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
    return found


def left_in(state: str) -> str:
    """The counter of one worker for jobs that it left in a state."""
    return f'hilum_worker_jobs_total{{namespace="n",pod="w",priority="routine",state="{state}"}}'


def reconciled(action: str) -> str:
    """The counter of one worker for what its reconciler did."""
    return f'hilum_worker_reconciled_jobs_total{{namespace="n",pod="w",action="{action}"}}'


def test_films_that_are_only_given_back_are_not_read(rules, tmp_path):
    """Workers that claim and release all day, as while Triton is down, do not silence the alert."""
    series = {**WAITING, left_in("queued"): "0+5x60", left_in("completed"): "3x60"}
    firing = {"HilumNothingIsRead@9": [], "HilumNothingIsRead@30": [HERE]}
    assert_alerts(rules, series, firing, tmp_path)


@pytest.mark.parametrize("state", ["completed", "rejected"])
def test_films_that_are_read_or_rejected_are_progress(state, rules, tmp_path):
    """Whatever waits behind them."""
    series = {**WAITING, left_in("queued"): "0+5x60", left_in(state): "0+1x60"}
    assert_alerts(rules, series, {"HilumNothingIsRead@30": []}, tmp_path)


PARKED = (left_in("failed"), reconciled("parked"))


@pytest.mark.parametrize(("counter", "other"), [PARKED, PARKED[::-1]], ids=["worker", "reconciler"])
def test_one_parked_film_is_told(counter, other, rules, tmp_path):
    """Whether its worker parked it, or the reconciler after the film had killed its workers."""
    series = {counter: "0x10 1x50", other: "0x60"}
    firing = {
        "HilumFilmsParked@9": [],
        "HilumFilmsParked@12": [HERE],
        "HilumFilmsParked@40": [],
    }
    assert_alerts(rules, series, firing, tmp_path)


def test_films_that_the_reconciler_releases_are_not_parked(rules, tmp_path):
    """They are read again, and nobody needs to look."""
    series = {reconciled("released"): "0+1x60", reconciled("rung"): "0+9x60"}
    assert_alerts(rules, series, {"HilumFilmsParked@30": []}, tmp_path)


AWAY = {"namespace": "n", "destination": "north/pacs"}


def test_a_destination_that_is_away_is_told_by_its_name(rules, tmp_path):
    """After half an hour, and no longer once it is back."""
    waits = 'hilum_deliveries_oldest_waiting_seconds{namespace="n",destination="north/pacs"}'
    other = 'hilum_deliveries_oldest_waiting_seconds{namespace="n",destination="north/web"}'
    series = {waits: "0+60x50 0x20", other: "5x70"}
    firing = {
        "HilumResultsWaitForADestination@20": [],
        "HilumResultsWaitForADestination@45": [AWAY],
        "HilumResultsWaitForADestination@60": [],
    }
    assert_alerts(rules, series, firing, tmp_path)


def test_results_that_a_destination_refused_are_told_until_somebody_acts(rules, tmp_path):
    """A discard or a replay ends it."""
    failed = 'hilum_deliveries_failed{namespace="n",destination="north/pacs"}'
    firing = {
        "HilumResultsAreNotTaken@2": [],
        "HilumResultsAreNotTaken@15": [AWAY],
        "HilumResultsAreNotTaken@40": [],
    }
    assert_alerts(rules, {failed: "0x9 2x20 0x30"}, firing, tmp_path)
