"""Each profile, rendered once."""

from __future__ import annotations

import os
import shutil
from functools import cache
from typing import TYPE_CHECKING

import pytest

from tests.chart.rendering import PROFILES, Rendered, render
from tests.cluster.paths import PROGRAMS

if TYPE_CHECKING:
    from pathlib import Path

_NEEDED = ("helm3", "helm4", "kubeconform", "kube-score", "helm-docs")


@pytest.fixture(scope="session", autouse=True)
def _programs() -> None:
    """The checks of the chart need Helm and its companions."""
    missing = [name for name in _NEEDED if not (PROGRAMS / name).is_file()]
    if not missing:
        return
    text = f"{', '.join(missing)} not built: run `make chart-tools`"
    if os.environ.get("CI") == "true":
        pytest.fail(text)
    pytest.skip(text)


@cache
def _rendered(profile: Path) -> Rendered:
    return render(profile)


@pytest.fixture(params=PROFILES, ids=lambda path: path.name.removesuffix("-values.yaml"))
def profile(request: pytest.FixtureRequest) -> Path:
    """The values of one kind of site."""
    return request.param


@pytest.fixture
def rendered(profile: Path) -> Rendered:
    """What the chart makes of a profile."""
    return _rendered(profile)


@pytest.fixture
def kubectl() -> str:
    """For what it does without a cluster."""
    built = PROGRAMS / "kubectl"
    program = str(built) if built.is_file() else shutil.which("kubectl")
    if program is None:
        text = "no kubectl: run `make cluster-tools`"
        if os.environ.get("CI") == "true":
            pytest.fail(text)
        pytest.skip(text)
    return program
