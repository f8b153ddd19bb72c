"""Pods for the tests of the cluster itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.cluster.image_archives import BUSYBOX_IMAGE

if TYPE_CHECKING:
    from collections.abc import Mapping

_POD_SECURITY = {
    "runAsNonRoot": True,
    "runAsUser": 10001,
    "runAsGroup": 10001,
    "fsGroup": 10001,
    "seccompProfile": {"type": "RuntimeDefault"},
}
_CONTAINER_SECURITY = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


def restricted_pod(
    name: str,
    script: str,
    *,
    labels: Mapping[str, str] | None = None,
    claim: str = "",
    node: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """A pod that keeps Pod Security `restricted` and runs a shell script once.

    Args:
        name: Of the pod.
        script: For busybox's shell.
        labels: Of the pod.
        claim: PersistentVolumeClaim to mount at ``/claim``.
        node: Node selector.
    """
    mounts = [{"name": "claim", "mountPath": "/claim"}] if claim else []
    volumes = [{"name": "claim", "persistentVolumeClaim": {"claimName": claim}}] if claim else []
    container = {
        "name": "shell",
        "image": BUSYBOX_IMAGE,
        "command": ["/bin/sh", "-c", script],
        "securityContext": _CONTAINER_SECURITY,
        "volumeMounts": mounts,
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": dict(labels or {})},
        "spec": {
            "restartPolicy": "Never",
            "securityContext": _POD_SECURITY,
            "containers": [container],
            "volumes": volumes,
            "nodeSelector": dict(node or {}),
        },
    }
