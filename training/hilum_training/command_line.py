"""What the commands of the training share: where an error ends, and numbers that can be meant."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Final

from hilum_training.films.coverage import FilmsMissing
from hilum_training.films.gate_films import NegativesMissing
from hilum_training.films.pack import PackMissing
from hilum_training.films.split import LeakageFound
from hilum_training.initial_weights import InvalidWeights
from hilum_training.recipe_errors import InvalidRecipe, RecipeMissing
from hilum_training.weights import WeightsMissing

if TYPE_CHECKING:
    from collections.abc import Callable

TOLD: Final[tuple[type[Exception], ...]] = (
    FilmsMissing,
    InvalidRecipe,
    InvalidWeights,
    LeakageFound,
    NegativesMissing,
    PackMissing,
    RecipeMissing,
    WeightsMissing,
)
"""What any command may stop on, and a person can put right."""


def run_told(command: Callable[[], int | None], more: tuple[type[Exception], ...] = ()) -> int:
    """Run a command; what a person can put right ends it with a sentence, not with a traceback.

    Args:
        command: Returns its exit code, None for 0.
        more: Errors that are told as well, of this command alone.

    Returns:
        The exit code: 2 after an error, with the reason on standard error.
    """
    try:
        return command() or 0
    except (*TOLD, *more) as error:
        sys.stderr.write(f"{error}\n")
        return 2


def count(text: str) -> int:
    """An argument that is a whole number from 1.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number, 1 or more")
    return int(text)
