"""The rendered NetworkPolicies allow the arrows of the architecture, and nothing else."""

from __future__ import annotations

from itertools import product

import pytest
import yaml

from tests.chart.policies import Place, allowed
from tests.chart.rendering import NAMESPACE, render

PORTS = (53, 443, 5353, 5432, 6379, 8000, 8001, 8002, 8010, 8080, 9000, 9100)

# Who opens a connection to whom, on which port. This table stands beside the chart's on purpose:
# a slip in one of them shows here.
ARROWS = {
    ("gateway", "postgresql"): 5432,
    ("gateway", "minio"): 9000,
    ("gateway", "redis"): 6379,
    ("worker", "postgresql"): 5432,
    ("worker", "minio"): 9000,
    ("worker", "redis"): 6379,
    ("worker", "triton"): 8001,
    ("migrations", "postgresql"): 5432,
    ("migrations", "minio"): 9000,
    ("maintenance", "postgresql"): 5432,
    ("maintenance", "minio"): 9000,
    ("toolbox", "postgresql"): 5432,
    ("toolbox", "minio"): 9000,
    ("toolbox", "gateway"): 8080,
    ("toolbox", "triton"): 8001,
    ("tests", "postgresql"): 5432,
    ("tests", "gateway"): 8080,
}
WATCHED = {
    ("prometheus", "gateway"): {9100},
    ("prometheus", "worker"): {9100},
    ("prometheus", "triton"): {8002, 8010},
}
STRANGER = Place("stranger", "games", (), (("kubernetes.io/metadata.name", "games"),))
NEIGHBOUR = Place(
    "neighbour",
    NAMESPACE,
    (("app.kubernetes.io/name", "other"),),
    (("kubernetes.io/metadata.name", NAMESPACE),),
)
WORLD = Place("world", address="198.51.100.7")


def outsiders(values: dict) -> dict[str, Place]:
    """Who is there beside the release, where the site says that they are."""
    policy = values["networkPolicy"]
    places = {
        "prometheus": _in_namespace("prometheus", policy["prometheus"]),
        "keda": _in_namespace("keda", policy["keda"]),
        "stranger": STRANGER,
        "neighbour": NEIGHBOUR,
        "world": WORLD,
    }
    if policy["clients"]:
        places["ingress"] = _in_namespace("ingress", policy["clients"])
    return places


def _in_namespace(name: str, peers: list) -> Place:
    labels = peers[0]["namespaceSelector"]["matchLabels"]
    return Place(name, f"of-{name}", (), tuple(labels.items()))


def insiders(rendered) -> dict[str, list[Place]]:
    """A place for each pod template, by component."""
    places: dict[str, list[Place]] = {}
    for pod in rendered.pods():
        place = Place(
            pod.owner,
            NAMESPACE,
            tuple(sorted(pod.labels.items())),
            (("kubernetes.io/metadata.name", NAMESPACE),),
        )
        places.setdefault(pod.component, []).append(place)
    return places


def expected(source: str, target: str, port: int, values: dict) -> bool:
    """Whether the architecture has this arrow."""
    if ARROWS.get((source, target)) == port or port in WATCHED.get((source, target), ()):
        return True
    if source == "keda" and target == "postgresql":
        return port == 5432 and values["asked by KEDA"]
    # Anybody may ask the gateway, unless the site says who: that is what it is for.
    if target == "gateway" and port == 8080 and source in outsiders(values):
        return source == "ingress" or not values["networkPolicy"]["clients"]
    if target == "minio" and source in {"triton", "engine"}:
        return port == 9000 and values["models"]["source"] == "s3"
    return False


def values_of(profile) -> dict:
    """The chart's values with a profile's over them, as far as the checks here read them."""
    chart = profile.parents[1] / "values.yaml"
    values = yaml.safe_load(chart.read_text(encoding="utf-8"))
    _overlay(values, yaml.safe_load(profile.read_text(encoding="utf-8")) or {})
    return values


def _overlay(values: dict, over: dict) -> None:
    for key, value in over.items():
        if isinstance(value, dict) and isinstance(values.get(key), dict):
            _overlay(values[key], value)
        else:
            values[key] = value


def test_every_arrow_is_allowed_and_no_other(rendered, profile):
    """Both ways: a missing arrow stops films, an arrow too many is a hole."""
    policies = rendered.of_kind("NetworkPolicy")
    assert policies
    values = values_of(profile)
    values["asked by KEDA"] = values["postgresql"]["mode"] == "bundled" and any(
        trigger["type"] == "postgresql"
        for scaled in rendered.of_kind("ScaledObject")
        for trigger in scaled["spec"]["triggers"]
    )
    inside = insiders(rendered)
    ends = {**{name: [place] for name, place in outsiders(values).items()}, **inside}
    wrong = []
    for (source, sources), (target, targets) in product(ends.items(), inside.items()):
        for own, other, port in product(sources, targets, PORTS):
            if own is other:
                continue
            found = allowed(policies, own, other, port)
            if found != expected(source, target, port, values):
                wrong.append(
                    f"{own.name} -> {other.name}:{port} {'allowed' if found else 'refused'}"
                )
    assert wrong == []


def test_nothing_leaves_but_to_servers_that_the_site_named(rendered, profile):
    """Outside of the cluster only external servers are reached, and each only by who uses it."""
    policies = rendered.of_kind("NetworkPolicy")
    values = values_of(profile)
    external = values["networkPolicy"]["external"]
    reached: dict[int, set[str]] = {}
    if values["postgresql"]["mode"] == "external":
        users = {"gateway", "worker", "migrations", "maintenance", "toolbox", "tests"}
        reached.setdefault(external["postgresql"]["port"], set()).update(users)
    if values["redis"]["mode"] == "external":
        reached.setdefault(external["redis"]["port"], set()).update({"gateway", "worker"})
    if values["objectStore"]["mode"] == "external":
        users = {"gateway", "worker", "migrations", "maintenance", "toolbox"}
        reached.setdefault(external["objectStore"]["port"], set()).update(users)
        if values["models"]["source"] == "s3":
            reached[external["objectStore"]["port"]].update({"triton", "engine"})
    if values["maintenance"]["backup"]["to"]["existingSecret"]:
        port = external["backup"]["port"]
        reached.setdefault(port, set()).update({"maintenance", "toolbox"})
    wrong = []
    ports = {*PORTS, *reached}
    for component, places in insiders(rendered).items():
        for place, port in product(places, ports):
            found = allowed(policies, place, WORLD, port)
            may = component in reached.get(port, ()) and _is_anywhere(external, port)
            too_much = found and component not in reached.get(port, ())
            if too_much or (may and not found):
                wrong.append(f"{place.name} -> outside:{port} {'allowed' if found else 'refused'}")
    assert wrong == []


def _is_anywhere(external: dict, port: int) -> bool:
    """Whether the site left open where the servers of a port are."""
    return any(
        "0.0.0.0/0" in place["cidrs"] for place in external.values() if place["port"] == port
    )


def test_every_pod_may_ask_for_names(rendered, profile):
    """Names resolve, over UDP and TCP."""
    policies = rendered.of_kind("NetworkPolicy")
    names = values_of(profile)["networkPolicy"]["dns"]
    server = _in_namespace("dns", names["servers"])
    for places in insiders(rendered).values():
        for place, port, protocol in product(places, names["ports"], ("UDP", "TCP")):
            assert allowed(policies, place, server, port, protocol), (
                f"{place.name} {port} {protocol}"
            )


def test_clients_of_the_gateway_can_be_named(profile, tmp_path):
    """A site that says where its ingress controller is closes the gateway to all others."""
    values = tmp_path / "clients.yaml"
    peer = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress-nginx"}}}
    values.write_text(yaml.safe_dump({"networkPolicy": {"clients": [peer]}}), encoding="utf-8")
    named = render(profile, values)
    policies = named.of_kind("NetworkPolicy")
    (gateway,) = insiders(named)["gateway"]
    ingress = Place("ingress", "ingress", (), (("kubernetes.io/metadata.name", "ingress-nginx"),))
    assert allowed(policies, ingress, gateway, 8080)
    assert not allowed(policies, STRANGER, gateway, 8080)
    assert not allowed(policies, WORLD, gateway, 8080)


@pytest.mark.parametrize("direction", ["Ingress", "Egress"])
def test_the_evaluation_itself_refuses_by_default(direction):
    """A policy that allows nothing refuses; without one everything is allowed."""
    one = Place("a", NAMESPACE, (("app", "a"),))
    two = Place("b", NAMESPACE, (("app", "b"),))
    assert allowed([], one, two, 80)
    deny = {"metadata": {}, "spec": {"podSelector": {}, "policyTypes": [direction]}}
    assert not allowed([deny], one, two, 80)
    key, peers = ("ingress", "from") if direction == "Ingress" else ("egress", "to")
    rule = {peers: [{"podSelector": {"matchLabels": {"app": "a" if peers == "from" else "b"}}}]}
    open_one = {"metadata": {}, "spec": {**deny["spec"], key: [rule]}}
    assert allowed([deny, open_one], one, two, 80)
    assert not allowed([deny, open_one], two, one, 80)
