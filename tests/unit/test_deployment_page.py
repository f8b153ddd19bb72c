"""Each command of docs/deployment.md is run by a test, or says that none runs it."""

from __future__ import annotations

import pytest

from tests.cluster.deployment_page import MARK, commands
from tests.cluster.paths import ROOT

# Beginning of a command -> a file that runs it, and what in that file does.
EXERCISED = {
    "podman push": ("tests/images", 'command_that_begins("podman push'),
    "kubectl apply -f k8s/namespace.yaml": (
        "tests/cluster/e2e",
        'command_that_begins("kubectl apply',
    ),
    "curl --header": ("tests/cluster/e2e", 'command_that_begins("curl'),
    "helm install hilum helm/hilum": ("tests/cluster", '"install"'),
    "helm upgrade hilum helm/hilum": ("tests/cluster", '"upgrade"'),
    "helm rollback hilum": ("tests/cluster", '"rollback"'),
    "helm uninstall hilum": ("tests/cluster", '"uninstall"'),
    "helm test hilum": ("tests/cluster", '"test"'),
    "kubectl --namespace hilum exec deploy/hilum-toolbox -- hilum keys create": (
        "tests/cluster/e2e",
        '"keys"',
    ),
    "kubectl --namespace hilum create secret": (
        "tests/chart",
        'command_that_begins("kubectl --namespace hilum create secret',
    ),
    "kubectl --namespace hilum wait --for=condition=complete": (
        "tests/cluster/e2e",
        '"wait", "job", "--selector", _RESTORES',
    ),
    "kubectl --namespace hilum get persistentvolumeclaims,secrets": (
        "tests/cluster/e2e",
        '"persistentvolumeclaims,secrets',
    ),
    "kubectl delete namespace hilum": ("tests/cluster", '"delete", "namespace"'),
    "hilum-engine render": ("tests/unit/engine", 'main(["render"'),
}


def test_the_page_has_commands():
    """The checks below have something to check."""
    assert len(commands()) > 10


@pytest.mark.parametrize("command", commands())
def test_a_command_is_run_by_a_test_or_says_that_it_is_not(command):
    """What a page tells an IT department to type was typed before."""
    if command.endswith(MARK):
        return
    (beginning,) = [known for known in EXERCISED if command.startswith(known)] or [None]
    assert beginning is not None, f"no test runs: {command}"
    place, told = EXERCISED[beginning]
    path = ROOT / place
    files = sorted(path.rglob("*.py")) if path.is_dir() else [path]
    assert any(told in file.read_text(encoding="utf-8") for file in files), place
