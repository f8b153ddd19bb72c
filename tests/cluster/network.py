"""The network of a cluster: a namespace without an uplink, so nothing can leave the machine."""

from __future__ import annotations

from pathlib import Path

from tests.cluster.addresses import NODE_ADDRESS, NODE_PREFIX_BITS, SERVICE_RANGE
from tests.cluster.commands import output_of
from tests.cluster.errors import ClusterError

# Not a `dummy` device: small kernels have none.
_BRIDGE = "node0"


def set_up() -> None:
    """Gives the namespace that we are in the node's address and the way to Services.

    Raises:
        ClusterError: We are in a namespace that has a way out.
    """
    if output_of("ip", "route", "show").strip():
        raise ClusterError("this network namespace has routes already: not one of our own")
    output_of("ip", "link", "set", "lo", "up")
    output_of("ip", "link", "add", _BRIDGE, "type", "bridge")
    output_of("ip", "address", "add", f"{NODE_ADDRESS}/{NODE_PREFIX_BITS}", "dev", _BRIDGE)
    output_of("ip", "link", "set", _BRIDGE, "up")
    # The node itself reaches Services: kube-proxy's rules meet the packet on its way out.
    output_of("ip", "route", "add", SERVICE_RANGE, "dev", _BRIDGE)
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
