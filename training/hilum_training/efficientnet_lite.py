"""EfficientNet-Lite0: inverted residual blocks without squeeze-and-excitation.

Tan and Le, ICML 2019, in the variant that Google published for mobile processors in 2020: ReLU6
instead of swish, no attention, stem and last stages not scaled. Depthwise and pointwise
convolutions, batch norms and ReLU6 are all that ONNX Runtime and TensorRT need to fuse.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from keras import layers


class Stage(NamedTuple):
    """Blocks of one stage: expansion, output channels, repeats, stride of the first, kernel."""

    expansion: int
    channels: int
    repeats: int
    stride: int
    kernel: int


STEM: Final = 32
STAGES: Final = (
    Stage(1, 16, 1, 1, 3),
    Stage(6, 24, 2, 2, 3),
    Stage(6, 40, 2, 2, 5),
    Stage(6, 80, 3, 2, 3),
    Stage(6, 112, 3, 1, 5),
    Stage(6, 192, 4, 2, 5),
    Stage(6, 320, 1, 1, 3),
)
HEAD: Final = 1280
# The published epsilon; the momentum suits hundreds of steps an epoch.
_EPSILON: Final = 1e-3
_MOMENTUM: Final = 0.97


def efficientnet_lite0(grey: Any, *, stages: int, frozen: int) -> Any:
    """The trunk: features float32 [N, h, w, C] of films float32 [N, H, W, 1].

    Args:
        grey: Standardised films.
        stages: It ends after so many stages, without the last pointwise layer; 0 is the whole.
        frozen: The stem and so many stages keep their initial weights and batch statistics.
    """
    # The network was made for RGB scaled to (x - 127) / 128, whose deviation is about a half.
    x = layers.Rescaling(0.5, name="rescale")(grey)
    free = frozen == 0
    x = _normalised(
        layers.Conv2D(STEM, 3, 2, padding="same", use_bias=False, name="stem_conv", trainable=free)(
            x
        ),
        "stem_norm",
        trainable=free,
    )
    block = 0
    for place, stage in enumerate(STAGES[: stages or None], start=1):
        free = place > frozen
        for repeat in range(stage.repeats):
            stride = stage.stride if repeat == 0 else 1
            x = _block(x, stage, stride, f"block{block}", trainable=free)
            block += 1
    if not stages:
        x = layers.Conv2D(HEAD, 1, use_bias=False, name="head_conv")(x)
        x = _normalised(x, "head_norm", trainable=True)
    return x


def _block(x: Any, stage: Stage, stride: int, name: str, *, trainable: bool) -> Any:
    width = x.shape[-1]
    y = x
    if stage.expansion > 1:
        y = layers.Conv2D(
            width * stage.expansion, 1, use_bias=False, name=f"{name}_expand", trainable=trainable
        )(y)
        y = _normalised(y, f"{name}_expand_norm", trainable=trainable)
    y = layers.DepthwiseConv2D(
        stage.kernel,
        stride,
        padding="same",
        use_bias=False,
        name=f"{name}_depthwise",
        trainable=trainable,
    )(y)
    y = _normalised(y, f"{name}_depthwise_norm", trainable=trainable)
    y = layers.Conv2D(
        stage.channels, 1, use_bias=False, name=f"{name}_project", trainable=trainable
    )(y)
    y = _normalised(y, f"{name}_project_norm", trainable=trainable, active=False)
    if stride == 1 and width == stage.channels:
        y = layers.Add(name=f"{name}_add")([x, y])
    return y


def _normalised(x: Any, name: str, *, trainable: bool, active: bool = True) -> Any:
    x = layers.BatchNormalization(
        epsilon=_EPSILON, momentum=_MOMENTUM, name=name, trainable=trainable
    )(x)
    return layers.ReLU(6.0, name=f"{name}_relu")(x) if active else x
