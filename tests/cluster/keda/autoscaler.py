"""KEDA: its operator and its metrics API, as plain processes on the node.

They have the rights that KEDA's own manifests give its ServiceAccount, no more: their certificate
is of that name. The API server finds the metrics API where it finds KEDA's in production, by an
APIService and a Service, which leads to the node's address instead of to a pod's.
"""

from __future__ import annotations

import base64
import shutil
from contextlib import contextmanager
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING

import yaml

from hilum_stack.health import is_healthy
from tests.cluster.addresses import NODE_ADDRESS
from tests.cluster.certificates import Authority, Pair
from tests.cluster.crds import crd_files
from tests.cluster.kubectl import Kubectl, Manifest
from tests.cluster.part import Part, answers_over_tls
from tests.cluster.programs import KEDA, KEDA_MODULE, KEDA_PROGRAMS, module_folder, require

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NAMESPACE = "keda"
_API = "keda-metrics-apiserver"
_API_SERVICE = "v1beta1.external.metrics.k8s.io"
_SUBJECT = (
    f"/O=system:serviceaccounts/O=system:serviceaccounts:{_NAMESPACE}"
    f"/CN=system:serviceaccount:{_NAMESPACE}:keda-operator"
)
_API_PORT = 6444
_API_METRICS_PORT = 8082
_OPERATOR_HEALTH_PORT = 8083
# The operator counts, the metrics API asks it over gRPC, each with a certificate.
_COUNTS = "127.0.0.1:9666"
# The metrics API takes a kubeconfig for each.
_USES_OF_THE_API_SERVER = ("lister", "authentication", "authorization")
_MANIFESTS = (
    "general/namespace.yaml",
    "service_account/service_account.yaml",
    "rbac/role.yaml",
    "rbac/role_binding.yaml",
    "metrics-server/role.yaml",
    "metrics-server/role_binding.yaml",
    "metrics-server/service.yaml",
    "metrics-server/api_service.yaml",
)


@contextmanager
def autoscaler(folder: Path, certificates: Path) -> Iterator[None]:
    """KEDA, while the context lasts; its definitions stay in the cluster.

    Args:
        folder: Receives its logs and keys.
        certificates: Folder of the cluster's own authority.

    Raises:
        ClusterError: It is not built.
        ProcessFailed: It did not start; with the end of its log.
    """
    require(KEDA_PROGRAMS, "cluster-keda")
    authority = Authority(
        certificates, Pair(certificates / "cluster.crt", certificates / "cluster.key")
    )
    client = Kubectl()
    client.apply_files(crd_files("keda"))
    client.run("wait", "--for=condition=Established", "--timeout=120s", "crd", "--all")
    manifests = _manifests(authority.own.certificate.read_bytes())
    for namespace, listed in groupby(manifests, _namespace_of):
        Kubectl(namespace).apply(*listed)
    parts = _parts(folder, authority)
    try:
        for part in parts:
            part.launch()
        client.wait_until("apiservice", _API_SERVICE, "condition=Available")
        yield
    finally:
        # First: an API that does not answer holds up the end of every namespace.
        client.run("delete", "apiservice", _API_SERVICE, "--ignore-not-found")
        for part in parts:
            part.stop()
        client.run("delete", "namespace", _NAMESPACE, "--wait=false")


def _parts(folder: Path, authority: Authority) -> tuple[Part, Part]:
    names = ("IP:127.0.0.1", f"IP:{NODE_ADDRESS}", f"DNS:{_API}.{_NAMESPACE}.svc")
    pair = authority.issue("keda", _SUBJECT, names)
    kubeconfig = authority.kubeconfig(pair, folder / "keda.kubeconfig")
    keys = folder / "certificates"
    keys.mkdir()
    for source, name in (
        (authority.own.certificate, "ca.crt"),
        (pair.certificate, "tls.crt"),
        (pair.key, "tls.key"),
    ):
        shutil.copy(source, keys / name)
    variables = (
        f"KUBECONFIG={kubeconfig}",
        f"POD_NAMESPACE={_NAMESPACE}",
        f"KEDA_CLUSTER_OBJECT_NAMESPACE={_NAMESPACE}",
        "WATCH_NAMESPACE=",  # all of them
    )
    operator = [
        *("env", *variables, "keda-operator", f"--cert-dir={keys}", f"--ca-dir={keys}"),
        *(f"--metrics-service-bind-address={_COUNTS}", "--metrics-bind-address=0"),
        f"--health-probe-bind-address=127.0.0.1:{_OPERATOR_HEALTH_PORT}",
    ]
    adapter = [
        *("env", *variables, "keda-adapter", f"--metrics-service-address={_COUNTS}"),
        *(f"--bind-address={NODE_ADDRESS}", f"--secure-port={_API_PORT}"),
        *(f"--port={_API_METRICS_PORT}", f"--cert-dir={keys}"),
        *(f"--tls-cert-file={keys / 'tls.crt'}", f"--tls-private-key-file={keys / 'tls.key'}"),
        *(f"--{use}-kubeconfig={kubeconfig}" for use in _USES_OF_THE_API_SERVER),
    ]
    return (
        Part(
            "keda-operator",
            folder / "operator",
            operator,
            partial(is_healthy, _OPERATOR_HEALTH_PORT, "/readyz"),
        ),
        Part(
            "keda-adapter",
            folder / "adapter",
            adapter,
            answers_over_tls(NODE_ADDRESS, _API_PORT, "/readyz", authority.own.certificate),
        ),
    )


def _manifests(authority: bytes) -> list[Manifest]:
    """KEDA's own, without its pods."""
    folder = module_folder(KEDA_MODULE, KEDA) / "config"
    found = [
        one
        for file in _MANIFESTS
        for one in yaml.safe_load_all((folder / file).read_text(encoding="utf-8"))
        if one
    ]
    for one in found:
        if one["kind"] == "Service":
            del one["spec"]["selector"]
        if one["kind"] == "APIService":
            one["spec"]["caBundle"] = base64.b64encode(authority).decode()
    endpoints = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": _API,
            "namespace": _NAMESPACE,
            "labels": {"kubernetes.io/service-name": _API},
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": [NODE_ADDRESS], "conditions": {"ready": True}}],
        "ports": [{"name": "https", "port": _API_PORT}],
    }
    return [*found, endpoints]


def _namespace_of(one: Manifest) -> str:
    return str(one["metadata"].get("namespace", "default"))
