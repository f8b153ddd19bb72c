"""``python -m hilum_training baselines``: the originals' methods, rebuilt beside Hilum's."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hilum_training.baselines.recipes import Baseline, read_baseline
from hilum_training.baselines.scoring import Verdicts, load_said, said_path, save_said, score
from hilum_training.baselines.verdict import differences, mean_of
from hilum_training.command_line import count
from hilum_training.films.library import Library, open_library
from hilum_training.films.pack import pack_folder, wanted
from hilum_training.recipe import read_recipe
from hilum_training.recipe_errors import InvalidRecipe
from hilum_training.weights import WeightsMissing, weights_path

if TYPE_CHECKING:
    import argparse

    from hilum_training.baselines.compared import Compared
    from hilum_training.baselines.methods import Outcome, Workshop
    from hilum_training.recipe import DataRecipe, Recipe

TRAINING: Final = Path(__file__).resolve().parents[2]
COMPARED: Final = "chest"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command ``baselines``."""
    command = subparsers.add_parser(
        "baselines",
        help="rebuild the originals' methods on the same split and report them beside Hilum",
        epilog="With --epochs or --limit it is a try: everything is written in RUNS/try.",
    )
    command.add_argument(
        "--only",
        metavar="NAME",
        action="append",
        help="one of training/recipes/baselines; may be given again",
    )
    command.add_argument(
        "--beside",
        action="store_true",
        help="train nothing: set the shipped network beside what the baselines said last",
    )
    command.add_argument("--epochs", type=count, help="instead of each recipe's")
    command.add_argument("--limit", type=count, help="films per split to train with")
    command.add_argument("--runs", type=Path, default=TRAINING / "runs", help="working files")
    command.add_argument(
        "--recipes", type=Path, default=TRAINING / "recipes", help="where the recipes are"
    )
    command.add_argument("--weights", type=Path, default=TRAINING / "weights", help="of Hilum")
    command.add_argument(
        "--reports", type=Path, help="instead of training/reports, or RUNS/try/reports for a try"
    )


def run(options: argparse.Namespace) -> None:
    """Run the baselines and write ``metrics.json``, ``README.md`` and the figures.

    Raises:
        InvalidRecipe: A baseline is not as it should be, or there is none of this name.
        PackMissing: There are no films.
    """
    pack = pack_folder()
    from hilum_training.baselines.methods import Workshop  # noqa: PLC0415 - loads TensorFlow
    from hilum_training.baselines.report import write_report  # noqa: PLC0415 - loads matplotlib

    attempt = options.epochs is not None or options.limit is not None
    base = options.runs / "try" if attempt else options.runs
    reports = options.reports or (base / "reports" if attempt else TRAINING / "reports")
    folder = reports / "baselines"
    folder.mkdir(parents=True, exist_ok=True)
    baselines = _read(options.recipes)
    chosen = options.only or list(baselines)
    for name in chosen:
        if name not in baselines:
            raise InvalidRecipe(f"no baseline {name}: there are {', '.join(baselines)}")
    workshop = Workshop(base / "baselines", folder, options.limit, options.epochs)
    if options.beside and not options.only:
        chosen = [name for name in chosen if said_path(workshop.runs, name).is_file()]
    shelf = Shelf(pack, options.runs)
    compared = _compared(options, workshop, shelf)
    path = folder / "metrics.json"
    metrics = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    for name in chosen:
        sys.stdout.write(f"{name}\n")
        if options.beside:
            metrics[name] |= _beside_again(baselines[name], workshop, compared, shelf)
        else:
            metrics[name] = _measure(baselines, name, workshop, compared, shelf)
        path.write_text(
            json.dumps(dict(sorted(metrics.items())), indent=2) + "\n", encoding="utf-8"
        )
        write_report(metrics, baselines, folder)


def _read(recipes: Path) -> dict[str, Baseline]:
    compared = read_recipe(recipes / f"{COMPARED}.toml")
    found = [
        read_baseline(path, compared) for path in sorted((recipes / "baselines").glob("*.toml"))
    ]
    return {baseline.name: baseline for baseline in found}


@dataclass(frozen=True, slots=True)
class Shelf:
    """Libraries, each size opened once: linking near-duplicates takes most of the opening.

    Attributes:
        pack: Folder of the film pack.
        cache: Folder for decoded films.
    """

    pack: Path
    cache: Path
    opened: dict[str, Library] = field(default_factory=dict)

    def library(self, recipe: Recipe, every: DataRecipe) -> Library:
        """The films of a recipe.

        Args:
            recipe: What is wanted; its films are among those of ``every``.
            every: What is opened and kept.

        Raises:
            LeakageFound: The split divides what belongs together.
        """
        key = repr((recipe.film, recipe.seed, every))
        if key not in self.opened:
            self.opened[key] = open_library(replace(recipe, data=every), self.pack, self.cache)
        whole = self.opened[key]
        if recipe.data == every:
            return whole
        return Library(
            *(
                part.where(lambda film: wanted(film, recipe.data))
                for part in (whole.train, whole.validation, whole.test)
            )
        )


def _compared(options: argparse.Namespace, workshop: Workshop, shelf: Shelf) -> Compared | None:
    """The shipped network, or None when it was not trained here."""
    from hilum_training.baselines.compared import Compared  # noqa: PLC0415 - loads TensorFlow
    from hilum_training.weights import load_network  # noqa: PLC0415 - likewise

    if not weights_path(options.weights, COMPARED).is_file():
        sys.stdout.write(f"no weights of {COMPARED}: the baselines stand alone\n")
        return None
    recipe = read_recipe(options.recipes / f"{COMPARED}.toml")
    library = shelf.library(recipe, recipe.data)
    return Compared(recipe, load_network(options.weights, recipe), library, workshop.runs)


def _measure(
    baselines: dict[str, Baseline],
    name: str,
    workshop: Workshop,
    compared: Compared | None,
    shelf: Shelf,
) -> dict[str, Any]:
    from hilum_training.baselines.methods import scores  # noqa: PLC0415 - loads TensorFlow

    baseline = baselines[name]
    library = shelf.library(baseline.recipe, baseline.every)
    outcome = _outcome(baselines, baseline, workshop, compared, library)
    last, published = list(outcome.said.items())[-1]
    save_said(said_path(workshop.runs, name), last, published)
    beside = _beside(baseline, last, published, compared) if compared else {}
    return {
        "original": baseline.original,
        "method": baseline.method,
        "panel": baseline.panel.name,
        "beside": baseline.beside.panel,
        "size": baseline.recipe.film.size,
        "test_films": len(library.test.films),
        "figures": scores(outcome),
        **outcome.details,
        **beside,
    }


def _beside_again(
    baseline: Baseline, workshop: Workshop, compared: Compared | None, shelf: Shelf
) -> dict[str, Any]:
    """The shipped network beside what a baseline said when it last ran."""
    if compared is None:
        raise WeightsMissing(f"no weights of {COMPARED}: nothing to set beside {baseline.name}")
    library = shelf.library(baseline.recipe, baseline.every)
    last, published = load_said(
        said_path(workshop.runs, baseline.name), baseline.panel, library.test
    )
    return _beside(baseline, last, published, compared)


def _outcome(
    baselines: dict[str, Baseline],
    baseline: Baseline,
    workshop: Workshop,
    compared: Compared | None,
    library: Library,
) -> Outcome:
    if baseline.method == "network":
        return workshop.networks(baseline, library)
    if baseline.method == "transfer":
        return workshop.transfer(baseline, library)
    if baseline.method == "heads":
        return workshop.heads(baseline, library, compared)
    if baseline.features not in baselines:
        raise InvalidRecipe(f"{baseline.name}: no baseline {baseline.features} to take features of")
    return workshop.classical(baseline, library, baselines[baseline.features])


def _beside(
    baseline: Baseline, last: str, published: Verdicts, compared: Compared
) -> dict[str, Any]:
    """The shipped network on the same films, and its figures less the baseline's."""
    from hilum_training.baselines.networks import cost  # noqa: PLC0415 - loads TensorFlow
    from hilum_training.weights import weights_digest  # noqa: PLC0415 - likewise

    shipped = compared.verdicts(baseline.panel, baseline.beside, published.films)
    row = {
        "hilum": {
            "weights": weights_digest(compared.network),
            **cost(compared.network, compared.library.test),
            **score(shipped),
        },
        "hilum_less_baseline": {"baseline": last, **differences(shipped, published)},
    }
    if baseline.method == "network":
        row["ensemble_gain"] = differences(mean_of([shipped, published]), shipped)
    return row
