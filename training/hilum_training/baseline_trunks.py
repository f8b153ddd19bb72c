"""The trunks of the methods that Hilum is compared with.

The published networks are Keras' own (``keras.applications``). Their ImageNet weights come from a
local file that a recipe names; without one they start from random weights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import keras
from keras import layers

from hilum_training.initial_weights import InvalidWeights

if TYPE_CHECKING:
    from collections.abc import Callable

    from hilum_training.recipe import NetworkRecipe

# Keras' own momentum (0.99 and 0.999) expects a hundred thousand steps; these runs have hundreds.
_MOMENTUM: Final = 0.9


def _plain_cnn(grey: Any, plan: NetworkRecipe) -> Any:
    """Convolution, batch norm, ReLU and 2 x 2 maximum, once for each of ``widths``."""
    x = grey
    for place, width in enumerate(plan.widths, start=1):
        x = layers.Conv2D(
            width,
            3,
            padding="same",
            use_bias=False,
            kernel_initializer="he_normal",
            name=f"conv{place}",
        )(x)
        x = layers.BatchNormalization(momentum=_MOMENTUM, name=f"norm{place}")(x)
        x = layers.ReLU(name=f"relu{place}")(x)
        x = layers.MaxPooling2D(2, padding="same", name=f"halve{place}")(x)
    return x


def _published(
    build: Callable[..., keras.Model], **options: Any
) -> Callable[[Any, NetworkRecipe], Any]:
    """A trunk of ``keras.applications``; any ``frozen_stages`` but 0 freezes the whole of it."""

    def trunk(grey: Any, plan: NetworkRecipe) -> Any:
        # Made for RGB in -1..1, whose deviation is about a half.
        x = layers.Rescaling(0.5, name="rescale")(grey)
        x = layers.Concatenate(name="as_rgb")([x, x, x])
        try:
            base = build(
                include_top=False,
                weights=plan.initial or None,
                input_shape=tuple(x.shape[1:]),
                **options,
            )
        except (ValueError, OSError) as error:
            raise InvalidWeights(f"{plan.architecture} from {plan.initial}: {error}") from error
        for layer in base.layers:
            if isinstance(layer, layers.BatchNormalization) and not plan.initial:
                layer.momentum = _MOMENTUM
        base.trainable = not plan.frozen_stages
        return base(x)

    return trunk


BASELINE_TRUNKS: Final[dict[str, Callable[[Any, NetworkRecipe], Any]]] = {
    "plain-cnn": _plain_cnn,
    "mobilenet": _published(keras.applications.MobileNet),
    "mobilenet-v2-0.35": _published(keras.applications.MobileNetV2, alpha=0.35),
    "inception-v3": _published(keras.applications.InceptionV3),
}
"""Trunks by name: standardised films float32 [N, H, W, 1] to features float32 [N, h, w, C].

Those of ``keras.applications`` fill themselves with the recipe's initial weights.
"""
