"""The reference weights of a recipe: a small .keras file beside its recipe."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    import keras


class WeightsMissing(RuntimeError):
    """The recipe was not trained, or its report belongs to other weights."""


def weights_path(folder: Path, name: str) -> Path:
    """Where the weights of a recipe lie."""
    return folder / f"{name}.keras"


def load_network(folder: Path, name: str) -> keras.Model:
    """The trained network.

    Raises:
        WeightsMissing: There is none.
    """
    import keras  # noqa: PLC0415 - TensorFlow takes seconds to load

    import hilum_training.network  # noqa: F401, PLC0415 - registers its layers

    path = weights_path(folder, name)
    if not path.is_file():
        raise WeightsMissing(f"no weights in {path}: train the recipe first")
    return keras.models.load_model(path, compile=False)


def weights_digest(network: keras.Model) -> str:
    """SHA-256 over shapes and values: the archive's own bytes hold the time of writing."""
    digest = hashlib.sha256()
    for value in network.get_weights():
        array = np.ascontiguousarray(value)
        digest.update(repr((array.shape, str(array.dtype))).encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
