"""Training is Keras's: another backend, with a GPU or without, learns the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.unit.training.striped_films import striped_pack
from tests.unit.training.tiny_recipe import SETTLED

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
pytest.importorskip("tensorflow", reason="needs the training environment: make test-training")
pytest.importorskip("jax", reason="needs the training environment: make test-training")

import keras

from hilum_training.network import build_network
from hilum_training.weights import fill_weights

ROOT = Path(__file__).resolve().parents[3]


def fitted(backend: str, pack: Path, initial: Path, out: Path) -> list[float]:
    """Losses of the epochs of both fits, in a process on this backend."""
    out.mkdir()
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.unit.training.fit_on_backend"),
            *map(str, (pack, initial, out)),
        ],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu"},
    )
    assert done.returncode == 0, done.stderr
    ran_on, *losses = done.stdout.splitlines()[-1].split()
    assert ran_on == backend
    return [float(loss) for loss in losses]


def test_jax_learns_what_tensorflow_learns(tmp_path):
    """From the same weights and batches come the same losses, and weights that answer alike."""
    pack = striped_pack(tmp_path / "pack", SETTLED.panels[0].names)
    initial = tmp_path / "initial.keras"
    keras.utils.set_random_seed(3)
    network = build_network(SETTLED)
    network.save(initial)
    before = [np.copy(value) for value in network.get_weights()]

    losses = {
        backend: fitted(backend, pack, initial, tmp_path / backend)
        for backend in ("tensorflow", "jax")
    }
    assert losses["jax"] == pytest.approx(losses["tensorflow"], rel=2e-3)

    films = np.random.default_rng(0).uniform(0, 255, (8, 32, 32, 1)).astype(np.float32)
    answers = {}
    for backend in losses:
        # What is evaluated and exported is this file: it knows of no backend.
        fill_weights(network, tmp_path / backend / "weights.npz")
        logits = network(films, training=False)
        answers[backend] = np.concatenate([np.asarray(logits[name]) for name in sorted(logits)], 1)
    learnt = max(
        float(np.abs(now - old).max())
        for now, old in zip(network.get_weights(), before, strict=True)
    )
    assert learnt > 0.01
    assert np.abs(answers["jax"] - answers["tensorflow"]).max() < 0.02
