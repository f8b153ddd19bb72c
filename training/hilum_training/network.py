"""The classifier: a small residual network that ends in global average pooling and one dense layer.

With that ending, the class activation maps (Zhou et al., CVPR 2016) are exact: the logit of a class
is the mean of its map plus a bias.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import keras
from keras import layers, ops

if TYPE_CHECKING:
    from hilum_training.recipe import Recipe

FEATURES: Final = "features"
CLASSIFIER: Final = "classifier"


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


def build_network(recipe: Recipe) -> keras.Model:
    """The network with random weights.

    Input ``film`` float32 [N, size, size, 1] in 0..255 (whole numbers when served, between them
    when augmented), output logits float32 [N, K]. The layer ``features`` holds float32
    [N, h, w, C], h = w = size / 2 ** (1 + number of widths).
    """
    size, plan = recipe.film.size, recipe.network
    film = keras.Input((size, size, 1), name="film")
    grey = FilmStandardisation(name="standardise")(film)
    x = _convolve(grey, plan.stem, kernel=5, strides=2, name="stem")
    for stage, (width, blocks) in enumerate(zip(plan.widths, plan.blocks, strict=True), start=1):
        x = _convolve(x, width, strides=2, name=f"stage{stage}_down")
        for block in range(blocks):
            x = _residual(x, width, name=f"stage{stage}_block{block + 1}")
    features = layers.Activation("linear", name=FEATURES)(x)
    pooled = layers.GlobalAveragePooling2D(name="pool")(features)
    pooled = layers.Dropout(plan.dropout, name="dropout")(pooled)
    logits = layers.Dense(len(recipe.data.labels), name=CLASSIFIER)(pooled)
    return keras.Model(film, logits, name=recipe.name)


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
