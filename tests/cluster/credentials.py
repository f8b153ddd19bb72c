"""Who is who in a cluster: every program has a certificate of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from tests.cluster.addresses import DOMAIN, FIRST_SERVICE_ADDRESS, NODE, NODE_ADDRESS
from tests.cluster.certificates import Authority, Pair

if TYPE_CHECKING:
    from pathlib import Path

_SERVER_NAMES = (
    f"IP:{NODE_ADDRESS}",
    "IP:127.0.0.1",
    f"IP:{FIRST_SERVICE_ADDRESS}",
    "DNS:localhost",
    "DNS:kubernetes",
    "DNS:kubernetes.default",
    "DNS:kubernetes.default.svc",
    f"DNS:kubernetes.default.svc.{DOMAIN}",
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """Certificates as pairs, clients of the API server as kubeconfig files.

    Attributes:
        authority: Signs all of them but ``front_proxy``.
        front_authority: Signs what the API server shows to the APIs that it aggregates.
        front_proxy: What it shows.
        service_accounts: Signs the tokens of ServiceAccounts.
        server: Of the API server, the controller manager and the scheduler.
        kubelet_server: Of the kubelet, for logs and exec.
        api_to_kubelet: What the API server shows to the kubelet.
        admin: For people and tests: may do everything.
        controller_manager: For the controller manager.
        scheduler: For the scheduler.
        kubelet: For the kubelet of the real node.
        kube_proxy: For kube-proxy.
    """

    authority: Authority
    front_authority: Authority
    front_proxy: Pair
    service_accounts: Pair
    server: Pair
    kubelet_server: Pair
    api_to_kubelet: Pair
    admin: Path
    controller_manager: Path
    scheduler: Path
    kubelet: Path
    kube_proxy: Path

    @classmethod
    def create(cls, folder: Path) -> Self:
        """Makes all of them anew."""
        authority = Authority.create(folder, "cluster")
        front_authority = Authority.create(folder, "front")

        def client(name: str, subject: str) -> Path:
            pair = authority.issue(name, subject)
            return authority.kubeconfig(pair, folder / f"{name}.kubeconfig")

        return cls(
            authority=authority,
            front_authority=front_authority,
            front_proxy=front_authority.issue("front-proxy", "/CN=front-proxy"),
            service_accounts=authority.issue("service-accounts", "/CN=service-accounts"),
            server=authority.issue("server", "/CN=kubernetes", _SERVER_NAMES),
            kubelet_server=authority.issue(
                "kubelet-server", f"/CN={NODE}", (f"IP:{NODE_ADDRESS}", f"DNS:{NODE}")
            ),
            api_to_kubelet=authority.issue("api-to-kubelet", "/O=system:masters/CN=kube-apiserver"),
            admin=client("admin", "/O=system:masters/CN=admin"),
            controller_manager=client("controller-manager", "/CN=system:kube-controller-manager"),
            scheduler=client("scheduler", "/CN=system:kube-scheduler"),
            kubelet=client("kubelet", f"/O=system:nodes/CN=system:node:{NODE}"),
            kube_proxy=client("kube-proxy", "/CN=system:kube-proxy"),
        )
