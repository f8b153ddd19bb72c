"""The fast ways to pieces and outlines give what slow and plain ones give, to the last bit."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from hilum.adapters.inference.inference import open_inference
from hilum.adapters.model_catalogue.model_catalogue import FilesystemModelCatalogue
from hilum.imaging.components import label_components
from hilum.imaging.contour import outer_outline, simplify
from hilum.imaging.golden_films import golden_films
from hilum.imaging.lungs import HALF, main_pieces
from tests.unit.imaging.plain_outlines import plain_outline, plain_pieces, plain_simplified

ROOT = Path(__file__).resolve().parents[3]
PACK = Path(os.environ.get("HILUM_CXR_DIR") or ROOT / "../shared/cxr")
LEVEL = HALF - 0.5
TOLERANCE = 0.35


def agrees(mask):
    """Pieces, the outline and its fewer corners are those of the plain ways."""
    labels, sizes = label_components(mask >= HALF)
    plain_labels, plain_sizes = plain_pieces(mask >= HALF)
    assert np.array_equal(labels, plain_labels)
    assert sizes.tolist() == plain_sizes
    outline = outer_outline(mask.astype(np.float64), LEVEL)
    assert outline.tobytes() == plain_outline(mask, LEVEL).tobytes()
    fewer = simplify(outline, TOLERANCE)
    assert fewer.tobytes() == plain_simplified(outline, TOLERANCE).tobytes()
    return len(outline)


@given(arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_noise_is_outlined_as_the_plain_way_does(mask):
    """Any map, with holes, pieces that touch by a corner, and pieces at the border."""
    agrees(mask)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(30, 60), st.integers(1, 6))
def test_smooth_blobs_are_outlined_as_the_plain_way_does(seed, side, softness):
    """Maps like those of a network: a few soft pieces of some hundred corners."""
    noise = np.random.default_rng(seed).integers(0, 256, (8, 8), dtype=np.uint8)
    size = (side, side + softness)
    agrees(np.asarray(Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC)))


@given(st.integers(3, 300), st.floats(0.01, 3), st.integers(0, 10_000))
def test_long_and_short_polygons_lose_the_same_corners_as_in_the_plain_way(count, tolerance, seed):
    """A polygon about a circle, rough, with more and with fewer corners than numpy is asked for."""
    random = np.random.default_rng(seed)
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    radius = 30 + random.uniform(0, 2, count)
    polygon = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    kept = simplify(polygon, tolerance)
    assert kept.tobytes() == plain_simplified(polygon, tolerance).tobytes()


def test_masks_of_the_shipped_network_are_outlined_as_in_the_plain_way():
    """On films that every checkout can make, each structure's mask, and its largest piece alone."""
    repository = ROOT / "model_repository"
    (lungs,) = (
        model
        for model in FilesystemModelCatalogue(repository).current().models
        if model.name == "lungs"
    )
    films = golden_films(lungs.film_input.shape[0])[-2:]
    answer = open_inference("onnx://", repository).infer(lungs, films)
    masks = answer[lungs.output("masks", "lungs").name]
    corners = [agrees(film[..., k]) for film in masks for k in range(film.shape[2])]
    assert max(corners) > 100
    for film in masks:
        for piece in main_pieces(film[..., 0], "right_lung"):
            agrees(np.where(piece, film[..., 0], 0).astype(np.uint8))


@pytest.mark.skipif(
    not (PACK / "masks.csv").is_file(),
    reason="no collection of chest films at HILUM_CXR_DIR (default ../shared/cxr)",
)
def test_published_masks_are_outlined_as_in_the_plain_way():
    """Masks that people drew on real films, one in five hundred, at the network's resolution."""
    with (PACK / "masks.csv").open(encoding="utf-8", newline="") as stream:
        files = sorted(row["mask"] for row in csv.DictReader(stream))[::500]
    for file in files:
        with Image.open(PACK / file) as stored:
            drawn = stored.convert("L").resize((96, 96), Image.Resampling.BOX)
        assert agrees(np.asarray(drawn)) > 20
