"""What a network answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras
    from numpy.typing import NDArray


def predict_logits(network: keras.Model, inputs: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Logits of films.

    Args:
        network: From :func:`build_network`.
        inputs: uint8 [N, size, size, 1].

    Returns:
        float64 [N, K].
    """
    if not len(inputs):
        return np.zeros((0, network.output_shape[-1]))
    parts = [
        np.asarray(network(inputs[start : start + 64].astype(np.float32), training=False))
        for start in range(0, len(inputs), 64)
    ]
    return np.concatenate(parts).astype(np.float64)
