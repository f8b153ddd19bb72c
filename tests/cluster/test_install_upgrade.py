"""From the version before to this one, back again, and through a drain of nodes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.cluster.errors import CommandFailed
from tests.cluster.helm import CHART, Release, package
from tests.cluster.kubectl import Kubectl, restricted_namespace
from tests.cluster.patience import wait_long
from tests.cluster.releases import pods_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BEFORE = "0.1.99"


@pytest.fixture(scope="module")
def namespace(simulated_nodes: list[str]) -> Iterator[Kubectl]:
    """A namespace for the releases of this file, one after the other."""
    with restricted_namespace("upgrades") as kubectl:
        yield kubectl


@pytest.mark.parametrize("helm", ["helm3", "helm4"])
def test_an_upgrade_and_a_rollback_exchange_pods_and_keep_passwords(
    helm: str, namespace: Kubectl, tmp_path: Path
):
    """Every image is the new version's after the upgrade and the old one's after the rollback.

    There is no older chart yet: this one, packaged under a lower version (so with other images and
    another migration Job), stands in for it.
    """
    release = Release(helm, namespace.namespace)
    before = package(CHART, tmp_path, _BEFORE)
    release.install(before)
    passwords = namespace.get("secret", "hilum-credentials")["data"]
    assert _versions(namespace) == {_BEFORE}
    volumes = _volumes(namespace)

    release.upgrade()

    assert _BEFORE not in _versions(namespace)
    assert namespace.get("secret", "hilum-credentials")["data"] == passwords
    assert _volumes(namespace) == volumes

    release.rollback(1)

    assert _versions(namespace) == {_BEFORE}
    assert namespace.get("secret", "hilum-credentials")["data"] == passwords
    assert [one["status"] for one in release.revisions()][-1] == "deployed"
    for job in namespace.items("jobs"):
        namespace.wait_until("job", job["metadata"]["name"], "condition=Complete")
    release.uninstall()
    wait_long(lambda: not pods_of(namespace), "the pods of the release to be gone")


@pytest.fixture
def three_gateways(namespace: Kubectl) -> Iterator[None]:
    """A release with three gateways, all ready."""
    release = Release("helm3", namespace.namespace, sets={"gateway.replicas": "3"})
    release.install()
    namespace.wait_for_rollouts()
    yield
    release.uninstall()
    wait_long(lambda: not pods_of(namespace), "the pods of the release to be gone")


def test_a_disruption_budget_lets_one_gateway_go_at_a_time(
    namespace: Kubectl, simulated_nodes: list[str], three_gateways: None
):
    """While one pod's successor finds no node, the next one may not be evicted."""
    first, second, _ = (pod["metadata"]["name"] for pod in pods_of(namespace, "gateway"))
    namespace.run("cordon", *simulated_nodes)
    try:
        _evict(namespace, first)

        with pytest.raises(CommandFailed) as refused:
            _evict(namespace, second)

        assert "disruption budget" in str(refused.value)
    finally:
        namespace.run("uncordon", *simulated_nodes)
    namespace.wait_for_rollouts()
    _evict(namespace, second)


def test_a_drained_node_empties_and_everything_is_ready_elsewhere(
    namespace: Kubectl, three_gateways: None
):
    """`kubectl drain`, as the hospital's IT runs it before it mends a machine."""
    (pod, *_) = pods_of(namespace, "gateway")
    node = pod["spec"]["nodeName"]

    namespace.run("drain", node, "--delete-emptydir-data", "--timeout=300s")

    assert all(pod["spec"].get("nodeName") != node for pod in pods_of(namespace))
    namespace.wait_for_rollouts()
    namespace.run("uncordon", node)


def _versions(kubectl: Kubectl) -> set[str]:
    """Tags of the images that Hilum itself ships, in every Deployment."""
    return {
        container["image"].rpartition(":")[2]
        for deployment in kubectl.items("deployments")
        for container in deployment["spec"]["template"]["spec"]["containers"]
        if "/hilum/" in container["image"]
    }


def _volumes(kubectl: Kubectl) -> dict[str, str]:
    return {
        claim["metadata"]["name"]: claim["spec"]["volumeName"]
        for claim in kubectl.items("persistentvolumeclaims")
    }


def _evict(kubectl: Kubectl, pod: str) -> None:
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": pod, "namespace": kubectl.namespace},
    }
    path = f"/api/v1/namespaces/{kubectl.namespace}/pods/{pod}/eviction"
    kubectl.run("create", "--raw", path, "-f", "-", given=json.dumps(eviction))
