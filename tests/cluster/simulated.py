"""Simulated nodes: the scheduler takes them for real, KWOK plays their kubelets.

Their pods become ready and their Jobs complete, but nothing runs and no image is pulled. What they
prove is admission, scheduling, disruption budgets and the order of Jobs and hooks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from hilum_stack.health import is_healthy
from tests.cluster.addresses import KWOK_HEALTH_PORT, SIMULATED_POD_RANGE
from tests.cluster.part import Part
from tests.cluster.programs import CLUSTER_PROGRAMS, module_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.cluster.credentials import Credentials

_MARK = "kwok.x-k8s.io/node"
# KWOK's own descriptions of what a kubelet does, in its module.
_STAGES = (
    "node/fast/node-initialize.yaml",
    "node/heartbeat-with-lease/node-heartbeat-with-lease.yaml",
    "pod/fast/pod-ready.yaml",
    "pod/fast/pod-complete.yaml",
    "pod/fast/pod-delete.yaml",
)
_LEASE_S = 40  # as kubelets do
GPU_TAINT = {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}


@dataclass(frozen=True, slots=True)
class SimulatedNode:
    """One node.

    Attributes:
        name: Of the node.
        zone: Its failure domain.
        cpu: Cores.
        memory_gib: GiB of memory.
        devices: Extended resource -> how many, e.g. ``nvidia.com/gpu``.
        labels: Beside those of the zone and host name.
    """

    name: str
    zone: str
    cpu: int = 16
    memory_gib: int = 64
    devices: Mapping[str, int] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)

    def manifest(self) -> dict[str, Any]:
        """As the API server takes it. Nodes with devices carry the GPU operator's taint."""
        resources = {
            "cpu": str(self.cpu),
            "memory": f"{self.memory_gib}Gi",
            "ephemeral-storage": "500Gi",
            "pods": "110",
            **{name: str(count) for name, count in self.devices.items()},
        }
        labels = {
            "kubernetes.io/hostname": self.name,
            "kubernetes.io/os": "linux",
            "kubernetes.io/arch": "amd64",
            "topology.kubernetes.io/zone": self.zone,
            **self.labels,
        }
        return {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": self.name, "labels": labels, "annotations": {_MARK: "fake"}},
            "spec": {"taints": [GPU_TAINT] if self.devices else []},
            "status": {"capacity": resources, "allocatable": resources},
        }


def kwok(folder: Path, credentials: Credentials) -> Part:
    """The simulator; it touches only nodes with its mark."""
    (version,) = (program.version for program in CLUSTER_PROGRAMS if program.name == "kwok")
    stages = module_folder("sigs.k8s.io/kwok", version) / "kustomize" / "stage"
    return Part(
        "kwok",
        folder,
        [
            *("kwok", "--kubeconfig", credentials.admin, "--cidr", SIMULATED_POD_RANGE),
            f"--manage-nodes-with-annotation-selector={_MARK}=fake",
            # Without leases nodes count as lost after a while, and their pods as unready for ever.
            f"--node-lease-duration-seconds={_LEASE_S}",
            *("--server-address", f"127.0.0.1:{KWOK_HEALTH_PORT}"),
            *(f"--config={stages / stage}" for stage in _STAGES),
        ],
        partial(is_healthy, KWOK_HEALTH_PORT, "/healthz"),
    )


def _gpu(name: str, zone: str, product: str, devices: Mapping[str, int]) -> SimulatedNode:
    labels = {"nvidia.com/gpu.present": "true", "nvidia.com/gpu.product": product}
    return SimulatedNode(name, zone, cpu=32, memory_gib=256, devices=devices, labels=labels)


def data_centre() -> list[SimulatedNode]:
    """Three zones with ordinary nodes, GPU nodes of two products, and nodes cut into MIG slices."""
    zones = ("zone-a", "zone-b", "zone-c")
    ordinary = [
        SimulatedNode(f"cpu-{zone[-1]}-{number}", zone) for zone in zones for number in (1, 2)
    ]
    l40s = [_gpu(f"l40s-{zone[-1]}", zone, "NVIDIA-L40S", {"nvidia.com/gpu": 4}) for zone in zones]
    a10 = [_gpu(f"a10-{zone[-1]}", zone, "NVIDIA-A10", {"nvidia.com/gpu": 2}) for zone in zones]
    sliced = [
        _gpu(f"mig-{zone[-1]}", zone, "NVIDIA-H100-80GB-HBM3", {"nvidia.com/mig-1g.10gb": 7})
        for zone in zones
    ]
    return [*ordinary, *l40s, *a10, *sliced]
