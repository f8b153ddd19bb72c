"""Write ``model_repository/<name>``: graph, parity check, configuration, manifest, card."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from hilum.imaging.golden_films import golden_films
from hilum.serving.ensemble import ENSEMBLE
from hilum.serving.installed import CARD, MANIFEST, read_installed
from hilum.serving.repository import CONFIG, LABELS, labels_text, write_ensemble
from hilum.serving.target import ONNX_FILE, PYTHON_FILE, Target
from hilum.serving.triton_config import render_config
from hilum_training.export.installing import install, put_back
from hilum_training.export.manifest import build_manifest
from hilum_training.export.model_card import render_card
from hilum_training.export.parity import check_parity, onnx_runtime
from hilum_training.export.triton_parity import triton_runtime
from hilum_training.export.versions import check_same_model, serving_version

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from hilum.domain.model import ModelManifest
    from hilum_training.export.cards import Card
    from hilum_training.export.manifest import Publication
    from hilum_training.export.parity import Answer, Parity

LARGEST_REPOSITORY: Final = 25_000_000


@dataclass(frozen=True, slots=True)
class TrainedNetwork:
    """A network that can be asked and written.

    Attributes:
        answer: uint8 [N, size, size, 1] to outputs by name, in the framework that trained it.
        write_onnx: Writes its graph, the same bytes each time; input ``film``, outputs
            ``<panel>_<meaning>``.
        size: Pixels a side of the film.
    """

    answer: Answer
    write_onnx: Callable[[Path], object]
    size: int


@dataclass(frozen=True, slots=True)
class Published:
    """What came of it: the model's folder, and how far each runtime is from the trained network.

    Attributes:
        folder: ``model_repository/<name>``.
        parity: Of ONNX Runtime, and of Triton where one is installed.
    """

    folder: Path
    parity: tuple[Parity, ...]


def publish(
    publication: Publication,
    network: TrainedNetwork,
    card: Card,
    repository: Path,
    *,
    films: NDArray[np.uint8] | None = None,
    replace: bool = False,
    triton: bool = True,
) -> Published:
    """Export a trained network; the same network and report give the same bytes.

    Everything is made and checked in a temporary folder first, so that a failed export leaves the
    model that is being served as it was. The ensemble of all published models is written anew.

    Args:
        publication: What is said of it.
        network: The network.
        card: Becomes ``MODEL_CARD.md``.
        repository: The model repository.
        films: uint8 [N, size, size, 1] for the parity check, beside the golden films.
        replace: Take the place of the version of the same name, else of the newest one unless that
            is newer, instead of the next number. Other versions stay as they are.
        triton: Hold a real Triton against the network as well, where one is installed.

    Raises:
        ParityLost: The graph is not the network.
        NewerInstalled, OtherModel: See :mod:`hilum_training.export.versions`.
        InvalidManifest: Graph and panels, or the models of the repository, do not fit one another.
        ValueError: The repository would be larger than :data:`LARGEST_REPOSITORY`.
    """
    target = repository / publication.name
    put_back(target)
    number = serving_version(target, publication.version, replace=replace)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / publication.name
        (folder / str(number)).mkdir(parents=True)
        network.write_onnx(folder / str(number) / ONNX_FILE)
        shutil.copyfile(
            Path(__file__).with_name("served_model.py"), folder / str(number) / PYTHON_FILE
        )
        manifest = build_manifest(publication, folder, number)
        check_same_model(target, manifest)
        _write_texts(folder, manifest, card)
        parity = _check(network, folder, manifest, films, triton=triton)
        _check_size(repository, folder, manifest)
        install(folder, manifest, target)
    write_ensemble([model.newest for model in read_installed(repository)], repository / ENSEMBLE)
    return Published(target, parity)


def _write_texts(folder: Path, manifest: ModelManifest, card: Card) -> None:
    for name, text in (
        (LABELS, labels_text(manifest)),
        (CONFIG, render_config(manifest, Target.CPU)),
        (CARD, render_card(card.template, manifest, card.metrics)),
        (MANIFEST, manifest.to_json()),
    ):
        (folder / name).write_text(text, encoding="utf-8")


def _check(
    network: TrainedNetwork,
    folder: Path,
    manifest: ModelManifest,
    films: NDArray[np.uint8] | None,
    *,
    triton: bool,
) -> tuple[Parity, ...]:
    """Every runtime at hand answers as the network does."""
    batch = golden_films(network.size)
    if films is not None:
        batch = np.concatenate([batch, films])
    expected = {name: np.asarray(value) for name, value in network.answer(batch).items()}
    onnx = onnx_runtime(folder / manifest.onnx)
    found = [check_parity(expected, onnx, batch, "ONNX Runtime")]
    if triton:
        with triton_runtime(folder.parent, manifest) as served:
            if served is not None:
                found.append(check_parity(expected, served, batch, "Triton"))
    return tuple(found)


def _check_size(repository: Path, folder: Path, manifest: ModelManifest) -> None:
    others = sum(
        path.stat().st_size
        for path in repository.glob(f"*/*/{ONNX_FILE}")
        if path.parent.parent.name != manifest.name
    )
    size = others + (folder / manifest.onnx).stat().st_size
    if size > LARGEST_REPOSITORY:
        raise ValueError(f"the graphs would take {size} bytes, more than {LARGEST_REPOSITORY}")
