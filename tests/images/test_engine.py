"""The engine's image, run by a stranger on a read-only root."""

from __future__ import annotations

import hashlib
import json
import shutil
from typing import TYPE_CHECKING

import pytest

from images.paths import ROOT
from tests.images.containers import Finished, Run, run_to_end

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from images.container_engine import ContainerEngine

    Built = Callable[[str], str]

CARRIED = "/opt/hilum/model_repository"
UNUSABLE = 2


def install(
    engine: ContainerEngine, image: Built, shared: Path, source: str, target: str
) -> Finished:
    """Installs models into the folder ``models`` of the shared one."""
    command = ("install", "--source", source, "--target", target, "--out", "/data/models")
    return run_to_end(engine, Run(image("engine"), command, mounts={"/data": shared}))


def test_it_installs_the_models_it_carries(engine: ContainerEngine, image: Built, shared: Path):
    """The graphs of this checkout come out, byte for byte."""
    done = install(engine, image, shared, CARRIED, "cpu")
    assert done.code == 0, done.error
    for graph in (ROOT / "model_repository").glob("*/1/model.onnx"):
        installed = shared / "models" / graph.relative_to(ROOT / "model_repository")
        assert (
            hashlib.sha256(installed.read_bytes()).digest()
            == hashlib.sha256(graph.read_bytes()).digest()
        )


def test_it_renders_them_for_a_gpu(engine: ContainerEngine, image: Built, shared: Path):
    """For a GPU another backend is asked for; no GPU is needed to say so."""
    done = install(engine, image, shared, CARRIED, "gpu-onnxruntime")
    assert done.code == 0, done.error
    configuration = (shared / "models" / "chest" / "config.pbtxt").read_text(encoding="utf-8")
    assert 'backend: "onnxruntime"' in configuration


def test_a_graph_that_was_tampered_with_is_refused(
    engine: ContainerEngine, image: Built, shared: Path
):
    """A file that is not the one its manifest names ends the installation, and nothing is left."""
    source = shared / "source"
    shutil.copytree(ROOT / "model_repository", source)
    with (source / "chest" / "1" / "model.onnx").open("ab") as graph:
        graph.write(b"\0")
    for path in source.rglob("*"):
        path.chmod(0o755)
    done = install(engine, image, shared, "/data/source", "cpu")
    assert done.code == UNUSABLE
    assert "model.onnx" in done.error
    assert not list((shared / "models").glob("chest/1/*"))


@pytest.mark.parametrize("module", ["onnx", "onnxruntime", "minio"])
def test_it_can_fetch_convert_and_check(engine: ContainerEngine, image: Built, module: str):
    """What `install` from a bucket and `build` need is in the image."""
    assert run_to_end(engine, Run(image("engine"), ("-c", f"import {module}"), "python3")).code == 0


def test_the_models_are_those_of_the_manifest(engine: ContainerEngine, image: Built):
    """The image carries a manifest for every network of this checkout."""
    done = run_to_end(engine, Run(image("engine"), (f"{CARRIED}/chest/manifest.json",), "cat"))
    assert json.loads(done.out) == json.loads(
        (ROOT / "model_repository/chest/manifest.json").read_text(encoding="utf-8")
    )
