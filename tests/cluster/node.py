"""The real node's kubelet, the cluster's Service addresses and its names."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

from hilum_stack.health import is_healthy
from tests.cluster.addresses import (
    DNS_HEALTH_PORT,
    DOMAIN,
    KUBE_PROXY_HEALTH_PORT,
    KUBELET_HEALTH_PORT,
    NODE,
    NODE_ADDRESS,
    POD_RANGE,
)
from tests.cluster.container_runtime import socket_of
from tests.cluster.part import Part

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cluster.credentials import Credentials

_NAMES = """\
{domain}:53 in-addr.arpa:53 {{
    bind {address}
    errors
    health 127.0.0.1:{health}
    kubernetes {domain} in-addr.arpa {{
        kubeconfig {kubeconfig} hilum
    }}
}}
"""


def kubelet(folder: Path, credentials: Credentials, runtime: Path, cgroup: str) -> Part:
    """The kubelet.

    Args:
        folder: Its own.
        credentials: Of the cluster.
        runtime: containerd's folder.
        cgroup: Every pod runs below it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    settings = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": NODE_ADDRESS,
        "healthzBindAddress": "127.0.0.1",
        "healthzPort": KUBELET_HEALTH_PORT,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(credentials.authority.own.certificate)},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(credentials.kubelet_server.certificate),
        "tlsPrivateKeyFile": str(credentials.kubelet_server.key),
        "clusterDNS": [NODE_ADDRESS],
        "clusterDomain": DOMAIN,
        "resolvConf": "",
        "containerRuntimeEndpoint": f"unix://{socket_of(runtime)}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": cgroup,
        "enforceNodeAllocatable": [],
        "failCgroupV1": False,
        "failSwapOn": False,
        "localStorageCapacityIsolation": False,
        # The machine may lack CAP_SYS_RESOURCE.
        "featureGates": {"KubeletInUserNamespace": True},
        # A nearly full disk of a developer is no reason to evict what is under test.
        "evictionHard": {"memory.available": "100Mi"},
        "imageGCHighThresholdPercent": 100,
        "podLogsDir": str(folder / "pod-logs"),
        "volumePluginDir": str(folder / "volume-plugins"),
    }
    file = folder / "config.json"
    file.write_text(json.dumps(settings, indent=1))
    return Part(
        "kubelet",
        folder,
        [
            *("kubelet", "--config", file, "--root-dir", folder / "root"),
            *("--cert-dir", folder / "certificates", "--kubeconfig", credentials.kubelet),
            *("--hostname-override", NODE, "--node-ip", NODE_ADDRESS),
        ],
        partial(is_healthy, KUBELET_HEALTH_PORT, "/healthz"),
    )


def kube_proxy(folder: Path, credentials: Credentials) -> Part:
    """Services, by nftables in the cluster's own network namespace."""
    return Part(
        "kube-proxy",
        folder,
        [
            *("kube-proxy", "--kubeconfig", credentials.kube_proxy, "--proxy-mode", "nftables"),
            *("--hostname-override", NODE, "--cluster-cidr", POD_RANGE),
            *("--conntrack-max-per-core", "0", "--conntrack-min", "0"),
            *("--nodeport-addresses", "primary"),
            *("--healthz-bind-address", f"127.0.0.1:{KUBE_PROXY_HEALTH_PORT}"),
        ],
        partial(is_healthy, KUBE_PROXY_HEALTH_PORT, "/healthz"),
    )


def coredns(folder: Path, credentials: Credentials) -> Part:
    """The cluster's names; it forwards nothing, for there is nowhere to."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = folder / "Corefile"
    settings.write_text(
        _NAMES.format(
            domain=DOMAIN,
            address=NODE_ADDRESS,
            health=DNS_HEALTH_PORT,
            kubeconfig=credentials.admin,
        )
    )
    return Part(
        "coredns",
        folder,
        ["coredns", "-conf", settings],
        partial(is_healthy, DNS_HEALTH_PORT, "/health"),
    )
