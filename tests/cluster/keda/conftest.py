"""KEDA, a table of jobs, and the chart's workers that one scales by the other."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from hilum_stack.postgres import PostgresServer
from tests.cluster.helm import CHART, Release
from tests.cluster.keda.autoscaler import autoscaler
from tests.cluster.keda.job_table import JobTable, job_table
from tests.cluster.keda.worker_slice import WorkerSlice
from tests.cluster.kubectl import Kubectl, restricted_namespace
from tests.servers import started

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.running import Run

_VALUES = (CHART / "ci" / "single-node-cpu-values.yaml", Path(__file__).parent / "values.yaml")
_CONNECTION_SECRET = "hilum-keda"
_CONNECTION_KEY = "keda-connection"  # the chart's default


@pytest.fixture(scope="session")
def keda(cluster: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """KEDA's operator and metrics API, running."""
    with autoscaler(tmp_path_factory.mktemp("keda"), cluster.folder / "certificates"):
        yield


@pytest.fixture(scope="session")
def whole_table() -> Iterator[JobTable]:
    """A real PostgreSQL in the cluster's network, with Hilum's schema."""
    with started(PostgresServer) as server, job_table(server) as table:
        yield table


@pytest.fixture(scope="session")
def release(
    keda: None,
    simulated_nodes: list[str],
    whole_table: JobTable,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Kubectl]:
    """A client for the namespace where the chart is installed, its pods on simulated nodes."""
    private = tmp_path_factory.mktemp("release") / "private-values.yaml"
    private.write_text(
        yaml.safe_dump({"secrets": {"values": {"database-url": whole_table.server.url}}})
    )
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": _CONNECTION_SECRET},
        "stringData": {_CONNECTION_KEY: whole_table.libpq_connection},
    }
    with restricted_namespace(f"scaling-{secrets.token_hex(3)}") as kubectl:
        kubectl.apply(secret)
        release = Release("helm4", kubectl.namespace, values=(*_VALUES, private))
        try:
            release.install()
            yield kubectl
        finally:
            # While KEDA runs: its objects wait for it before they go.
            release.uninstall()


@pytest.fixture
def jobs(whole_table: JobTable) -> Iterator[JobTable]:
    """The table; every job of a test has ended when the next begins."""
    yield whole_table
    whole_table.finish_all()


@pytest.fixture
def routine(release: Kubectl, jobs: JobTable) -> WorkerSlice:
    """Workers for urgent and ordinary films: 1 to 8 pods, 4 jobs for each; at rest."""
    return _at_rest(WorkerSlice(release, "routine"), 1)


@pytest.fixture
def batch(release: Kubectl, jobs: JobTable) -> WorkerSlice:
    """Workers for backlogs: 0 to 4 pods, 10 jobs for each; at rest."""
    return _at_rest(WorkerSlice(release, "batch"), 0)


def _at_rest(workers: WorkerSlice, fewest: int) -> WorkerSlice:
    workers.wait_for_pods(fewest)
    return workers
