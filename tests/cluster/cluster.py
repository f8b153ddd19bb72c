"""The cluster itself, seen from inside its namespaces: what is started, and in which order."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.cluster import cgroups, container_runtime, control_plane, network, node, simulated
from tests.cluster.addresses import NODE
from tests.cluster.commands import output_of
from tests.cluster.credentials import Credentials
from tests.cluster.image_archives import busybox_image, pause_image
from tests.cluster.paths import PROGRAMS
from tests.cluster.volumes import VolumeProvider
from tests.waiting import wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cluster.part import Part

# Where programs insist on fixed paths; in the cluster's own mount namespace these are its own.
_OWN_FOLDERS = ("/run", "/var/log", "/var/lib/cni", "/var/lib/kubelet")


class Cluster:
    """A whole Kubernetes with one real node, in the namespaces that this process is in."""

    def __init__(self, folder: Path, cgroup: str) -> None:
        """Prepares it; nothing is started.

        Args:
            folder: Receives everything: data, logs, certificates.
            cgroup: Name of the control groups that hold its pods.
        """
        self.folder = folder
        self._cgroup = cgroup
        self._parts: list[Part] = []
        self._volumes: VolumeProvider | None = None

    def start(self) -> None:
        """Starts everything and waits until the real node takes pods.

        Raises:
            ClusterError: Something is missing.
            ProcessFailed: A part did not start; with the end of its log.
        """
        self._mount()
        network.set_up()
        certificates = self.folder / "certificates"
        credentials = Credentials.create(certificates)
        runtime = self.folder / "containerd"
        self._begin(control_plane.etcd(self.folder / "etcd"), container_runtime.containerd(runtime))
        self._wait()
        self._begin(control_plane.api_server(self.folder / "kube-apiserver", credentials))
        for archive in (pause_image(self.folder), busybox_image(self.folder)):
            container_runtime.import_images(runtime, archive)
        self._wait()
        parent = cgroups.make(self._cgroup)
        self._begin(
            control_plane.controller_manager(self.folder / "controllers", credentials),
            control_plane.scheduler(self.folder / "scheduler", credentials),
            node.kubelet(self.folder / "kubelet", credentials, runtime, parent),
            node.kube_proxy(self.folder / "kube-proxy", credentials),
            node.coredns(self.folder / "coredns", credentials),
            simulated.kwok(self.folder / "kwok", credentials),
        )
        self._volumes = VolumeProvider(self.folder / "volumes", credentials.admin)
        self._volumes.start()
        self._wait()
        wait_for(lambda: _is_ready(credentials.admin), "the real node to be ready")

    def check(self) -> None:
        """Checks that every part still runs.

        Raises:
            ProcessFailed: One has ended; with the end of its log.
        """
        for part in self._parts:
            if part.process is not None:
                part.process.require_running()

    def stop(self) -> None:
        """Kills the pods and stops every part; safe to call however far the start came."""
        if self._volumes is not None:
            self._volumes.stop()
        # kubelet first: it would start again what is killed below it.
        for part in sorted(self._parts, key=lambda part: part.name != "kubelet"):
            part.kill()
            if part.name == "kubelet":
                cgroups.clear(self._cgroup)
        cgroups.clear(self._cgroup)

    def _mount(self) -> None:
        for path in _OWN_FOLDERS:
            output_of("mkdir", "-p", path)
            output_of("mount", "-t", "tmpfs", "hilum-cluster", path)
        output_of("mkdir", "-p", "/run/netns", "/run/lock")
        memory = self.folder / "etcd" / "memory"
        memory.mkdir(parents=True)
        output_of("mount", "-t", "tmpfs", "hilum-cluster", memory)
        memory.chmod(0o700)

    def _begin(self, *parts: Part) -> None:
        for part in parts:
            part.begin()
            self._parts.append(part)

    def _wait(self) -> None:
        for part in self._parts:
            part.wait_ready()


def _is_ready(kubeconfig: Path) -> bool:
    listed = output_of(
        PROGRAMS / "kubectl", "--kubeconfig", kubeconfig, "get", "nodes", "--output", "json"
    )
    return any(
        condition["type"] == "Ready" and condition["status"] == "True"
        for item in json.loads(listed)["items"]
        if item["metadata"]["name"] == NODE
        for condition in item["status"]["conditions"]
    )
