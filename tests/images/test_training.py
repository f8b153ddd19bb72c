"""The training image, run by a stranger on a read-only root."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.images.containers import Run, run_to_end

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from images.container_engine import ContainerEngine

    Built = Callable[[str], str]


def test_it_finds_its_recipes(engine: ContainerEngine, image: Built):
    """It reads the recipe that travels with it, and then lacks films alone."""
    run = Run(image("training"), ("train", "chest"), environment={"HILUM_CXR_DIR": "/films"})
    done = run_to_end(engine, run)
    assert done.code == 2
    assert "no film pack in /films" in done.error


def test_it_renders_models(engine: ContainerEngine, image: Built, shared: Path):
    """TensorFlow's environment holds what renders the models that travel with it."""
    command = ("render", "--target", "cpu", "--out", "/data/models")
    done = run_to_end(engine, Run(image("training"), command, mounts={"/data": shared}))
    assert done.code == 0, done.error
    assert (shared / "models" / "chest" / "config.pbtxt").exists()


def test_tensorflow_computes(engine: ContainerEngine, image: Built):
    """TensorFlow loads and multiplies, on whatever processor there is."""
    script = (
        "import tensorflow as tf; print(float(tf.reduce_sum(tf.ones((2, 3)) @ tf.ones((3, 2)))))"
    )
    done = run_to_end(engine, Run(image("training"), ("-c", script), "python3"))
    assert done.out.strip() == "12.0", done.error
