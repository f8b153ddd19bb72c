"""Values that no run can mean: asked when a recipe is read, not after an hour of training."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from hilum.imaging.preprocessing import PREPROCESSING
from hilum_training.recipe_errors import InvalidRecipe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_Bounds: TypeAlias = "tuple[str, Callable[[float], bool]]"
_COUNT: Final[_Bounds] = ("1 or more", lambda value: value >= 1)
_ABOVE: Final[_Bounds] = ("more than 0", lambda value: value > 0)
_LEAST: Final[_Bounds] = ("0 or more", lambda value: value >= 0)
_SHARE: Final[_Bounds] = ("in 0..1", lambda value: 0 <= value <= 1)
_BELOW: Final[_Bounds] = ("0 or more and less than 1", lambda value: 0 <= value < 1)
_BETWEEN: Final[_Bounds] = ("more than 0 and less than 1", lambda value: 0 < value < 1)
_VERSION: Final = re.compile(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")
ARCHITECTURES: Final = (
    "residual",
    "efficientnet-lite0",
    "plain-cnn",
    "mobilenet",
    "mobilenet-v2-0.35",
    "inception-v3",
)
"""Keys of :data:`hilum_training.network.TRUNKS`, which TensorFlow must be loaded to read."""

BOUNDS: Final[Mapping[str, Mapping[str, _Bounds]]] = {
    "film": {"size": _COUNT},
    "data": {"near_duplicate_bits": _LEAST},
    "network": {"dropout": _BELOW, "reduce": _COUNT, "frozen_stages": _LEAST, "stages": _LEAST},
    "fit": {
        "epochs": _COUNT,
        "batch": _COUNT,
        "learning_rate": _ABOVE,
        "warmup_epochs": _LEAST,
        "weight_decay": _LEAST,
        "label_smoothing": _BELOW,
        "ema": _BELOW,
        "balance": _SHARE,
        "side": _LEAST,
        "draws": _LEAST,
        "patience": _LEAST,
    },
    "augment": {
        "rotate_degrees": _LEAST,
        "zoom": _BELOW,
        "shift": _BELOW,
        "flip": _SHARE,
        "gamma": _LEAST,
        "contrast": _BELOW,
        "noise": _LEAST,
        "blur": _SHARE,
        "occlude": _SHARE,
    },
    "settle": {
        "epochs": _COUNT,
        "batch": _COUNT,
        "learning_rate": _ABOVE,
        "agreement": _LEAST,
        "draws": _LEAST,
    },
    "distil": {
        "epochs": _COUNT,
        "batch": _COUNT,
        "learning_rate": _ABOVE,
        "draws": _LEAST,
        "share": _SHARE,
    },
    "settle.guise": {
        "sharpen": _LEAST,
        "soften": _SHARE,
        "noise": _LEAST,
        "compress": _SHARE,
        "quality": ("in 1..99", lambda value: 1 <= value <= 99),  # noqa: PLR2004 - as it says
    },
    "panel": {"weight": _LEAST},
    "panel.scope": {"minimum_age": _LEAST, "maximum_age": _ABOVE},
    "panel.loss": {"class_weights": _LEAST, "focus": _LEAST},
    "panel.operating_point": {
        "value": _SHARE,
        "floor": _BELOW,
        "specificity_floor": _SHARE,
        "normal_specificity": _SHARE,
        "child_specificity": _SHARE,
        "fewest": _COUNT,
        "fewest_patients": _COUNT,
        "bar": _BELOW,
    },
    "panel.label": {"prevalence": _BETWEEN, "specificity": _SHARE},
    "loss": {"dice": _LEAST, "anatomy": _LEAST},
}
"""Part of a recipe -> key -> what its value must be."""


def check_part(part: str, values: Any, where: str = "") -> None:
    """Hold a part of a recipe against :data:`BOUNDS`.

    Args:
        part: Its key there.
        values: The part.
        where: What to call it in the message, instead.

    Raises:
        InvalidRecipe: A value is out of bounds.
    """
    for name, (words, fits) in BOUNDS[part].items():
        value = getattr(values, name)
        if value is not None and not (math.isfinite(value) and fits(value)):
            raise InvalidRecipe(f"{where or part}: {name} is {value}, which is not {words}")


def check_films(film: Any, data: Any) -> None:
    """Check preprocessing, size and the split.

    Args:
        film: A :class:`hilum_training.recipe.FilmRecipe`.
        data: A :class:`hilum_training.recipe.DataRecipe`.

    Raises:
        InvalidRecipe: There is no such preprocessing, or the fractions do not divide the films.
    """
    check_part("film", film)
    check_part("data", data)
    if film.preprocessing not in PREPROCESSING:
        known = ", ".join(PREPROCESSING)
        raise InvalidRecipe(f"no preprocessing {film.preprocessing!r}: there is {known}")
    if min(data.fractions) < 0 or abs(sum(data.fractions) - 1) > 1e-9:  # noqa: PLR2004 - rounding
        raise InvalidRecipe(f"fractions {data.fractions} do not add up to 1")


def check_version(version: str) -> None:
    """Check that a version can stand in the model repository.

    Raises:
        InvalidRecipe: It is none.
    """
    if not _VERSION.fullmatch(version):
        raise InvalidRecipe(f"version is {version!r}, not three numbers as in 0.3.0")


def check_architecture(named: str) -> None:
    """Check that there is such a trunk.

    Raises:
        InvalidRecipe: There is none.
    """
    if named not in ARCHITECTURES:
        raise InvalidRecipe(f"no architecture {named!r}: there are {', '.join(ARCHITECTURES)}")
