"""containerd with runc, and the pods' network on a bridge."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

from tests.cluster.addresses import NODE_POD_RANGE
from tests.cluster.commands import output_of
from tests.cluster.errors import CommandFailed, ProgramMissing
from tests.cluster.part import Part, environment
from tests.cluster.paths import PROGRAMS

if TYPE_CHECKING:
    from pathlib import Path

PAUSE_IMAGE = "localhost/hilum-test/pause:1"
# Debian's containernetworking-plugins.
_NETWORK_PLUGINS = "/usr/lib/cni"
_KUBERNETES_IMAGES = ("-n", "k8s.io")

_SETTINGS = """\
version = 3
root = "{folder}/root"
state = "{folder}/state"
disabled_plugins = ["io.containerd.nri.v1.nri"]

[grpc]
  address = "{socket}"

[plugins."io.containerd.cri.v1.runtime"]
  # The machine may lack CAP_SYS_RESOURCE, and has no AppArmor.
  restrict_oom_score_adj = true
  disable_apparmor = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
      BinaryName = "{runc}"
      SystemdCgroup = false
  [plugins."io.containerd.cri.v1.runtime".cni]
    bin_dirs = ["{plugins}"]
    conf_dir = "{folder}/network"

[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "{pause}"
"""


def socket_of(folder: Path) -> Path:
    """Where containerd listens, for kubelet and ``ctr``."""
    return folder / "containerd.sock"


def containerd(folder: Path) -> Part:
    """The container runtime.

    Raises:
        ProgramMissing: runc or the network plugins are not installed.
    """
    runc = shutil.which("runc", path=environment()["PATH"])
    if runc is None or not shutil.which("bridge", path=_NETWORK_PLUGINS):
        raise ProgramMissing("apt-get install runc containernetworking-plugins")
    (folder / "network").mkdir(parents=True, exist_ok=True)
    (folder / "network" / "10-pods.conflist").write_text(json.dumps(_pod_network()))
    settings = folder / "config.toml"
    settings.write_text(
        _SETTINGS.format(
            folder=folder,
            socket=socket_of(folder),
            runc=runc,
            plugins=_NETWORK_PLUGINS,
            pause=PAUSE_IMAGE,
        )
    )
    return Part(
        "containerd",
        folder,
        ["containerd", "--config", settings, "--log-level", "warn"],
        lambda: _answers(folder),
    )


def import_images(folder: Path, archive: Path) -> None:
    """Gives the node the images of an archive (``podman save``, ``docker save`` or OCI).

    Args:
        folder: containerd's.
        archive: A tar file.

    Raises:
        CommandFailed: containerd refuses it.
    """
    output_of(*_ctr(folder), "images", "import", "--local", archive.absolute())


def kill_container(folder: Path, identifier: str) -> None:
    """Kills the first process of a container (SIGKILL); the kubelet finds it dead.

    Args:
        folder: containerd's.
        identifier: Of the container, as its pod's status has it (``containerd://...``).

    Raises:
        CommandFailed: There is no such container.
    """
    name = identifier.removeprefix("containerd://")
    output_of(*_ctr(folder), "tasks", "kill", "--signal", "SIGKILL", name)


def specification_of(folder: Path, identifier: str) -> Path:
    """The file that runc was given for a container; it is there while the container is.

    Args:
        folder: containerd's.
        identifier: Of the container.
    """
    tasks = folder / "state" / "io.containerd.runtime.v2.task" / "k8s.io"
    return tasks / identifier / "config.json"


def _ctr(folder: Path) -> tuple[str | Path, ...]:
    return (PROGRAMS / "ctr", "--address", socket_of(folder).absolute(), *_KUBERNETES_IMAGES)


def _answers(folder: Path) -> bool:
    try:
        output_of(*_ctr(folder), "--connect-timeout", "1s", "images", "list", "--quiet")
    except (CommandFailed, subprocess.SubprocessError):
        return False
    return True


def _pod_network() -> dict[str, object]:
    bridge = {
        "type": "bridge",
        "bridge": "pods0",
        "isGateway": True,
        "ipMasq": True,
        "hairpinMode": True,
        "ipam": {
            "type": "host-local",
            "ranges": [[{"subnet": NODE_POD_RANGE}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    return {"cniVersion": "1.0.0", "name": "pods", "plugins": [bridge, ports]}
