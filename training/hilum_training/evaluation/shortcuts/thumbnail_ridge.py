"""Bacterial or viral pneumonia from a thumbnail: what a question is worth on two splits.

The images of Kermany et al. (Cell 2018) were published with a split of their own. A ridge
regression on a thumbnail has no lung to look at. What it reaches on the published split is
therefore no evidence of the disease, and a network that is quoted on that split says little. The
same regression on the split by patient stands beside it.
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from sklearn.linear_model import Ridge

from hilum_training.evaluation.report_files import write_json
from hilum_training.evaluation.shortcuts.source_probe import THUMBNAIL, thumbnails
from hilum_training.films.library import open_library
from hilum_training.films.pack import pack_folder
from hilum_training.measures.bootstrap import PatientBootstrap, figure
from hilum_training.recipe import read_recipe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hilum_training.films.library import FilmSet, Library

TRAINING: Final = Path(__file__).resolve().parents[3]
SOURCE: Final = "kermany"
POSITIVE: Final = "pneumonia_bacterial"
NEGATIVE: Final = "pneumonia_viral"
BY_PATIENT: Final = "by patient"
AS_PUBLISHED: Final = "as published"
FILE: Final = "thumbnail_ridge.json"
ALPHA: Final = 10.0
_MIDDLE: Final = 0.5


def published_splits(pack: Path) -> dict[str, str]:
    """Return the split in which each image was published, by file.

    A copy in native size has the split of the image that it is a copy of.

    Args:
        pack: Folder of the image pack.
    """
    with (pack / "manifest.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    known = {row["file"]: row.get("split") or "" for row in rows}
    return {
        row["file"]: known[row["file"]] or known.get(row.get("variant_of") or "", "")
        for row in rows
    }


def thumbnail_figures(library: Library, published: Mapping[str, str]) -> dict[str, Any]:
    """Measure the regression on the split by patient and on the published one.

    Args:
        library: Images of a recipe, divided by patient.
        published: From :func:`published_splits`.

    Returns:
        What was asked, and a row for each split. A split without training or test images of both
        kinds has no row.
    """
    parts = [_asked(part) for part in (library.train, library.validation, library.test)]
    every = parts[0].plus(parts[1]).plus(parts[2])
    divided = [
        every.where(lambda film, name=name: published.get(film.file) == name)  # type: ignore[misc]
        for name in ("train", "test")
    ]
    rows = [
        {"split": name, **row}
        for name, teach, ask in (
            (BY_PATIENT, parts[0], parts[2]),
            (AS_PUBLISHED, divided[0], divided[1]),
        )
        if (row := ridge_row(teach, ask))
    ]
    return {
        "method": f"ridge regression on {THUMBNAIL} x {THUMBNAIL} pixels",
        "source": SOURCE,
        "positive": POSITIVE,
        "negative": NEGATIVE,
        "alpha": ALPHA,
        "splits": rows,
    }


def ridge_row(teach: FilmSet, ask: FilmSet) -> dict[str, Any] | None:
    """Fit on some images and measure on others.

    Args:
        teach: Training images, bacterial or viral.
        ask: Test images of the same kinds.

    Returns:
        Counts, AUROC and accuracy with intervals by patient, the share of the larger class, and how
        many test patients have training images; None where a kind is missing on one side.
    """
    sides = [_positive(part) for part in (teach, ask)]
    if any(not len(side) or side.all() or not side.any() for side in sides):
        return None
    model = Ridge(alpha=ALPHA).fit(thumbnails(teach.inputs), sides[0].astype(float))
    scores = np.asarray(model.predict(thumbnails(ask.inputs)), dtype=np.float64)
    draws = PatientBootstrap(ask.clusters)
    share = float(sides[1].mean())
    taught, asked = set(teach.clusters), set(ask.clusters)
    return {
        "training_images": len(teach.films),
        "positive_films": int(sides[1].sum()),
        "negative_films": int((~sides[1]).sum()),
        "test_patients": len(asked),
        "test_patients_in_training": len(asked & taught),
        "auroc": draws.area(scores, sides[1]),
        "accuracy": draws.share((scores >= _MIDDLE) == sides[1]),
        "larger_class": figure(max(share, 1 - share)),
    }


def _asked(part: FilmSet) -> FilmSet:
    return part.where(lambda film: film.source == SOURCE and film.label in {POSITIVE, NEGATIVE})


def _positive(part: FilmSet) -> np.ndarray[Any, np.dtype[np.bool_]]:
    return np.array([film.label == POSITIVE for film in part.films], dtype=bool)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write ``reports/baselines/thumbnail_ridge.json``; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipe", type=Path, default=TRAINING / "recipes/chest.toml")
    parser.add_argument("--runs", type=Path, default=TRAINING / "runs", help="decoded images")
    parser.add_argument("--reports", type=Path, default=TRAINING / "reports")
    options = parser.parse_args(arguments)
    pack = pack_folder()
    library = open_library(read_recipe(options.recipe), pack, options.runs)
    found = thumbnail_figures(library, published_splits(pack))
    path = options.reports / "baselines" / FILE
    write_json(path, found)
    for row in found["splits"]:
        sys.stdout.write(f"{row['split']}: AUROC {row['auroc']}, accuracy {row['accuracy']}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
