"""Every profile is installed for real, by Helm 3 and by Helm 4, on simulated nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.cluster.helm import PROFILES, Release
from tests.cluster.kubectl import Kubectl, Manifest, restricted_namespace
from tests.cluster.patience import wait_long
from tests.cluster.releases import (
    claims_of_sets,
    devices_of,
    identity,
    kept_by_policy,
    left_of,
    pods_of,
    storage_classes,
)
from tests.cluster.volumes import persistent_claim, storage_class

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CASES = [(helm, profile) for profile in PROFILES for helm in ("helm3", "helm4")]
# What a profile says that the site makes beforehand, as far as the scheduler asks for it.
_CLAIMS_OF_THE_SITE = {"air-gapped": "hilum-backup"}


@dataclass(frozen=True, slots=True)
class Installed:
    """A release that is ready."""

    release: Release
    kubectl: Kubectl
    told: str
    manifests: list[Manifest]


def _name(case: tuple[str, Path]) -> str:
    helm, profile = case
    return f"{profile.name.removesuffix('-values.yaml')}-{helm}"


@pytest.fixture(scope="module", params=_CASES, ids=[*map(_name, _CASES)])
def installed(
    request: pytest.FixtureRequest, simulated_nodes: list[str], custom_resources: None
) -> Iterator[Installed]:
    """A profile in a namespace of its own that enforces Pod Security `restricted`."""
    helm, profile = request.param
    name = _name(request.param)
    with restricted_namespace(name) as kubectl:
        release = Release(helm, name, values=[profile])
        for asked in storage_classes(release.render()):
            kubectl.apply(storage_class(asked))
        if claim := _CLAIMS_OF_THE_SITE.get(profile.name.removesuffix("-values.yaml")):
            kubectl.apply(persistent_claim(claim))
        told = release.install()
        kubectl.wait_for_rollouts()
        yield Installed(release, kubectl, told, release.manifests())
        if release.is_installed():
            release.uninstall()


def test_every_pod_is_admitted_and_ready(installed: Installed):
    """Each Deployment and StatefulSet has all its pods, and each Job is complete."""
    for one in installed.kubectl.items("deployments,statefulsets"):
        wanted = one["spec"].get("replicas", 1)
        assert one["status"].get("readyReplicas", 0) == wanted, identity(one)
    for job in installed.kubectl.items("jobs"):
        installed.kubectl.wait_until("job", job["metadata"]["name"], "condition=Complete")


def test_pods_are_on_nodes_that_have_what_they_ask_for(
    installed: Installed, simulated_nodes: list[str]
):
    """A pod with a GPU is on a node with that GPU; every other pod keeps off those nodes."""
    nodes = {node["metadata"]["name"]: node for node in installed.kubectl.items("nodes")}
    pods = pods_of(installed.kubectl)
    assert pods
    for pod in pods:
        name = pod["spec"]["nodeName"]
        assert name in simulated_nodes
        there = {key for key in nodes[name]["status"]["allocatable"] if "/" in key}
        assert devices_of(pod) == there, f"{identity(pod)} on {name}"


def test_pods_of_a_component_are_spread_over_nodes(installed: Installed):
    """No two pods of a Deployment share a node while another node could take one."""
    for deployment in installed.kubectl.items("deployments"):
        wanted = deployment["spec"].get("replicas", 1)
        labels = deployment["spec"]["selector"]["matchLabels"]
        chosen = ",".join(f"{key}={value}" for key, value in labels.items())
        pods = installed.kubectl.items("pods", chosen)
        nodes = {pod["spec"]["nodeName"] for pod in pods}
        assert wanted < 2 or len(nodes) > 1, identity(deployment)


def test_what_is_told_names_the_next_steps(installed: Installed):
    """A person who installs is told how to make the first key, or who can."""
    assert "hilum" in installed.told
    assert "NOTES:" in installed.told


def test_uninstall_leaves_only_what_it_says(installed: Installed):
    """Claims of the data and the objects that the chart marks to be kept; nothing else."""
    expected = kept_by_policy(installed.manifests) | claims_of_sets(installed.manifests)

    installed.release.uninstall()

    # The garbage collector takes pods after what they belong to, in its own time.
    wait_long(lambda: not pods_of(installed.kubectl), "the pods of the release to be gone")
    left = left_of(installed.kubectl, installed.manifests)
    own = {"ConfigMap/kube-root-ca.crt", "ServiceAccount/default"}  # in every namespace
    site = {f"PersistentVolumeClaim/{claim}" for claim in _CLAIMS_OF_THE_SITE.values()}
    assert left - own - site == expected
