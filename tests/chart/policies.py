"""Which connections the rendered NetworkPolicies allow.

Evaluates ``networking.k8s.io/v1`` as its specification says: a pod that no policy of a direction
selects may do everything in it; one that some select may do what any of them allows. A connection
needs both ends.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Place:
    """An end of a connection.

    Attributes:
        name: For people.
        namespace: Of a pod; empty for an address outside of the cluster.
        labels: Of the pod.
        namespace_labels: Of its namespace.
        address: Outside of the cluster, or any address of a pod.
    """

    name: str
    namespace: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    namespace_labels: tuple[tuple[str, str], ...] = ()
    address: str = "10.244.0.9"


def allowed(
    policies: Iterable[Mapping[str, Any]],
    source: Place,
    target: Place,
    port: int,
    protocol: str = "TCP",
) -> bool:
    """Whether a pod or outsider may connect to a port of another."""
    listed = list(policies)
    return _one_end(listed, source, target, port, protocol, "Egress") and _one_end(
        listed, target, source, port, protocol, "Ingress"
    )


def _one_end(
    policies: list[Mapping[str, Any]],
    own: Place,
    other: Place,
    port: int,
    protocol: str,
    direction: str,
) -> bool:
    if not own.namespace:
        return True
    mine = [
        policy
        for policy in policies
        if policy["metadata"].get("namespace", own.namespace) == own.namespace
        and direction in _directions(policy)
        and _selects(policy["spec"].get("podSelector", {}), dict(own.labels))
    ]
    if not mine:
        return True
    key, peers = ("ingress", "from") if direction == "Ingress" else ("egress", "to")
    return any(
        _port_fits(rule, port, protocol) and _peer_fits(rule.get(peers), own, other)
        for policy in mine
        for rule in policy["spec"].get(key) or ()
    )


def _directions(policy: Mapping[str, Any]) -> set[str]:
    named = policy["spec"].get("policyTypes")
    if named:
        return set(named)
    return {"Ingress"} | ({"Egress"} if "egress" in policy["spec"] else set())


def _port_fits(rule: Mapping[str, Any], port: int, protocol: str) -> bool:
    ports = rule.get("ports")
    if not ports:
        return True
    return any(
        one.get("protocol", "TCP") == protocol
        and ("port" not in one or one["port"] <= port <= one.get("endPort", one["port"]))
        for one in ports
    )


def _peer_fits(peers: list[Mapping[str, Any]] | None, own: Place, other: Place) -> bool:
    if not peers:
        return True
    return any(_one_peer(peer, own, other) for peer in peers)


def _one_peer(peer: Mapping[str, Any], own: Place, other: Place) -> bool:
    if "ipBlock" in peer:
        # Meant for what is outside of the cluster: pods' addresses change.
        if other.namespace:
            return False
        address = ipaddress.ip_address(other.address)
        block = peer["ipBlock"]
        return address in ipaddress.ip_network(block["cidr"]) and not any(
            address in ipaddress.ip_network(cut) for cut in block.get("except", ())
        )
    if not other.namespace:
        return False
    if "namespaceSelector" in peer:
        if not _selects(peer["namespaceSelector"], dict(other.namespace_labels)):
            return False
    elif other.namespace != own.namespace:
        return False
    return _selects(peer.get("podSelector", {}), dict(other.labels))


def _selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    if any(labels.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    for rule in selector.get("matchExpressions", ()):
        value = labels.get(rule["key"])
        fits = {
            "In": value in rule.get("values", ()),
            "NotIn": value not in rule.get("values", ()),
            "Exists": value is not None,
            "DoesNotExist": value is None,
        }[rule["operator"]]
        if not fits:
            return False
    return True
