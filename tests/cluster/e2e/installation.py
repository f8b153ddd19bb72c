"""A Hilum that runs as real pods, and who talks to it from beside the cluster."""

from __future__ import annotations

import base64
import ssl
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from tests.cluster.helm import CHART, Release

if TYPE_CHECKING:
    from tests.cluster.kubectl import Kubectl

VALUES = (CHART / "ci" / "single-node-cpu-values.yaml", Path(__file__).parent / "values.yaml")
BACKUPS = "backups"
"""The claim that the values name for backups; it is the site's own, and no part of a release."""
# What `make images` writes; the chart's containers and the servers that stand in for official ones.
IMAGES = ("gateway", "worker", "cli", "engine", "triton", "redis", "postgresql", "minio")


@dataclass(frozen=True)
class Installation:
    """One release on the real node.

    Attributes:
        kubectl: A client for its namespace.
        release: The release.
    """

    kubectl: Kubectl
    release: Release

    @cached_property
    def authority(self) -> bytes:
        """The certificate that the release's own certificates are signed by, PEM."""
        return base64.b64decode(self.kubectl.get("secret", "hilum-ca")["data"]["ca.crt"])

    @cached_property
    def api_key(self) -> str:
        """An administrator's key, made as the notes of the chart say."""
        command = ("hilum", "keys", "create", "--role", "admin", "--name", "e2e")
        return self.hilum(*command).split()[-1]

    def hilum(self, *command: str) -> str:
        """Runs a command in the toolbox; returns what it printed."""
        return self.kubectl.run("exec", "deploy/hilum-toolbox", "--", *command)

    def with_sets(self, sets: dict[str, str]) -> Release:
        """The same release with single values changed."""
        return replace(self.release, sets={**self.release.sets, **sets})

    def credential(self, key: str) -> str:
        """A password out of the release's Secret."""
        data = self.kubectl.get("secret", "hilum-credentials")["data"]
        return base64.b64decode(data[key]).decode()

    def address(self, service: str) -> str:
        """Cluster address of a Service; the node reaches it as pods do."""
        return str(self.kubectl.get("service", service)["spec"]["clusterIP"])

    def api(self, folder: Path, api_key: str = "") -> httpx.Client:
        """A client of the gateway's HTTP API, through its Service, over TLS.

        Args:
            folder: Receives the authority's certificate.
            api_key: Whose it is; empty: an administrator's new one.
        """
        authority = folder / "ca.crt"
        authority.write_bytes(self.authority)
        name = f"hilum-gateway.{self.kubectl.namespace}.svc"
        return httpx.Client(
            base_url=f"https://{self.address('hilum-gateway')}:8080",
            headers={"Authorization": f"Bearer {api_key or self.api_key}"},
            timeout=60.0,
            transport=_Named(name, str(authority)),
            trust_env=False,
        )

    def pods(self, component: str) -> list[dict[str, Any]]:
        """Pods of a component that are not on their way out."""
        listed = self.kubectl.items("pods", f"app.kubernetes.io/component={component}")
        return [pod for pod in listed if not pod["metadata"].get("deletionTimestamp")]


class _Named(httpx.HTTPTransport):
    """Asks a Service's address for the certificate of its name: no DNS outside the pods."""

    def __init__(self, name: str, authority: str) -> None:
        super().__init__(verify=ssl.create_default_context(cafile=authority))
        self._name = name

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions["sni_hostname"] = self._name
        return super().handle_request(request)
