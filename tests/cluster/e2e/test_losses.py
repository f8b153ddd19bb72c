"""Pods and containers go and come back while films flow: no film is lost, none is read twice."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from hilum_stack.films import choose_films
from tests.cluster.container_runtime import kill_container
from tests.cluster.counters import ContainerCounters
from tests.cluster.e2e.films import COLLECTION
from tests.cluster.e2e.sending import ClusterLedger, films_like
from tests.cluster.e2e.traffic import Traffic
from tests.cluster.e2e.usage import UsageRecorder
from tests.cluster.paths import CACHE
from tests.cluster.patience import wait_long

if TYPE_CHECKING:
    import httpx

    from tests.cluster.e2e.installation import Installation
    from tests.cluster.running import Run

_FILMS = 200
_IN_TURN = ("gateway", "worker", "triton", "redis", "postgresql")
_KILLED = 128 + signal.SIGKILL


def test_every_film_ends_once_whatever_is_lost_or_rolled_meanwhile(
    cluster: Run, installation: Installation, api: httpx.Client, tmp_path: Path
) -> None:
    """Each component's pods are deleted in turn, PostgreSQL is killed, workers are rolled twice."""
    film = Path(choose_films([], COLLECTION, tmp_path)[0])
    usage = UsageRecorder(ContainerCounters(cluster, installation.kubectl.namespace))
    with usage, Traffic(api, films_like(film), at_least=_FILMS) as traffic:
        for component in _IN_TURN:
            before = len(traffic.accepted)
            _delete_and_await(installation, component)
            _await_more(traffic, before)
        before = len(traffic.accepted)
        _kill_and_await(cluster, installation, "postgresql")
        _await_more(traffic, before)
        revision = len(installation.release.revisions())
        workers = _uids(installation, "worker")
        installation.with_sets({"worker.slices.routine.concurrency": "3"}).upgrade()
        upgraded = _uids(installation, "worker")
        assert not workers & upgraded
        installation.release.rollback(revision)
        assert not upgraded & _uids(installation, "worker")
        traffic.enough()

    ledger = ClusterLedger(installation, tmp_path)
    ledger.wait_until_settled(traffic.accepted)
    assert len(traffic.accepted) >= _FILMS
    ledger.assert_every_film_ended_once(traffic.accepted)
    assert _out_of_memory(installation) == []
    _tell(traffic, usage)


def _tell(traffic: Traffic, usage: UsageRecorder) -> None:
    """For docs/sizing.md and the chart's requests."""
    measured = {
        "films": len(traffic.accepted),
        "seconds": round(usage.lasted, 1),
        "sent_again": len(traffic.refusals),
        "containers": usage.table(),
    }
    (CACHE / "usage.json").write_text(json.dumps(measured, indent=1))
    print(json.dumps(measured))  # noqa: T201 - the figures are wanted


def _await_more(traffic: Traffic, seen: int) -> None:
    wait_long(lambda: len(traffic.accepted) > seen, "a film to be accepted again")


def _delete_and_await(installation: Installation, component: str) -> None:
    """Deletes every pod of a component and waits until as many new ones are ready."""
    gone = _uids(installation, component)
    assert gone, component
    chosen = f"app.kubernetes.io/component={component}"
    installation.kubectl.run("delete", "pods", "--selector", chosen, "--wait=false")

    def exchanged() -> bool:
        pods = installation.pods(component)
        uids = {pod["metadata"]["uid"] for pod in pods}
        return len(pods) == len(gone) and not uids & gone and all(map(_is_ready, pods))

    wait_long(exchanged, f"new pods of {component} to be ready")


def _kill_and_await(cluster: Run, installation: Installation, component: str) -> None:
    """Kills a component's container where it stands and waits until its pod has another."""
    (pod,) = installation.pods(component)
    (killed,) = pod["status"]["containerStatuses"]
    kill_container(cluster.folder / "containerd", killed["containerID"])

    def back() -> bool:
        (now,) = installation.pods(component)
        (container,) = now["status"]["containerStatuses"]
        return container["containerID"] != killed["containerID"] and _is_ready(now)

    wait_long(back, f"another container of {component} to be ready")
    (now,) = installation.pods(component)
    assert now["metadata"]["uid"] == pod["metadata"]["uid"]
    ended = now["status"]["containerStatuses"][0]["lastState"]["terminated"]
    assert ended["exitCode"] == _KILLED


def _uids(installation: Installation, component: str) -> set[str]:
    return {pod["metadata"]["uid"] for pod in installation.pods(component)}


def _is_ready(pod: dict[str, object]) -> bool:
    status = pod["status"]
    assert isinstance(status, dict)
    return any(
        one["type"] == "Ready" and one["status"] == "True" for one in status.get("conditions", [])
    )


def _out_of_memory(installation: Installation) -> list[str]:
    """Containers that were killed at their memory limit."""
    return [
        f"{pod['metadata']['name']}/{container['name']}"
        for pod in installation.kubectl.items("pods")
        for container in pod["status"].get("containerStatuses", [])
        for state in (container.get("state", {}), container.get("lastState", {}))
        if state.get("terminated", {}).get("reason") == "OOMKilled"
    ]
