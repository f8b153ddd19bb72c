"""The served graph: uint8 film in, uint8 masks out."""

from __future__ import annotations

from typing import Any, Final

import keras
from keras import layers, ops

MASKS: Final = "lungs_masks"


class SegmentationGraph(keras.Model):
    """What is exported.

    Input ``film`` uint8 [N, H, W, 1]; output ``lungs_masks`` uint8 [N, H, W, K], 255 times the
    probability, rounded: a byte a pixel crosses the wire instead of four.

    Args:
        network: From :func:`hilum_training.segmentation.network.build_unet`.
    """

    def __init__(self, network: keras.Model) -> None:
        super().__init__(name=network.name)
        self._network = network
        self._enlarge = layers.UpSampling2D(2, interpolation="bilinear")

    def call(self, film: Any) -> dict[str, Any]:
        """One forward pass."""
        logits = self._network(ops.cast(film, "float32"), training=False)
        masks = ops.round(255.0 * ops.sigmoid(self._enlarge(logits)))
        return {MASKS: ops.cast(masks, "uint8")}
