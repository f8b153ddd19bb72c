"""Class activation maps of images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import keras
import numpy as np

from hilum_training.network import FEATURES, head_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BATCH: Final = 64


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
