"""Classifiers: one trunk, global average pooling, and one dense layer for each panel.

With that ending, the class activation maps (Zhou et al., CVPR 2016) are exact: the logit of a class
is the mean of its map plus a bias.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import keras
import numpy as np
from keras import layers, ops

from hilum_training.baseline_trunks import BASELINE_TRUNKS
from hilum_training.efficientnet_lite import efficientnet_lite0
from hilum_training.initial_weights import load_initial

if TYPE_CHECKING:
    from collections.abc import Callable

    from hilum_training.recipe import NetworkRecipe, Recipe

FEATURES: Final = "features"
_BINOMIAL: Final = (np.outer([1, 2, 1], [1, 2, 1]) / 16)[..., None, None].astype(np.float32)
"""[3, 3, in, out]."""


def head_name(panel: str) -> str:
    """Name of the dense layer that gives a panel's logits."""
    return f"head_{panel}"


@keras.saving.register_keras_serializable(package="hilum")
class FilmStandardisation(layers.Layer):
    """Grey levels to zero mean and unit deviation, film by film.

    Takes away brightness and contrast, which differ by site, and keeps the wire at uint8.
    Input uint8 or float [N, H, W, 1] in 0..255, output float32 [N, H, W, 1].
    """

    def call(self, films: Any) -> Any:
        """Standardise each film."""
        grey = ops.cast(films, "float32") / 255.0
        mean = ops.mean(grey, axis=(1, 2, 3), keepdims=True)
        variance = ops.mean(ops.square(grey - mean), axis=(1, 2, 3), keepdims=True)
        # The floor keeps an empty film (one grey level) at zero instead of amplified noise.
        return (grey - mean) / ops.sqrt(variance + 1e-4)


@keras.saving.register_keras_serializable(package="hilum")
class Smoothing(layers.Layer):
    """The binomial mean of 3 x 3 pixels: grain goes, what a reader sees stays.

    Takes standardised films float32 [N, H, W, 1]; beyond the border lies the film's mean, zero.
    """

    def call(self, films: Any) -> Any:
        """Smooth each film."""
        return ops.conv(films, _BINOMIAL, padding="same")


def build_network(recipe: Recipe, *, smooth: bool = False) -> keras.Model:
    """The network, its trunk filled with the recipe's initial weights.

    Input ``film`` float32 [N, size, size, 1] in 0..255 (whole numbers when served, between them
    when augmented), output a dictionary of logits float32 [N, K] by panel. The layer ``features``
    holds float32 [N, h, w, C].

    Args:
        recipe: What to build.
        smooth: With :class:`Smoothing` before the trunk; it has no weights.

    Raises:
        InvalidWeights: The initial weights cannot be had or do not fit.
    """
    size, plan = recipe.film.size, recipe.network
    film = keras.Input((size, size, 1), name="film")
    x = film
    if plan.reduce > 1:
        x = layers.AveragePooling2D(plan.reduce, name="reduce")(x)
    grey = FilmStandardisation(name="standardise")(x)
    if smooth:
        grey = Smoothing(name="smooth")(grey)
    features = layers.Activation("linear", name=FEATURES)(TRUNKS[plan.architecture](grey, plan))
    pooled = layers.GlobalAveragePooling2D(name="pool")(features)
    pooled = layers.Dropout(plan.dropout, name="dropout")(pooled)
    logits = {
        panel.name: layers.Dense(len(panel.labels), name=head_name(panel.name))(pooled)
        for panel in recipe.panels
    }
    network = keras.Model(film, logits, name=recipe.name)
    if plan.initial and plan.architecture not in BASELINE_TRUNKS:
        load_initial(network, plan.initial)
    return network


def _residual_trunk(grey: Any, plan: NetworkRecipe) -> Any:
    """Small residual network: a strided stem, then halvings with residual blocks."""
    stem, *widths = plan.widths
    x = _convolve(grey, stem, kernel=5, strides=2, name="stem")
    for stage, (width, blocks) in enumerate(zip(widths, plan.blocks, strict=True), start=1):
        x = _convolve(x, width, strides=2, name=f"stage{stage}_down")
        for block in range(blocks):
            x = _residual(x, width, name=f"stage{stage}_block{block + 1}")
    return x


def _efficientnet_lite0_trunk(grey: Any, plan: NetworkRecipe) -> Any:
    return efficientnet_lite0(grey, stages=plan.stages, frozen=plan.frozen_stages)


def _convolve(
    x: Any, width: int, *, name: str, kernel: int = 3, strides: int = 1, active: bool = True
) -> Any:
    x = layers.Conv2D(
        width,
        kernel,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    # Momentum suits some hundred steps an epoch, not the default's hundred thousand.
    x = layers.BatchNormalization(momentum=0.95, name=f"{name}_norm")(x)
    return layers.ReLU(name=f"{name}_relu")(x) if active else x


def _residual(x: Any, width: int, *, name: str) -> Any:
    y = _convolve(x, width, name=f"{name}_a")
    y = _convolve(y, width, name=f"{name}_b", active=False)
    return layers.ReLU(name=f"{name}_relu")(layers.Add(name=f"{name}_add")([x, y]))


TRUNKS: Final[dict[str, Callable[[Any, NetworkRecipe], Any]]] = {
    "residual": _residual_trunk,
    "efficientnet-lite0": _efficientnet_lite0_trunk,
    **BASELINE_TRUNKS,
}
"""Trunks by name: standardised films float32 [N, H, W, 1] to features float32 [N, h, w, C]."""
