"""etcd, the API server, the controllers and the scheduler."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from hilum_stack.health import is_healthy
from tests.cluster.addresses import (
    API_SERVER_PORT,
    CONTROLLER_MANAGER_PORT,
    ETCD_PORT,
    NODE_ADDRESS,
    POD_RANGE,
    SCHEDULER_PORT,
    SERVICE_RANGE,
)
from tests.cluster.part import Part, answers_over_tls

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.cluster.credentials import Credentials

_LOOPBACK = "127.0.0.1"


def etcd(folder: Path) -> Part:
    """The store of the API server, in memory: a test cluster is never brought back."""
    return Part(
        "etcd",
        folder,
        [
            *("etcd", "--data-dir", folder / "memory" / "etcd", "--log-level", "warn"),
            *("--listen-client-urls", f"http://{_LOOPBACK}:{ETCD_PORT}"),
            *("--advertise-client-urls", f"http://{_LOOPBACK}:{ETCD_PORT}"),
            *("--listen-peer-urls", f"http://{_LOOPBACK}:{ETCD_PORT + 1}"),
        ],
        partial(is_healthy, ETCD_PORT, "/health"),
    )


def api_server(folder: Path, credentials: Credentials) -> Part:
    """The API server, with Pod Security admission as it ships and the aggregation layer on."""
    given = credentials
    flags = {
        "bind-address": NODE_ADDRESS,
        "advertise-address": NODE_ADDRESS,
        "secure-port": API_SERVER_PORT,
        "etcd-servers": f"http://{_LOOPBACK}:{ETCD_PORT}",
        "service-cluster-ip-range": SERVICE_RANGE,
        "authorization-mode": "Node,RBAC",
        "enable-admission-plugins": "NodeRestriction",
        "allow-privileged": "true",
        # Streamed lists need a later etcd than Debian's: KWOK would try in vain for half a minute.
        "feature-gates": "WatchList=false",
        "tls-cert-file": given.server.certificate,
        "tls-private-key-file": given.server.key,
        "client-ca-file": given.authority.own.certificate,
        "kubelet-client-certificate": given.api_to_kubelet.certificate,
        "kubelet-client-key": given.api_to_kubelet.key,
        "kubelet-certificate-authority": given.authority.own.certificate,
        "kubelet-preferred-address-types": "InternalIP",
        "service-account-key-file": given.service_accounts.certificate,
        "service-account-signing-key-file": given.service_accounts.key,
        "service-account-issuer": "https://kubernetes.default.svc",
        # Aggregated APIs (KEDA's metrics) trust this authority for who is asking.
        "requestheader-client-ca-file": given.front_authority.own.certificate,
        "requestheader-allowed-names": "front-proxy",
        "requestheader-extra-headers-prefix": "X-Remote-Extra-",
        "requestheader-group-headers": "X-Remote-Group",
        "requestheader-username-headers": "X-Remote-User",
        "proxy-client-cert-file": given.front_proxy.certificate,
        "proxy-client-key-file": given.front_proxy.key,
    }
    return Part(
        "kube-apiserver",
        folder,
        ["kube-apiserver", *_written(flags)],
        answers_over_tls(NODE_ADDRESS, API_SERVER_PORT, "/readyz", given.authority.own.certificate),
    )


def controller_manager(folder: Path, credentials: Credentials) -> Part:
    """Deployments, Jobs, volumes, ServiceAccounts, garbage collection and the like."""
    flags = {
        "kubeconfig": credentials.controller_manager,
        "authentication-kubeconfig": credentials.controller_manager,
        "authorization-kubeconfig": credentials.controller_manager,
        "bind-address": _LOOPBACK,
        "tls-cert-file": credentials.server.certificate,
        "tls-private-key-file": credentials.server.key,
        "root-ca-file": credentials.authority.own.certificate,
        "service-account-private-key-file": credentials.service_accounts.key,
        "use-service-account-credentials": "true",
        "cluster-cidr": POD_RANGE,
        "leader-elect": "false",
        # A node that is not heard of keeps its pods: the machine may be busy, the node is not gone.
        "node-monitor-grace-period": "120s",
    }
    return Part(
        "kube-controller-manager",
        folder,
        ["kube-controller-manager", *_written(flags)],
        answers_over_tls(
            _LOOPBACK, CONTROLLER_MANAGER_PORT, "/healthz", credentials.authority.own.certificate
        ),
    )


def scheduler(folder: Path, credentials: Credentials) -> Part:
    """The scheduler with its shipped plugins."""
    flags = {
        "kubeconfig": credentials.scheduler,
        "authentication-kubeconfig": credentials.scheduler,
        "authorization-kubeconfig": credentials.scheduler,
        "bind-address": _LOOPBACK,
        "tls-cert-file": credentials.server.certificate,
        "tls-private-key-file": credentials.server.key,
        "leader-elect": "false",
    }
    return Part(
        "kube-scheduler",
        folder,
        ["kube-scheduler", *_written(flags)],
        answers_over_tls(
            _LOOPBACK, SCHEDULER_PORT, "/healthz", credentials.authority.own.certificate
        ),
    )


def _written(flags: Mapping[str, object]) -> list[str]:
    return [f"--{name}={value}" for name, value in flags.items()]
