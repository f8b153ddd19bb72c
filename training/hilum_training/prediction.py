"""What a network answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import keras
import numpy as np
from keras import ops

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BATCH: Final = 64


def predict_logits(
    network: keras.Model, inputs: NDArray[np.uint8]
) -> dict[str, NDArray[np.float64]]:
    """Logits of films.

    Args:
        network: From :func:`build_network`.
        inputs: uint8 [N, size, size, 1].

    Returns:
        float64 [N, K] by panel.
    """
    parts: dict[str, list[NDArray[np.float32]]] = {name: [] for name in network.output}
    for start in range(0, len(inputs), _BATCH):
        films = inputs[start : start + _BATCH].astype(np.float32)
        for name, logits in network(films, training=False).items():
            parts[name].append(ops.convert_to_numpy(logits))
    return {
        name: np.concatenate([np.zeros((0, network.output[name].shape[-1])), *found]).astype(
            np.float64
        )
        for name, found in parts.items()
    }


def predict_pooled(
    network: keras.Model, inputs: NDArray[np.uint8]
) -> tuple[NDArray[np.float32], dict[str, NDArray[np.float64]]]:
    """What the heads see, and what they say.

    Args:
        network: From :func:`hilum_training.network.build_network`.
        inputs: uint8 [N, size, size, 1].

    Returns:
        Features averaged over the film, float32 [N, C], and logits float64 [N, K] by panel.
    """
    both = keras.Model(network.inputs[0], [network.get_layer("pool").output, network.output])
    pooled: list[NDArray[np.float32]] = [np.zeros((0, both.outputs[0].shape[-1]), np.float32)]
    logits = {
        name: [np.zeros((0, value.shape[-1]), np.float32)] for name, value in network.output.items()
    }
    for start in range(0, len(inputs), _BATCH):
        films = inputs[start : start + _BATCH].astype(np.float32)
        features, answers = both(films, training=False)
        pooled.append(np.asarray(features))
        for name, value in answers.items():
            logits[name].append(np.asarray(value))
    return np.concatenate(pooled), {
        name: np.concatenate(parts).astype(np.float64) for name, parts in logits.items()
    }
