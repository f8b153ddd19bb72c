"""The custom resources of the chart are accepted by the definitions of their own projects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cluster.helm import CHART, Release
from tests.cluster.releases import identity, qualified_kind

if TYPE_CHECKING:
    from tests.cluster.kubectl import Kubectl


def test_every_custom_resource_of_the_national_profile_is_kept_as_it_was_sent(
    kubectl: Kubectl, custom_resources: None
):
    """The API server drops fields that a definition does not know: none of ours is dropped."""
    profile = CHART / "ci" / "national-screening-values.yaml"
    release = Release("helm3", kubectl.namespace, values=[profile])
    sent = [one for one in release.render() if "." in one["apiVersion"].partition("/")[0]]
    custom = [one for one in sent if not one["apiVersion"].startswith(_KUBERNETES_GROUPS)]
    assert {one["kind"] for one in custom} >= {
        "Certificate",
        "Cluster",
        "ExternalSecret",
        "HTTPRoute",
        "PodMonitor",
        "PrometheusRule",
        "ScaledObject",
        "ServiceMonitor",
        "TriggerAuthentication",
    }

    kubectl.apply(*custom)

    for one in custom:
        kept = kubectl.get(qualified_kind(one), one["metadata"]["name"])
        assert _contains(kept["spec"], one["spec"]), identity(one)


_KUBERNETES_GROUPS = (
    "apps/",
    "autoscaling/",
    "batch/",
    "networking.k8s.io/",
    "policy/",
    "scheduling.k8s.io/",
)


def _contains(kept: object, sent: object) -> bool:
    """Whether all that was sent is there; the API server adds defaults."""
    if isinstance(sent, dict) and isinstance(kept, dict):
        return all(key in kept and _contains(kept[key], value) for key, value in sent.items())
    if isinstance(sent, list) and isinstance(kept, list):
        return len(sent) == len(kept) and all(map(_contains, kept, sent))
    return kept == sent
