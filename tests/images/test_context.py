"""What goes to the builder."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from images.catalogue import DEBIAN_BASE
from images.container_engine import limits
from images.paths import ROOT
from tests.images.containers import Run, run_to_end

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from images.container_engine import ContainerEngine

    Built = Callable[[str], str]

REFERENCE = "localhost/hilum-test/context:dev"
WANTED = {"hilum", "services", "training", "stack", "model_repository", "requirements", "images"}
FILES = {"pyproject.toml", "README.md", "LICENSE"}


def test_nothing_private_goes_to_the_builder(engine: ContainerEngine, image: Built, tmp_path: Path):
    """An image that copies everything gets the sources: no environment, cache, film or .git."""
    image("gateway")  # which brings the base
    everything = tmp_path / "Dockerfile"
    everything.write_text(f"FROM {DEBIAN_BASE}\nCOPY . /context\n", encoding="utf-8")
    flags = ["--isolation", "chroot", "--network", "host", *limits()] if engine.is_podman else []
    command = [
        engine.program,
        "build",
        *flags,
        "--file",
        str(everything),
        "--tag",
        REFERENCE,
        str(ROOT),
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    top = run_to_end(engine, Run(REFERENCE, ("-A", "/context"), "ls")).out.split()
    assert set(top) == WANTED | FILES
    litter = ("(", "-name", "*.pyc", "-o", "-name", ".*_cache", "-o", "-name", "Dockerfile", ")")
    assert run_to_end(engine, Run(REFERENCE, ("/context", *litter), "find")).out == ""
    engine.ask("rmi", REFERENCE)
