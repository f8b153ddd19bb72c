"""What a release made of the cluster: its pods, where they are, and what it left."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.cluster.kubectl import Kubectl, Manifest

OF_HILUM = "app.kubernetes.io/name=hilum"
# What others make for a release: Helm does not list it.
_MADE_BY_CONTROLLERS = {"pods", "replicasets.apps", "persistentvolumeclaims"}


def identity(one: Manifest) -> str:
    """``Kind/name``."""
    return f"{one['kind']}/{one['metadata']['name']}"


def qualified_kind(one: Manifest) -> str:
    """``kind.version.group``: `Cluster` alone may be anybody's."""
    group, _, version = one["apiVersion"].rpartition("/")
    return f"{one['kind']}.{version}.{group}" if group else str(one["kind"])


def pods_of(kubectl: Kubectl, component: str = "") -> list[Manifest]:
    """The pods of a release, or of one of its components; those that are going left out."""
    chosen = f"app.kubernetes.io/component={component}" if component else OF_HILUM
    return [
        pod for pod in kubectl.items("pods", chosen) if not pod["metadata"].get("deletionTimestamp")
    ]


def devices_of(pod: Manifest) -> set[str]:
    """Names of the extended resources that a pod asks for."""
    asked: set[str] = set()
    for container in [*pod["spec"]["containers"], *pod["spec"].get("initContainers", [])]:
        asked |= container.get("resources", {}).get("limits", {}).keys()
    return {name for name in asked if "/" in name}


def storage_classes(manifests: Iterable[Manifest]) -> set[str]:
    """Storage classes that claims of a release name."""
    classes = set()
    for one in manifests:
        claims = one["spec"].get("volumeClaimTemplates", []) if one["kind"] == "StatefulSet" else []
        claims += [one] if one["kind"] == "PersistentVolumeClaim" else []
        classes |= {claim["spec"].get("storageClassName") for claim in claims}
    return {name for name in classes if name}


def left_of(kubectl: Kubectl, manifests: Iterable[Manifest]) -> set[str]:
    """What is there after an uninstall, of any kind that the release had: ``Kind/name``."""
    had = {identity(one): qualified_kind(one) for one in manifests}
    kinds = ",".join(sorted(_MADE_BY_CONTROLLERS | set(had.values())))
    return {
        identity(one)
        for one in kubectl.items(kinds)
        # Kinds of the whole cluster hold others' objects too.
        if ("namespace" in one["metadata"] or identity(one) in had)
        and not one["metadata"].get("deletionTimestamp")
    }


def kept_by_policy(manifests: Iterable[Manifest]) -> set[str]:
    """What an uninstall leaves because the chart says so: ``Kind/name``."""
    return {
        identity(one)
        for one in manifests
        if one["metadata"].get("annotations", {}).get("helm.sh/resource-policy") == "keep"
    }


def claims_of_sets(manifests: Iterable[Manifest]) -> set[str]:
    """Claims that StatefulSets make, which Kubernetes leaves: ``Kind/name``."""
    return {
        f"PersistentVolumeClaim/{claim['metadata']['name']}-{one['metadata']['name']}-{number}"
        for one in manifests
        if one["kind"] == "StatefulSet"
        for claim in one["spec"].get("volumeClaimTemplates", [])
        for number in range(one["spec"].get("replicas", 1))
    }
