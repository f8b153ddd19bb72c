"""What the chart tells processes and autoscalers, where a wrong word would go unnoticed."""

from __future__ import annotations

import re

import pytest

from tests.chart.rendering import render

PROXIED = {
    "an Ingress": {"gateway.ingress.enabled": "true", "gateway.ingress.host": "hilum.example"},
    "an HTTPRoute": {
        "gateway.httpRoute.enabled": "true",
        "gateway.httpRoute.parentRefs[0].name": "public",
    },
}


def environment(rendered, component: str) -> dict[str, str]:
    """Plain variables of the container that bears the component's name."""
    (container,) = (
        one
        for pod in rendered.pods()
        if pod.component == component
        for one in pod.spec["containers"]
        if one["name"] == component
    )
    return {one["name"]: one["value"] for one in container["env"] if "value" in one}


@pytest.mark.parametrize("proxy", PROXIED)
def test_cookies_are_for_https_alone_where_a_proxy_speaks_it(proxy):
    """Also where nothing inside the release is encrypted."""
    plain = {"tls.mode": "off"}
    direct, proxied = render(sets=plain), render(sets={**plain, **PROXIED[proxy]})
    assert environment(direct, "gateway")["HILUM_SESSION_SECURE_COOKIES"] == "false"
    assert environment(proxied, "gateway")["HILUM_SESSION_SECURE_COOKIES"] == "true"


def test_prometheus_reads_the_gateway_where_no_proxy_looks():
    """At a port of the pods which the Service, and so every Ingress and load balancer, lacks."""
    rendered = render(sets={"monitoring.serviceMonitors.enabled": "true"})
    port = int(environment(rendered, "gateway")["HILUM_METRICS_PORT"])
    assert environment(rendered, "gateway")["HILUM_METRICS_HOST"] == "0.0.0.0"  # noqa: S104 - in a pod
    (monitor,) = rendered.of_kind("ServiceMonitor")
    (endpoint,) = monitor["spec"]["endpoints"]
    assert endpoint["targetPort"] == port
    assert "scheme" not in endpoint
    service = rendered.named("Service", "hilum-gateway")
    assert port not in {one["targetPort"] for one in service["spec"]["ports"]}


@pytest.mark.parametrize("release", ["hilum", "a-name-of-thirty-two-characters0"])
def test_a_pool_is_scaled_by_the_requests_of_its_own_pods(release):
    """The pool `l4` is not asked for the pods of `l4-mig`, however long the release's name is."""
    names = ("l4", "l4-mig", "l4-mig-shard")
    sets = {f"triton.pools.{name}.autoscaling.kind": "keda" for name in names}
    objects = render(sets={**sets, "fullnameOverride": release}).of_kind("ScaledObject")
    asked = {
        one["metadata"]["name"]: re.search(
            r'pod=~"([^"]+)"', one["spec"]["triggers"][0]["metadata"]["query"]
        )[1]
        for one in objects
    }
    pods = {f"{release}-triton-{name}": pod_of(f"{release}-triton-{name}") for name in names}
    assert asked.keys() == pods.keys()
    for pool, pattern in asked.items():
        found = {other for other, pod in pods.items() if re.fullmatch(pattern, pod)}
        assert found == {pool}


def pod_of(deployment: str) -> str:
    """As Kubernetes names it: after the ReplicaSet, cut to 58 characters, and five letters."""
    return f"{deployment}-6b7c8d9f5b-"[:58] + "x7k2p"
