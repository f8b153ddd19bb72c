"""Alerts and dashboard ask for metrics that Hilum's processes really have."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, cast

import pytest
import yaml
from prometheus_client.exposition import generate_latest

from hilum.application.ports.deliveries import DestinationDepth
from hilum.application.ports.repositories import QueueDepth
from hilum.application.queue.measure_queues import QueueDepths
from hilum.domain.job import ANALYSIS, Priority
from hilum_gateway.wiring.metrics import Metrics
from hilum_listener.metrics import ListenerMetrics, SupervisorMetrics
from hilum_triton_probe.metrics import KnownAnswerMetrics
from hilum_worker.metrics import WorkerMetrics

SOURCES: Final = Path(__file__).parents[3] / "observability"
CHART: Final = Path(__file__).parents[3] / "helm" / "hilum" / "files"
# The engine builder writes a text file, for which there is no registry; see docs/deployment.md.
ENGINE: Final = {"hilum_engine_fallback"}

_NAME: Final = re.compile(r"\bhilum_[a-z_]+\b(?=[{\[)\s]|$)")
_PARTS: Final = re.compile(r"_(bucket|sum|count|total)$")


def _rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((SOURCES / "alerts.yaml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def _panels() -> list[dict[str, Any]]:
    panels = json.loads((SOURCES / "dashboard.json").read_text())["panels"]
    return [panel for panel in panels if panel["type"] != "row"]


def _expressions() -> list[str]:
    asked = [target["expr"] for panel in _panels() for target in panel["targets"]]
    return [rule["expr"] for rule in _rules()] + asked


@pytest.fixture(scope="module")
def told() -> set[str]:
    """Names of the metrics of all processes, as they tell them to Prometheus."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    depth = QueueDepth(queued=1, running=1, oldest_queued_at=now)
    depths = QueueDepths(
        now,
        {ANALYSIS.kind: dict.fromkeys(Priority, depth)},
        {"north/pacs": DestinationDepth(1, now, 0)},
    )
    gateway = Metrics(lambda: depths)
    leases = cast("Any", SimpleNamespace(in_flight=0, given_up=0))
    registries = (
        WorkerMetrics(leases).registry,
        KnownAnswerMetrics().registry,
        ListenerMetrics().registry,
        SupervisorMetrics().registry,
    )
    text = b"".join([gateway.render(), *(generate_latest(one) for one in registries)]).decode()
    return {_PARTS.sub("", name) for name in re.findall(r"^# TYPE (\w+)", text, re.MULTILINE)}


def test_every_metric_that_is_asked_for_is_there(told: set[str]) -> None:
    """A renamed metric would make an alert that never fires and a panel that is empty."""
    asked = {_PARTS.sub("", name) for text in _expressions() for name in _NAME.findall(text)}

    assert len(asked) > 10
    assert asked - told - ENGINE == set()


def test_every_alert_says_how_bad_it_is_and_what_to_do() -> None:
    """Each has a severity, one line for the page and a description."""
    for rule in _rules():
        assert rule["labels"]["severity"] in {"critical", "warning"}, rule["alert"]
        assert rule["annotations"]["summary"], rule["alert"]
        assert rule["annotations"]["description"], rule["alert"]


def test_panels_do_not_overlap() -> None:
    """Every cell of the dashboard's grid belongs to one panel."""
    taken: set[tuple[int, int]] = set()
    for panel in _panels():
        at = panel["gridPos"]
        cells = {
            (column, row)
            for column in range(at["x"], at["x"] + at["w"])
            for row in range(at["y"], at["y"] + at["h"])
        }
        assert not taken & cells, panel["title"]
        assert at["x"] + at["w"] <= 24, panel["title"]
        taken |= cells


@pytest.mark.parametrize("name", ["alerts.yaml", "dashboard.json"])
def test_the_chart_carries_what_stands_here(name: str) -> None:
    """The chart can only read its own folder; its copies are those of `make chart-docs`."""
    assert (CHART / name).read_text() == (SOURCES / name).read_text()
