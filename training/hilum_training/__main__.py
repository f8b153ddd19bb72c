"""``python -m hilum_training``: from films to a served model."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hilum.domain.errors import InvalidManifest
from hilum.serving.target import Target
from hilum_training import data_commands, tuning
from hilum_training.baselines import commands as baseline_commands
from hilum_training.command_line import count, run_told
from hilum_training.evaluation.operating_points import NoOperatingPoint
from hilum_training.export.manifest import UnknownTensor
from hilum_training.export.parity import ParityLost
from hilum_training.export.versions import NewerInstalled, OtherModel
from hilum_training.films.coverage import check_coverage
from hilum_training.films.gate_films import gate_library, picture_folders
from hilum_training.films.library import Library, open_library
from hilum_training.films.pack import pack_folder
from hilum_training.recipe import Recipe, read_recipe
from hilum_training.recipe_errors import InvalidRecipe
from hilum_training.recipe_files import find_recipe, named_files, tell_panel
from hilum_training.rival import RIVALS, read_rival
from hilum_training.segmentation import commands as segmentation
from hilum_training.segmentation.recipe import is_segmentation, read_segmentation_recipe
from hilum_training.weights import load_network, save_weights, weights_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hilum_training.segmentation.recipe import SegmentationRecipe

TRAINING: Final = Path(__file__).resolve().parents[1]
TRY: Final = "With --epochs or --limit it is a try: everything is read and written in RUNS/try."


_TOLD: Final = (
    InvalidManifest,
    NewerInstalled,
    NoOperatingPoint,
    OtherModel,
    ParityLost,
    UnknownTensor,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0, or 2 with the reason on standard error."""
    # TensorFlow tells of CPU instructions at every start; its errors still come through.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    options = _parser().parse_args(arguments)
    return run_told(lambda: _COMMANDS[options.command](options), _TOLD)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m hilum_training", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("train", "fit the network; goes on where an interrupted run stopped"),
        ("evaluate", "measure it on the test split and choose operating points"),
        ("points", "choose operating points and print what they give; writes no report"),
        ("export", "write model_repository/<network>"),
    ):
        command = commands.add_parser(name, help=text, epilog=TRY)
        command.add_argument(
            "recipe", help="a .toml file, or the name of a recipe or a panel in training/recipes"
        )
        command.add_argument("--epochs", type=count, help="instead of the recipe's")
        command.add_argument("--limit", type=count, help="films per split to train with")
        command.add_argument("--runs", type=Path, default=TRAINING / "runs", help="working files")
        if name == "export":
            command.add_argument(
                "--replace",
                action="store_true",
                help="take the place of the same version, or of an older newest one, instead of "
                "standing beside it",
            )
    _add_render(commands)
    data_commands.add_parser(commands)
    baseline_commands.add_parser(commands)
    tuning.add_parser(commands)
    return parser


def _add_render(commands: Any) -> None:
    command = commands.add_parser("render", help="write the model repository for another target")
    command.add_argument("--target", choices=[target.value for target in Target], required=True)
    command.add_argument("--out", type=Path, required=True)


@dataclass(frozen=True, slots=True)
class _Folders:
    """Where a command reads and writes: decoded films, run states, and what comes of them."""

    runs: Path
    state: Path
    weights: Path
    reports: Path
    repository: Path

    @classmethod
    def of(cls, options: argparse.Namespace) -> _Folders:
        """A try stays among the working files: it must not replace the model that is served."""
        runs: Path = options.runs
        if options.epochs is None and options.limit is None:
            reports = TRAINING / "reports"
            repository = TRAINING.parent / "model_repository"
            return cls(runs, runs, TRAINING / "weights", reports, repository)
        base = runs / "try"
        return cls(runs, base, base / "weights", base / "reports", base / "model_repository")


def _recipe_file(options: argparse.Namespace) -> Path:
    return find_recipe(TRAINING / "recipes", options.recipe)


def _read(options: argparse.Namespace) -> Recipe | SegmentationRecipe:
    path = _recipe_file(options)
    tell_panel(options.recipe, path)
    read = read_segmentation_recipe if is_segmentation(path) else read_recipe
    return read(path).with_epochs(options.epochs)


def _library(recipe: Recipe, folders: _Folders) -> Library:
    """A recipe's films; a try of a gate does without its folders of pictures."""
    library = open_library(recipe, pack_folder(), folders.runs)
    if any(panel.kind == "gate" for panel in recipe.panels):
        wanted = [TRAINING.parent / folder for folder in recipe.data.negatives]
        is_try = folders.state != folders.runs
        folders_there = picture_folders(wanted, required=not is_try)
        if len(folders_there) < len(wanted):
            sys.stderr.write("a try without pictures: `make negatives` fetches them\n")
        library = gate_library(library, recipe, folders_there)
    return library


def _train(options: argparse.Namespace) -> None:
    recipe, folders = _read(options), _Folders.of(options)
    pack_folder()  # TensorFlow takes seconds to load; that there are no films is told at once
    if not isinstance(recipe, Recipe):
        segmentation.train(
            recipe,
            cache=folders.runs,
            state=folders.state,
            weights=folders.weights,
            reports=folders.reports,
            limit=options.limit,
        )
        return
    import keras  # noqa: PLC0415 - TensorFlow takes seconds to load; --help must not

    from hilum_training.learning.whole_training import train_network  # noqa: PLC0415 - likewise

    keras.utils.set_random_seed(recipe.seed)
    library = _library(recipe, folders)
    check_coverage(recipe.panels, library)
    train, validation = (
        films.first(options.limit) for films in (library.train, library.validation)
    )
    told = (folders.state, folders.reports, _rival(recipe, options.epochs))
    network = train_network(recipe, train, validation, *told)
    save_weights(network, weights_path(folders.weights, recipe.name))


def _rival(recipe: Recipe, epochs: int | None) -> Recipe | None:
    """The network beside which this one is distilled, if it is."""
    if recipe.distil is None:
        return None
    path = named_files(TRAINING / "recipes" / RIVALS, [recipe.distil.rival])[0]
    return read_rival(path).recipe(recipe).with_epochs(epochs)


def _evaluate(options: argparse.Namespace) -> None:
    recipe, folders = _read(options), _Folders.of(options)
    pack_folder()
    if not isinstance(recipe, Recipe):
        metrics = segmentation.evaluate(
            recipe, cache=folders.runs, weights=folders.weights, reports=folders.reports
        )
        _say(segmentation.headlines(metrics))
        return
    from hilum_training.evaluation.evaluate import (  # noqa: PLC0415 - loads TensorFlow
        evaluate,
        headlines,
    )
    from hilum_training.evaluation.shortcuts.lung_fields import (  # noqa: PLC0415 - likewise
        shipped_lungs,
    )
    from hilum_training.population.probe import probe_path  # noqa: PLC0415 - likewise

    network = load_network(folders.weights, recipe)
    library = _library(recipe, folders)
    lungs = shipped_lungs(folders.weights, TRAINING / "recipes")
    kept = folders.state / "heatmaps"
    reports, pack = folders.reports, pack_folder()
    probe = probe_path(folders.weights, recipe.name)
    _say(headlines(evaluate(recipe, library, network, reports, pack, lungs, kept, probe)))


def _points(options: argparse.Namespace) -> None:
    from hilum_training.evaluation.kept_answers import (  # noqa: PLC0415 - takes seconds
        kept_answers,
        points_lines,
    )
    from hilum_training.population.probe import probe_path  # noqa: PLC0415 - likewise

    recipe, folders = _read(options), _Folders.of(options)
    if not isinstance(recipe, Recipe) or any(panel.kind == "gate" for panel in recipe.panels):
        raise InvalidRecipe(f"{recipe.name} has no panel whose points are taken at sources")
    library = _library(recipe, folders)
    kept = kept_answers(recipe, library, folders.weights, folders.runs)
    _say(points_lines(recipe, library, kept, probe_path(folders.weights, recipe.name)))


def _export(options: argparse.Namespace) -> None:
    recipe, folders = _read(options), _Folders.of(options)
    path = _recipe_file(options)
    places = {
        "weights": folders.weights,
        "repository": folders.repository,
        "replace": options.replace,
    }
    if isinstance(recipe, Recipe):
        from hilum_training.export.export_recipe import (  # noqa: PLC0415 - loads TensorFlow
            export_recipe,
        )

        published = export_recipe(recipe, path, report=folders.reports / recipe.name, **places)
    else:
        published = segmentation.export(recipe, path, reports=folders.reports, **places)
    _say([*map(str, published.parity), str(published.folder)])


def _render(options: argparse.Namespace) -> None:
    from hilum_training.export.render import render  # noqa: PLC0415 - not needed elsewhere

    repository = TRAINING.parent / "model_repository"
    _say([str(folder) for folder in render(repository, Target(options.target), options.out)])


def _say(lines: Sequence[str]) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)


_COMMANDS: Final[dict[str, Any]] = {
    "train": _train,
    "evaluate": _evaluate,
    "points": _points,
    "export": _export,
    "render": _render,
    "data": data_commands.run,
    "baselines": baseline_commands.run,
    "tune": tuning.run,
}


if __name__ == "__main__":
    # The converter to ONNX walks through sets of names. Their order hangs on Python's hash seed,
    # and with it the order of the graph's nodes: an export would differ from the one before.
    if os.environ.get("PYTHONHASHSEED") != "0":
        fixed = {**os.environ, "PYTHONHASHSEED": "0"}
        os.execve(sys.executable, [sys.executable, "-m", "hilum_training", *sys.argv[1:]], fixed)  # noqa: S606 - ourselves again
    sys.exit(main())
