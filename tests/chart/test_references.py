"""Objects that name others name some that are there."""

from __future__ import annotations

import re
from typing import Any

from hilum.runtime.setting_groups import ELSEWHERE, EverySetting
from hilum.runtime.settings import settings_of

_PART = re.compile(r"\$\(([A-Z_]+)\)")


def matches(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    """Whether a plain selector picks these labels."""
    return all(labels.get(key) == value for key, value in selector.items())


def picked(rendered, selector):
    """The pods that a selector picks."""
    return [pod for pod in rendered.pods() if matches(selector, pod.labels)]


def test_every_selector_picks_pods_of_one_component(rendered):
    """Services, budgets and owners pick their own pods and no others."""
    for one in rendered.of_kind("Service"):
        selector = one["spec"].get("selector")
        if selector is None:
            continue
        pods = picked(rendered, selector)
        assert pods, one["metadata"]["name"]
        assert len({pod.component for pod in pods}) == 1, one["metadata"]["name"]
    for one in rendered.of_kind("PodDisruptionBudget"):
        selector = one["spec"]["selector"]["matchLabels"]
        pods = picked(rendered, selector)
        assert pods, one["metadata"]["name"]
        assert len({pod.component for pod in pods}) == 1, one["metadata"]["name"]
    for one in rendered.of_kind("Deployment", "StatefulSet"):
        owner = f"{one['kind']}/{one['metadata']['name']}"
        owners = {pod.owner for pod in picked(rendered, one["spec"]["selector"]["matchLabels"])}
        assert owners == {owner}


def test_every_port_of_a_service_is_one_of_its_pods(rendered):
    """A Service sends to a port that a container says it listens on."""
    for one in rendered.of_kind("Service"):
        if "selector" not in one["spec"]:
            continue
        pods = picked(rendered, one["spec"]["selector"])
        for pod in pods:
            ports = [port for c in pod.lasting_containers() for port in c.get("ports", ())]
            known = {port["containerPort"] for port in ports} | {
                port["name"] for port in ports if "name" in port
            }
            for port in one["spec"]["ports"]:
                assert port.get("targetPort", port["port"]) in known, one["metadata"]["name"]


def test_a_budget_lets_a_node_be_emptied(rendered):
    """No budget forbids every eviction: one pod less is allowed wherever there are two."""
    for one in rendered.of_kind("PodDisruptionBudget"):
        spec = one["spec"]
        if "minAvailable" in spec:
            owners = {pod.owner for pod in picked(rendered, spec["selector"]["matchLabels"])}
            replicas = sum(
                owner["spec"].get("replicas", 2)
                for owner in rendered.of_kind("Deployment", "StatefulSet")
                if f"{owner['kind']}/{owner['metadata']['name']}" in owners
            )
            assert int(spec["minAvailable"]) < replicas, one["metadata"]["name"]
        else:
            assert str(spec["maxUnavailable"]) not in {"0", "0%"}, one["metadata"]["name"]


def test_every_scaler_scales_something_that_is_there(rendered):
    """Autoscalers name a Deployment of the release, and no two the same one."""
    targets = [one["spec"]["scaleTargetRef"] for one in rendered.of_kind("HorizontalPodAutoscaler")]
    targets += [one["spec"]["scaleTargetRef"] for one in rendered.of_kind("ScaledObject")]
    names = [(target.get("kind", "Deployment"), target["name"]) for target in targets]
    for kind, name in names:
        scaled = rendered.named(kind, name)
        # A number here would undo the scaler's at every upgrade.
        assert "replicas" not in scaled["spec"], name
    assert len(names) == len(set(names))


def test_every_secret_and_config_map_is_made_or_named_by_the_site(rendered, profile):
    """What a pod reads comes from the release, a controller, or a value of the profile."""
    text = profile.read_text(encoding="utf-8")
    made = {
        (one["kind"], one["metadata"]["name"]) for one in rendered.of_kind("Secret", "ConfigMap")
    }
    made |= {("Secret", one["spec"]["secretName"]) for one in rendered.of_kind("Certificate")}
    made |= {
        ("Secret", one["spec"].get("target", {}).get("name", one["metadata"]["name"]))
        for one in rendered.of_kind("ExternalSecret")
    }
    # CloudNativePG makes these for a cluster.
    made |= {
        ("Secret", f"{one['metadata']['name']}-{suffix}")
        for one in rendered.of_kind("Cluster")
        for suffix in ("app", "ca")
    }
    for kind, name, where in read_by_pods(rendered):
        assert (kind, name) in made or name in text, f"{where} reads {kind}/{name}"


def read_by_pods(rendered):
    """Secrets and config maps that pods mount or take variables from."""
    for pod in rendered.pods():
        for volume in pod.spec.get("volumes", ()):
            sources = [volume, *volume.get("projected", {}).get("sources", ())]
            for source in sources:
                if "secret" in source and not source["secret"].get("optional"):
                    name = source["secret"].get("secretName") or source["secret"].get("name")
                    yield "Secret", name, pod.owner
                if "configMap" in source and not source["configMap"].get("optional"):
                    yield "ConfigMap", source["configMap"]["name"], pod.owner
        for container in pod.containers():
            for variable in container.get("env", ()):
                origin = variable.get("valueFrom", {})
                if "secretKeyRef" in origin and not origin["secretKeyRef"].get("optional"):
                    yield "Secret", origin["secretKeyRef"]["name"], pod.owner
                if "configMapKeyRef" in origin:
                    yield "ConfigMap", origin["configMapKeyRef"]["name"], pod.owner


def test_every_variable_is_a_setting_that_a_process_knows(rendered):
    """A misspelt HILUM_ variable would be ignored in silence."""
    known = {each.name for each in settings_of(EverySetting)} | {*ELSEWHERE}
    for pod in rendered.pods():
        for container in pod.containers():
            variables = container.get("env", ())
            # Parts of an address that Kubernetes puts together.
            parts = {name for v in variables for name in _PART.findall(v.get("value", ""))}
            names = {v["name"] for v in variables} - parts
            unknown = {name for name in names if name.startswith("HILUM_")} - known
            assert unknown == set(), f"{pod.owner} {container['name']}"
