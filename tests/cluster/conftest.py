"""The cluster, as its tests see it: they run inside its network, started for them by make."""

from __future__ import annotations

import os
import re
import secrets
from typing import TYPE_CHECKING

import pytest

from tests.cluster.addresses import NODE
from tests.cluster.crds import files_of_the_chart
from tests.cluster.kubectl import Kubectl, restricted_namespace
from tests.cluster.running import Run
from tests.cluster.simulated import data_centre

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def cluster() -> Run:
    """The running cluster. A failure, not a skip: nobody calls these tests without it."""
    name = os.environ.get("HILUM_CLUSTER")
    if not name:
        pytest.fail("these tests run in a cluster: make cluster-test or make cluster-e2e")
    return Run(name)


@pytest.fixture
def kubectl(cluster: Run, request: pytest.FixtureRequest) -> Iterator[Kubectl]:
    """A client for a fresh namespace that enforces Pod Security `restricted`."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[:40].strip("-")
    # The one before may be on its way out still.
    with restricted_namespace(f"{name}-{secrets.token_hex(3)}") as client:
        yield client


@pytest.fixture(scope="session")
def simulated_nodes(cluster: Run) -> Iterator[list[str]]:
    """Names of the nodes of a simulated data centre, while the real node takes no new pods."""
    client = Kubectl()
    nodes = data_centre()
    runtime_class = {
        "apiVersion": "node.k8s.io/v1",
        "kind": "RuntimeClass",
        "metadata": {"name": "nvidia"},  # the GPU operator makes it
        "handler": "nvidia",
    }
    client.apply(runtime_class, *(node.manifest() for node in nodes))
    names = [node.name for node in nodes]
    client.run("wait", "--for=condition=Ready", "--timeout=120s", "node", *names)
    client.run("cordon", NODE)
    yield names
    client.run("uncordon", NODE)
    client.run("delete", "node", *names)


@pytest.fixture(scope="session")
def custom_resources(cluster: Run) -> None:
    """The definitions of KEDA, cert-manager, the Prometheus operator and the others, for real."""
    client = Kubectl()
    client.apply_files(files_of_the_chart())
    client.run("wait", "--for=condition=Established", "--timeout=120s", "crd", "--all")
