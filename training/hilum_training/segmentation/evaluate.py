"""Run the trained network over the test films and write its report."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hilum_training.segmentation.figures import draw_agreement, draw_films
from hilum_training.segmentation.measure import (
    between_annotators,
    compare_film,
    kept_by_grid,
    summarise,
)
from hilum_training.segmentation.network import load_unet
from hilum_training.segmentation.predict import graph_masks
from hilum_training.segmentation.ratios import ratio_pair, summarise_ratios
from hilum_training.weights import weights_digest

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from hilum_training.segmentation.library import MaskLibrary, MaskSet
    from hilum_training.segmentation.measure import Agreement
    from hilum_training.segmentation.ratios import RatioPair
    from hilum_training.segmentation.recipe import SegmentationRecipe


def evaluate_masks(
    recipe: SegmentationRecipe, library: MaskLibrary, pack: Path, weights: Path, report: Path
) -> dict[str, Any]:
    """Measure the trained network on the test films.

    Args:
        recipe: What was trained.
        library: Its films.
        pack: Folder of the film pack, for masks in full size.
        weights: Folder of the reference weights.
        report: Folder for ``metrics.json`` and the figures.

    Returns:
        What was written to ``metrics.json``.

    Raises:
        WeightsMissing: The recipe was not trained.
    """
    network = load_unet(weights, recipe)
    masks = graph_masks(network, library.test.films.inputs)
    agreements, pairs = compare_films(library.test, masks, pack)
    parts = (library.train, library.validation, library.test)
    everything = [outlines for part in parts for outlines in part.outlines]
    report.mkdir(parents=True, exist_ok=True)
    draw_agreement(agreements, pairs, report)
    digest = weights_digest(network)
    metrics = {
        "network": recipe.name,
        "version": recipe.version,
        "created": _created(report / "metrics.json", digest),
        "weights": digest,
        "parameters": network.count_params(),
        "research_use_only": True,
        "films_used": count_films(library),
        "masks_used": count_masks(library),
        "panels": {
            recipe.name: {
                "structures": summarise(agreements),
                "between_annotators": between_annotators(pack, everything),
                "grid": kept_by_grid(pack, library.test.outlines, recipe.film.size // 2),
                "cardiothoracic": summarise_ratios(pairs),
                "films_shown": draw_films(library.test, masks, agreements, pack, report),
            }
        },
    }
    text = json.dumps(metrics, indent=2) + "\n"
    (report / "metrics.json").write_text(text, encoding="utf-8")
    return metrics


def count_films(library: MaskLibrary) -> list[dict[str, Any]]:
    """Films by source, licence and what is outlined on them, in each split."""
    return _count(
        library,
        ("source", "licence", "label"),
        lambda part: [
            (film.source, film.licence, f"masks: {outlines.kind}")
            for film, outlines in zip(part.films.films, part.outlines, strict=True)
        ],
    )


def count_masks(library: MaskLibrary) -> list[dict[str, Any]]:
    """Films by who drew what on them under which licence, in each split."""
    return _count(
        library,
        ("annotator", "masks", "licence"),
        lambda part: [
            (outlines.annotators[kind], kind, outlines.licences[kind])
            for outlines in part.outlines
            for kind in outlines.annotators
        ],
    )


def _count(library: MaskLibrary, keys: tuple[str, ...], of: Any) -> list[dict[str, Any]]:
    splits = {
        "train": library.train,
        "validation": library.validation,
        "test": library.test,
    }
    counts = {name: Counter(of(part)) for name, part in splits.items()}
    kinds = sorted(set().union(*counts.values()))
    return [
        {**dict(zip(keys, kind, strict=True)), **{name: counts[name][kind] for name in splits}}
        for kind in kinds
    ]


def compare_films(
    test: MaskSet, masks: NDArray[Any], pack: Path
) -> tuple[list[Agreement], list[RatioPair]]:
    """How masks agree with what is outlined on their films.

    Args:
        test: N films.
        masks: uint8 [N, h, w, K], as served.
        pack: Folder of the film pack, for masks in full size.

    Returns:
        A row for each structure that is outlined on a film, and the pairs of ratios.
    """
    agreements: list[Agreement] = []
    pairs: list[RatioPair] = []
    for index, film in enumerate(test.films.films):
        outlines, found = test.outlines[index], masks[index]
        agreements += compare_film(film, test.films.clusters[index], outlines, found, pack)
        pair = ratio_pair(film, outlines, found, pack)
        if pair is not None:
            pairs.append(pair)
    return agreements, pairs


def _created(path: Path, digest: str) -> str:
    """The date on which these weights were first measured, so that a rerun changes nothing."""
    if path.is_file():
        earlier = json.loads(path.read_text(encoding="utf-8"))
        if earlier.get("weights") == digest:
            return str(earlier["created"])
    return datetime.now(UTC).date().isoformat()
