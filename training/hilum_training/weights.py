"""The reference weights of a recipe: a small ``.npz`` file, kernels in half precision.

What is evaluated and exported is what is in this file, rounding included.
"""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    import keras

    from hilum_training.recipe import Recipe


class WeightsMissing(RuntimeError):
    """The recipe was not trained, or its report belongs to other weights."""


def weights_path(folder: Path, name: str) -> Path:
    """Where the weights of a recipe lie."""
    return folder / f"{name}.npz"


def save_weights(network: keras.Model, path: Path) -> None:
    """Write a network's weights, the same bytes for the same weights.

    Kernels (two axes and more) are kept as float16: their relative rounding error, at most 0.05 %,
    is far below what the films' own noise does to a feature. Biases and batch statistics are kept
    as they are.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, value in _named(network):
            array = np.asarray(value)
            stored = array.astype(np.float16) if array.ndim > 1 else array
            # numpy.savez would write the time of day into the archive.
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w") as stream:
                np.lib.format.write_array(stream, stored, allow_pickle=False)


def fill_weights(network: keras.Model, path: Path) -> None:
    """Take a network's weights from a file.

    Raises:
        WeightsMissing: There is no file, or it is of another network.
    """
    if not path.is_file():
        raise WeightsMissing(f"no weights in {path}: train the recipe first")
    with np.load(path) as stored:
        for name, variable in _named(network):
            if name not in stored or stored[name].shape != tuple(variable.shape):
                raise WeightsMissing(f"{path.name} does not fit {network.name}: {name}")
            variable.assign(stored[name].astype(np.float32))


def load_network(folder: Path, recipe: Recipe) -> keras.Model:
    """The trained network of a classifier's recipe.

    Raises:
        WeightsMissing: There are no weights, or those of another network.
    """
    from hilum_training.network import build_network  # noqa: PLC0415 - TensorFlow takes seconds

    # The file holds every weight: the initial ones need not be had.
    empty = replace(recipe, network=replace(recipe.network, initial=""))
    network = build_network(empty, smooth=recipe.smooth)
    fill_weights(network, weights_path(folder, recipe.name))
    return network


def weights_digest(network: keras.Model) -> str:
    """SHA-256 over shapes and values."""
    digest = hashlib.sha256()
    for value in network.get_weights():
        array = np.ascontiguousarray(value)
        digest.update(repr((array.shape, str(array.dtype))).encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _named(network: keras.Model) -> list[tuple[str, Any]]:
    """Weights with names that do not depend on what else the process built."""
    return [
        (f"{layer.name}.{place}", variable)
        for layer in network.layers
        for place, variable in enumerate(layer.weights)
        if variable.dtype == "float32"
    ]
