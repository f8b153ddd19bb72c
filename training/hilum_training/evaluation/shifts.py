"""``python -m hilum_training.evaluation.shifts``: trained at one place, asked at another.

Small runs of a shipped recipe, each with something held back: a source, a site, a part of the
films. What a panel is worth on films of a hospital that it has never seen is nowhere else in the
reports. A shift is a few lines of TOML in ``training/recipes/shifts``, see :class:`Shift`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hilum_training.command_line import run_told
from hilum_training.evaluation.answers import Answers
from hilum_training.evaluation.comparisons import compare
from hilum_training.evaluation.report_files import METRICS, NOTICE, write_json
from hilum_training.evaluation.verdicts import PanelPoints
from hilum_training.films.library import open_library
from hilum_training.films.pack import pack_folder
from hilum_training.films.targets import recorded_kind
from hilum_training.learning.log import write_log
from hilum_training.population.inside import Population
from hilum_training.recipe import Recipe, read_recipe
from hilum_training.recipe_errors import InvalidRecipe
from hilum_training.recipe_files import named_files
from hilum_training.recipe_toml import built, naming, read_toml

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hilum_training.films.library import Library

TRAINING: Final = Path(__file__).resolve().parents[2]
SHIFTS: Final = "shifts"
# Small runs have no operating points, so that these figures of a comparison are not there.
_AT_POINTS: Final = ("shipped_", "named_", "assessed_")


@dataclass(frozen=True, slots=True)
class Shift:
    """One run.

    Attributes:
        name: Of its file.
        about: What it asks, for people.
        base: The recipe that it changes.
        panel: The one panel that is trained.
        sources: Films of these are used.
        learn_from: Films of these teach; the others are test films, all of them.
        epochs: Instead of the recipe's.
        share: Of the training films, taken evenly.
        batch: Films a step; 0 takes the recipe's. A hundred films need smaller steps.
        reduce: As in :class:`hilum_training.recipe.NetworkRecipe`: 2 is a quarter of the work.
        series: Runs that belong in one table share it.
        seed: Of the order of images and of dropout; 0 takes the recipe's. The split stays.
        frozen_stages: Instead of the recipe's; -1 takes those.
    """

    name: str
    about: str
    base: str
    panel: str
    sources: tuple[str, ...]
    learn_from: tuple[str, ...]
    epochs: int
    share: float = 1.0
    batch: int = 0
    reduce: int = 1
    series: str = ""
    seed: int = 0
    frozen_stages: int = -1

    def recipe(self, base: Recipe) -> Recipe:
        """The base recipe with this shift's changes.

        Raises:
            InvalidRecipe: The base has no such panel.
        """
        panels = tuple(panel for panel in base.panels if panel.name == self.panel)
        if not panels:
            raise InvalidRecipe(f"{self.name}: {base.name} has no panel {self.panel}")
        frozen = base.network.frozen_stages if self.frozen_stages < 0 else self.frozen_stages
        return replace(
            base,
            name=self.name,
            data=replace(base.data, sources=self.sources, only_train_sources=self.learn_from),
            network=replace(base.network, reduce=self.reduce, frozen_stages=frozen),
            # Whole epochs of images as they are served: the runs of a series are alike in that.
            fit=replace(
                base.fit,
                epochs=self.epochs,
                batch=self.batch or base.fit.batch,
                patience=0,
                side=0,
                draws=0,
            ),
            panels=panels,
        )


def read_shift(path: Path) -> Shift:
    """Read a shift.

    Raises:
        InvalidRecipe: It is no TOML, or a key is missing, unknown or out of bounds.
    """
    document = read_toml(path)
    with naming(path):
        nothing: dict[str, Any] = {"sources": [], "learn_from": []}
        shift = built(Shift, {**nothing, **document, "name": path.stem})
        if shift.epochs < 1 or not 0 < shift.share <= 1:
            raise InvalidRecipe("epochs are 1 or more, and a share is in 0..1 and above 0")
    return shift


def measure_shift(shift: Shift, recipe: Recipe, library: Library, logits: Any) -> dict[str, Any]:
    """The panel's questions, source by source.

    Args:
        shift: What was held back.
        recipe: Of the run.
        library: Its films.
        logits: Of validation and of test films, two arrays float64 [N, K].
    """
    panel = recipe.panels[0]
    validation, test = (
        Answers.of(panel, part, found)
        for part, found in zip((library.validation, library.test), logits, strict=True)
    )
    calibration = validation.calibration()
    pointless = PanelPoints.of_recipe(panel, {})
    recorded = Population.as_recorded(panel.name, test.films)
    rows = []
    for comparison in panel.comparisons:
        found = compare(comparison, validation, test, calibration, pointless, recorded)
        if found is not None:
            kept = {key: value for key, value in found.items() if not key.startswith(_AT_POINTS)}
            rows.append({"seen_in_training": comparison.source in shift.learn_from, **kept})
    learnt = [
        film
        for film, known in zip(
            library.train.films, library.train.targets(panel).known.tolist(), strict=True
        )
        if known
    ]
    return {
        "shift": shift.name,
        "about": shift.about,
        "series": shift.series,
        "panel": panel.name,
        "epochs": shift.epochs,
        "share_of_training_films": shift.share,
        "pixels": recipe.film.size // shift.reduce,
        "frozen_stages": recipe.network.frozen_stages,
        "seed": recipe.seed,
        "learnt_from": {
            f"{source}: {label}": count
            for (source, label), count in sorted(
                Counter((film.source, recorded_kind(film)) for film in learnt).items()
            )
        },
        "within_source": rows,
        "notice": NOTICE,
    }


def run_shift(shift: Shift, recipes: Path, runs: Path, reports: Path) -> dict[str, Any]:
    """Train, measure and report one shift; an interrupted run goes on where it stopped."""
    import keras  # noqa: PLC0415 - TensorFlow takes seconds to load; --help must not

    from hilum_training.learning.fit import Fit  # noqa: PLC0415 - likewise
    from hilum_training.prediction import predict_logits  # noqa: PLC0415 - likewise

    recipe = shift.recipe(read_recipe(recipes / f"{shift.base}.toml"))
    library = open_library(recipe, pack_folder(), runs)
    # The split is the base's, whatever the run's seed.
    recipe = replace(recipe, seed=shift.seed or recipe.seed)
    keras.utils.set_random_seed(recipe.seed)
    kept = round(len(library.train.films) * shift.share)
    library = replace(library, train=library.train.first(kept))
    fit = Fit(recipe, library.train, library.validation, runs / SHIFTS / shift.name)
    log = fit.run()
    network = fit.result()
    logits = [
        predict_logits(network, part.inputs)[shift.panel]
        for part in (library.validation, library.test)
    ]
    report = measure_shift(shift, recipe, library, logits)
    folder = reports / SHIFTS / shift.name
    write_log(log, folder / "epochs.csv")
    write_json(folder / METRICS, report)
    return report


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the named shifts, or all of them; returns the exit code."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    parser = argparse.ArgumentParser(prog="python -m hilum_training.evaluation.shifts")
    parser.add_argument("name", nargs="*", help="files of training/recipes/shifts; none: all")
    parser.add_argument("--runs", type=Path, default=TRAINING / "runs", help="working files")
    options = parser.parse_args(arguments)
    return run_told(lambda: _run_all(options.name, options.runs))


def _run_all(names: Sequence[str], runs: Path) -> None:
    recipes = TRAINING / "recipes"
    # All of them first: a mistake in the last is told before the first has run for an hour.
    shifts = [read_shift(path) for path in named_files(recipes / SHIFTS, names)]
    pack_folder()
    for shift in shifts:
        report = run_shift(shift, recipes, runs, TRAINING / "reports")
        for row in report["within_source"]:
            area = row["auroc"]["value"]
            sys.stdout.write(f"{shift.name}: {area} in {row['source']}: {row['question']}\n")


if __name__ == "__main__":
    sys.exit(main())
