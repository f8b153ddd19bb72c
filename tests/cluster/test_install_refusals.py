"""A wrong value is refused before anything is made, with a text that says what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cluster.errors import CommandFailed
from tests.cluster.helm import Release

if TYPE_CHECKING:
    from tests.cluster.kubectl import Kubectl

_WRONG = {
    "a misspelt key": ({"gatway.replicas": "1"}, ["gatway", "not allowed"]),
    "a number that is none": ({"gateway.replicas": "many"}, ["/gateway/replicas", "integer"]),
    "a tag that moves": (
        {"images.gateway.tag": "latest"},
        ["hilum/gateway", "give a version or a digest"],
    ),
    "an unknown target": ({"triton.pools.cpu.target": "gpu"}, ["/triton/pools/cpu/target"]),
    "a pod without limits": ({"gateway.resources.limits": "null"}, ["/gateway/resources"]),
    "an Ingress for no name": (
        {"gateway.ingress.enabled": "true"},
        ["gateway.ingress.host"],
    ),
    "a queue that nobody takes": (
        {"worker.slices.routine.queues": "{stat,routine}"},
        ["no slice takes the queue batch"],
    ),
    "films that are kept for ever or for no time": (
        {"maintenance.retention.enabled": "true"},
        ["maintenance.retention.filmsDays"],
    ),
}


@pytest.mark.parametrize("helm", ["helm3", "helm4"])
@pytest.mark.parametrize("wrong", _WRONG)
def test_a_wrong_value_is_refused_with_a_text_that_helps(kubectl: Kubectl, helm: str, wrong: str):
    """The text names the value by its path, and nothing is left in the namespace."""
    sets, told = _WRONG[wrong]
    release = Release(helm, kubectl.namespace, sets=sets)

    with pytest.raises(CommandFailed) as refused:
        release.install()

    for part in told:
        assert part in str(refused.value)
    assert not release.is_installed()
