"""Images get into a site's registry, and come out of it as they went in."""

from __future__ import annotations

import shlex
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.cluster.deployment_page import command_that_begins
from tests.images.registry import crane, registry

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from images.container_engine import ContainerEngine

    Built = Callable[[str], str]

_REGISTRY = "registry.hospital.example"
# A site's registry has a certificate; the one here speaks plain HTTP on the loopback address.
_PLAIN = "--tls-verify=false"


def test_what_the_page_pushes_is_pulled_by_its_digest(
    engine: ContainerEngine, image: Built, tmp_path: Path
) -> None:
    """The page's command fills a registry, whose digest names the very image that was built."""
    if not engine.is_podman:
        pytest.skip("the page's command is podman's")
    built = image("gateway")
    identifier = _identifier(engine, built)
    with registry(tmp_path) as address:
        command = command_that_begins("podman push").replace(_REGISTRY, address)
        _, push, source, there = shlex.split(command)
        assert source == built
        engine.ask(push, _PLAIN, source, there)
        digest = _crane("digest", there)
        _crane("validate", "--remote", there)

        by_digest = f"{there.rpartition(':')[0]}@{digest}"
        engine.ask("pull", _PLAIN, by_digest)
        try:
            assert _identifier(engine, by_digest) == identifier
        finally:
            engine.ask("rmi", by_digest)
    assert _identifier(engine, built) == identifier


def _identifier(engine: ContainerEngine, reference: str) -> str:
    """Digest of an image's configuration, which names its layers."""
    return engine.ask("image", "inspect", "--format", "{{.Id}}", reference)


def _crane(*words: str) -> str:
    """Asks the registry by another program than the one that pushed."""
    command = [crane(), *words, "--insecure"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
