"""Pooled features, and maps, of films: a second output of the same pass as the logits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import keras
import numpy as np

from hilum_training.network import FEATURES, head_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BATCH: Final = 64


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


def class_maps(network: keras.Model, inputs: NDArray[np.uint8], panel: str) -> NDArray[np.float32]:
    """Class activation maps, float32 [N, h, w, K], in units of the logit (Zhou et al., CVPR 2016).

    Args:
        network: As above.
        inputs: uint8 [N, size, size, 1].
        panel: Whose labels.
    """
    trunk = keras.Model(network.inputs[0], network.get_layer(FEATURES).output)
    kernel = np.asarray(network.get_layer(head_name(panel)).kernel)
    parts = [
        np.asarray(trunk(inputs[start : start + _BATCH].astype(np.float32), training=False))
        for start in range(0, len(inputs), _BATCH)
    ]
    return np.asarray(np.concatenate(parts) @ kernel)
