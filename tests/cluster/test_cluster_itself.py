"""What the tests of the chart rely on: this is a real Kubernetes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cluster.addresses import NODE
from tests.cluster.counters import ContainerCounters
from tests.cluster.errors import CommandFailed
from tests.cluster.patience import wait_long
from tests.cluster.pods import restricted_pod
from tests.cluster.volumes import persistent_claim

if TYPE_CHECKING:
    from tests.cluster.kubectl import Kubectl
    from tests.cluster.running import Run

_REAL = {"kubernetes.io/hostname": NODE}


def test_a_restricted_pod_runs_on_the_real_node(kubectl: Kubectl):
    """It runs as the user it asked for, and its root folder is read-only."""
    kubectl.apply(
        restricted_pod("one", "id -u; touch /a 2>/dev/null || echo read-only", node=_REAL)
    )

    kubectl.wait_for_phase("one", "Succeeded")

    assert kubectl.run("logs", "one").splitlines() == ["10001", "read-only"]


def test_a_pod_that_is_not_restricted_is_refused_with_the_reasons(kubectl: Kubectl):
    """Admission enforces Pod Security, so a chart that passes here passes at a hospital."""
    pod = restricted_pod("bad", "true")
    pod["spec"]["securityContext"] = {}

    with pytest.raises(CommandFailed) as refused:
        kubectl.apply(pod)

    assert "violates PodSecurity" in str(refused.value)
    assert "runAsNonRoot != true" in str(refused.value)


def test_a_pod_reaches_another_by_the_name_of_a_service(kubectl: Kubectl):
    """DNS gives the Service's address, and kube-proxy leads it to the pod."""
    serve = "echo hello > /www/index.html; httpd -f -p 8080 -h /www"
    server = restricted_pod("server", serve, labels={"app": "server"}, node=_REAL)
    server["spec"]["volumes"].append({"name": "www", "emptyDir": {}})
    server["spec"]["containers"][0]["volumeMounts"].append({"name": "www", "mountPath": "/www"})
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"selector": {"app": "server"}, "ports": [{"port": 80, "targetPort": 8080}]},
    }
    kubectl.apply(service, server)
    kubectl.wait_until("pod", "server", "condition=Ready")

    ask = "until wget -q -O - http://web; do sleep 1; done"
    kubectl.apply(restricted_pod("client", ask, node=_REAL))

    kubectl.wait_for_phase("client", "Succeeded")
    assert kubectl.run("logs", "client").splitlines()[-1] == "hello"


def test_a_claim_gets_a_volume_that_a_pod_may_write_to(kubectl: Kubectl):
    """The volume belongs to the pod's group, and outlives the pod."""
    write = restricted_pod("writer", "echo film > /claim/file", claim="kept", node=_REAL)
    kubectl.apply(persistent_claim("kept"), write)
    kubectl.wait_for_phase("writer", "Succeeded")

    kubectl.apply(restricted_pod("reader", "cat /claim/file", claim="kept", node=_REAL))

    kubectl.wait_for_phase("reader", "Succeeded")
    assert kubectl.run("logs", "reader").strip() == "film"


def test_what_a_container_spends_is_counted_until_its_limit_holds_it_back(
    cluster: Run, kubectl: Kubectl
):
    """The kernel's counters are found under the container's name: CPU, throttling, memory."""
    busy = restricted_pod("busy", "while :; do :; done", node=_REAL)
    busy["spec"]["containers"][0]["resources"] = {"limits": {"cpu": "100m", "memory": "64Mi"}}
    kubectl.apply(busy)
    kubectl.wait_until("pod", "busy", "condition=Ready")
    counters = ContainerCounters(cluster, kubectl.namespace)

    wait_long(lambda: spent(counters) > 1.0, "a second of CPU to be spent")

    (one,) = counters.read().values()
    assert one.container == "shell"
    assert 0 < one.throttled <= one.periods
    # A tenth of a core, and what a period may run over.
    assert one.cpu_seconds < 0.1 * 0.2 * one.periods
    assert 0 < one.working_set < 64 * 2**20


def spent(counters: ContainerCounters) -> float:
    """CPU seconds of all."""
    return sum(one.cpu_seconds for one in counters.read().values())


def test_only_a_pod_that_asks_for_a_gpu_lands_on_a_simulated_gpu_node(
    kubectl: Kubectl, simulated_nodes: list[str]
):
    """The scheduler counts devices and keeps the taint, as it would on real hardware."""
    asking = restricted_pod("asking", "true")
    asking["spec"]["containers"][0]["resources"] = {"limits": {"nvidia.com/gpu": 1}}
    asking["spec"]["tolerations"] = [{"key": "nvidia.com/gpu", "operator": "Exists"}]
    intruder = restricted_pod("intruder", "true", node={"nvidia.com/gpu.present": "true"})
    kubectl.apply(asking, intruder)

    kubectl.wait_until("pod", "asking", "condition=Ready")

    node = kubectl.get("node", kubectl.get("pod", "asking")["spec"]["nodeName"])
    assert node["metadata"]["name"] in simulated_nodes
    assert int(node["status"]["allocatable"]["nvidia.com/gpu"]) > 0
    kubectl.wait_until("pod", "intruder", "jsonpath={.status.conditions[0].reason}=Unschedulable")
