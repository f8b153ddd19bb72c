"""What a network answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from keras import ops

if TYPE_CHECKING:
    import keras
    from numpy.typing import NDArray


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
    for start in range(0, len(inputs), 64):
        films = inputs[start : start + 64].astype(np.float32)
        for name, logits in network(films, training=False).items():
            parts[name].append(ops.convert_to_numpy(logits))
    return {
        name: np.concatenate([np.zeros((0, network.output[name].shape[-1])), *found]).astype(
            np.float64
        )
        for name, found in parts.items()
    }
