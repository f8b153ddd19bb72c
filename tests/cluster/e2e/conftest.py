"""The images of this machine, and the chart installed with them on the real node."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.cluster.commands import output_of
from tests.cluster.container_runtime import import_images
from tests.cluster.deployment_page import command_that_begins
from tests.cluster.e2e.installation import BACKUPS, IMAGES, VALUES, Installation
from tests.cluster.helm import Release
from tests.cluster.kubectl import Kubectl
from tests.cluster.paths import ROOT
from tests.cluster.volumes import persistent_claim

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.cluster.running import Run


@pytest.fixture(scope="session")
def images(cluster: Run) -> None:
    """The node has the images that `make images BASE=debian` wrote."""
    archives = [ROOT / ".cache" / "images" / f"{name}.tar" for name in IMAGES]
    missing = [archive.name for archive in archives if not archive.exists()]
    if missing:
        pytest.fail(f"no image archives: {', '.join(missing)}; run make images BASE=debian")
    for archive in archives:
        import_images(cluster.folder / "containerd", archive)


@contextmanager
def _own_namespace() -> Iterator[Kubectl]:
    """The namespace, made as docs/deployment.md says; a client for it."""
    output_of("bash", "-c", command_that_begins("kubectl apply"), folder=ROOT)
    kubectl = Kubectl("hilum")
    try:
        yield kubectl
    finally:
        kubectl.run("delete", "namespace", "hilum", "--wait=false")


@pytest.fixture(scope="session")
def installation(images: None) -> Iterator[Installation]:
    """The profile for a single node without a GPU, ready."""
    with _own_namespace() as kubectl:
        release = Release("helm4", kubectl.namespace, values=VALUES)
        kubectl.apply(persistent_claim(BACKUPS))
        release.install()
        yield Installation(kubectl, release)
        if release.is_installed():
            release.uninstall()


@pytest.fixture(scope="session")
def api(
    installation: Installation, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """An administrator's client of the installation."""
    with installation.api(tmp_path_factory.mktemp("api")) as client:
        yield client
