"""How the platform is, read from what the gateway tells machines."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hilum.domain.job import JobState, Priority

if TYPE_CHECKING:
    from collections.abc import Mapping

_SAMPLE: Final = re.compile(r"^(?P<name>\w+)\{(?P<labels>[^}]*)\} (?P<value>\S+)", re.MULTILINE)
_LABEL: Final = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Depth:
    """Work of one priority: jobs that wait, jobs that run, and the longest wait in seconds."""

    queued: int
    running: int
    oldest_seconds: float


def read_depths(exposition: str) -> dict[str, Depth]:
    """Depth by priority, most urgent first, from the gateway's ``/metrics``.

    A priority that is missing there (the database is down) is missing here.
    """
    values: dict[tuple[str, ...], float] = {}
    for sample in _SAMPLE.finditer(exposition):
        labels = dict(_LABEL.findall(sample["labels"]))
        if sample["name"] == "hilum_jobs":
            values[labels["priority"], labels["state"]] = float(sample["value"])
        elif sample["name"] == "hilum_oldest_queued_seconds":
            values[(labels["priority"],)] = float(sample["value"])
    return {
        priority.value: Depth(
            queued=int(values[priority.value, JobState.QUEUED.value]),
            running=int(values.get((priority.value, JobState.RUNNING.value), 0)),
            oldest_seconds=values.get((priority.value,), 0.0),
        )
        for priority in Priority
        if (priority.value, JobState.QUEUED.value) in values
    }


def checks_of(document: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """``(part, ok or down, detail)`` of each part in the answer of ``/readyz``."""
    return [
        (name, "ok" if check["ok"] else "down", check["detail"])
        for name, check in document.get("checks", {}).items()
    ]
