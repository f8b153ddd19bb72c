"""Train, evaluate and export a tiny segmentation, on chests that the test draws."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import numpy as np
import pytest

from hilum.domain.model import ModelManifest
from hilum_training.films.pack import PackMissing
from hilum_training.segmentation.masks import list_outlines
from hilum_training.segmentation.recipe import STRUCTURES, LossRecipe
from tests.unit.training.film_folders import FilmFolder, texture
from tests.unit.training.mask_folders import Chest
from tests.unit.training.tiny_masks import SHIPPED, TINY, drawn_pack

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
tf = pytest.importorskip("tensorflow", reason="needs the training environment: make test-training")

import keras  # noqa: E402 - after the skip

from hilum_training.segmentation import commands  # noqa: E402 - after the skip
from hilum_training.segmentation.augmentation import augment_masked  # noqa: E402 - after the skip
from hilum_training.segmentation.fit import SegmentationFit  # noqa: E402 - after the skip
from hilum_training.segmentation.graph import MASKS, SegmentationGraph  # noqa: E402 - likewise
from hilum_training.segmentation.library import open_masks  # noqa: E402 - after the skip
from hilum_training.segmentation.network import build_unet, load_unet  # noqa: E402 - after the skip
from hilum_training.segmentation.objective import anatomy_loss, mask_loss  # noqa: E402 - likewise
from hilum_training.segmentation.predict import served_masks  # noqa: E402 - after the skip
from hilum_training.weights import WeightsMissing, save_weights, weights_path  # noqa: E402 - after the skip


@pytest.fixture
def pack(tmp_path, monkeypatch):
    """Twelve drawn films of each convention."""
    folder = drawn_pack(tmp_path / "pack")
    monkeypatch.setenv("HILUM_CXR_DIR", str(folder))
    return folder


def test_the_path_from_masks_to_the_model_repository(pack, tmp_path):
    """Trained, measured and exported by the commands; the served masks are those of the weights."""
    weights, reports = tmp_path / "weights", tmp_path / "reports"
    places = {"cache": tmp_path / "cache", "weights": weights, "reports": reports}
    commands.train(TINY, state=tmp_path / "state", **places)
    assert (reports / "lungs/epochs.csv").read_text().startswith("epoch,")
    metrics = commands.evaluate(TINY, **places)
    assert metrics == json.loads((reports / "lungs/metrics.json").read_text())
    rows = metrics["panels"]["lungs"]["structures"]
    assert {row["structure"] for row in rows} == {*STRUCTURES, "lung_fields"}
    assert len(commands.headlines(metrics)) == len(rows)
    names = {path.name for path in (reports / "lungs").iterdir()}
    assert names == {
        "epochs.csv",
        "metrics.json",
        "dice.svg",
        "cardiothoracic.svg",
        "films.png",
    }
    written = (reports / "lungs/metrics.json").read_bytes()
    commands.evaluate(TINY, **places)
    assert (reports / "lungs/metrics.json").read_bytes() == written
    recipe = tmp_path / "ours.toml"
    published = commands.export(
        TINY, recipe, weights=weights, reports=reports, repository=tmp_path / "repository"
    )
    assert "Nobody has written a card" in (published.folder / "MODEL_CARD.md").read_text()
    manifest = ModelManifest.from_json((published.folder / "manifest.json").read_text())
    assert manifest.output("masks", "lungs").shape == (64, 64, 4)
    assert manifest.output("masks", "lungs").dtype == "uint8"
    films = open_masks(TINY, pack, tmp_path / "cache").test.films.inputs
    masks = served_masks(weights, films, TINY)
    assert masks.shape == (len(films), 64, 64, 4)
    assert masks.dtype == np.uint8


def test_films_are_divided_with_their_masks(pack, tmp_path):
    """Every film with masks is in one split; its targets and what is known of it fit its masks."""
    library = open_masks(TINY, pack, tmp_path / "cache")
    parts = [library.train, library.validation, library.test]
    files = [film.file for part in parts for film in part.films.films]
    assert sorted(files) == sorted(list_outlines(pack))
    for part in parts:
        assert part.targets.shape == (len(part.outlines), 32, 32, 4)
        for row, film in enumerate(part.films.films):
            known = {"montgomery": [1, 1, 0, 0], "kermany": [0, 0, 1, 0], "cohen": [1, 1, 1, 1]}
            assert part.known[row].tolist() == [bool(k) for k in known[film.source]]
            assert part.targets[row].any(axis=(0, 1)).tolist() == part.known[row].tolist()
    assert len(library.train.first(5).outlines) == len(library.train.first(5).films.films) == 5


def test_a_pack_without_masks_is_reported(tmp_path):
    """Films alone do not train a segmentation; the message says what is missing."""
    folder = FilmFolder(tmp_path / "pack")
    folder.add("one", texture(1), "normal")
    with pytest.raises(PackMissing, match="masks"):
        open_masks(TINY, folder.close(), tmp_path / "cache")


def test_without_weights_or_report_nothing_is_exported(pack, tmp_path):
    """Figures of other weights are never published with a graph."""
    places = {"weights": tmp_path / "weights", "reports": tmp_path / "reports"}
    with pytest.raises(WeightsMissing, match="no weights"):
        commands.evaluate(TINY, cache=tmp_path / "cache", **places)
    commands.train(TINY, cache=tmp_path / "cache", state=tmp_path / "state", **places)
    (tmp_path / "reports/lungs/metrics.json").write_text(json.dumps({"weights": "others"}))
    recipe = tmp_path / "ours.toml"
    with pytest.raises(WeightsMissing, match="other weights"):
        commands.export(TINY, recipe, repository=tmp_path / "repository", **places)
    assert not (tmp_path / "repository").exists()


def test_training_learns_the_drawn_chests_and_goes_on_after_a_stop(pack, tmp_path):
    """Lungs are found on unseen drawings; a run that was stopped takes up where it was."""
    recipe = TINY.with_epochs(10)
    library = open_masks(recipe, pack, tmp_path / "cache")
    keras.utils.set_random_seed(recipe.seed)
    first = SegmentationFit(recipe, library.train, library.validation, tmp_path / "run").run()
    assert [row["epoch"] for row in first] == list(range(1, 11))
    assert first[-1]["loss"] < 0.7 * first[0]["loss"]
    dice = [row["validation_dice_lungs_with_heart"] for row in first]
    assert dice[-1] > dice[0] + 0.2
    again = SegmentationFit(recipe, library.train, library.validation, tmp_path / "run")
    assert again.run() == first
    kept = keras.models.load_model(tmp_path / "run/best.keras", compile=False)
    assert kept.output_shape == (None, 32, 32, 4)


def test_a_film_of_one_convention_leaves_the_other_s_structures_alone():
    """The supervised loss has no gradient for a structure of which the masks say nothing."""
    rng = np.random.default_rng(0)
    logits = tf.Variable(rng.normal(size=(2, 8, 8, 4)).astype(np.float32))
    targets = rng.integers(0, 2, (2, 8, 8, 4)).astype(np.float32)
    known = np.array([[1, 1, 0, 0], [0, 0, 1, 0]], dtype=np.float32)
    with tf.GradientTape() as tape:
        loss = mask_loss(logits, targets, known, LossRecipe(dice=1.0, anatomy=0.0), 0.0)
    gradient = np.abs(tape.gradient(loss, logits).numpy()).sum(axis=(1, 2))
    assert ((gradient > 0) == (known > 0)).all()


def test_masks_like_the_targets_cost_almost_nothing():
    """The loss falls from that of a coin to nearly none as the logits take the targets' side."""
    chest = Chest(1).structures
    targets = np.stack([chest[name] for name in STRUCTURES], axis=-1)[np.newaxis].astype(np.float32)
    known = np.ones((1, 4), dtype=np.float32)
    right, wrong = (
        float(mask_loss(sign * 12 * (targets - 0.5), targets, known, SHIPPED.loss, 0.0))
        for sign in (1, -1)
    )
    assert right < 0.03
    assert wrong > 5


def test_anatomy_costs_what_no_chest_has():
    """Nothing for a drawn chest; something for fields outside the lungs or within the heart."""
    chest = Chest(1).structures
    masks = np.stack([chest[name] for name in STRUCTURES], axis=-1)[np.newaxis].astype(np.float32)
    assert float(anatomy_loss(masks)) == pytest.approx(0.0)
    for channel, mask in (
        (0, np.ones_like(chest["heart"])),
        (1, chest["left_lung"] | chest["heart"]),
        (3, np.zeros_like(chest["heart"])),
    ):
        changed = masks.copy()
        changed[0, ..., channel] = mask
        assert float(anatomy_loss(changed)) > 0.01


def test_a_mirrored_film_exchanges_the_sides():
    """What is mirrored is the film, the masks, and which of them is the right lung."""
    films = np.zeros((1, 64, 64, 1), dtype=np.uint8)
    films[:, :, :20] = 200
    targets = np.zeros((1, 32, 32, 4), dtype=np.uint8)
    targets[:, :, :10, 0] = 255
    known = np.array([[1, 0, 1, 0]], dtype=np.float32)
    ranges = [0.0] * 9
    mirror = type(SHIPPED.augment)(*ranges)
    mirror = replace(mirror, flip=1.0)
    x, y, told = augment_masked(films, targets, known, np.array([0, 0]), mirror)
    assert np.allclose(x.numpy(), films[:, :, ::-1], atol=0.01)
    assert np.allclose(y.numpy()[..., 1], targets[:, :, ::-1, 0] / 255, atol=1e-3)
    assert np.allclose(y.numpy()[..., 0], 0)
    assert told.numpy().tolist() == [[0, 1, 1, 0]]


def test_film_and_masks_are_moved_alike():
    """A bright block and its mask stay on one another through rotation, zoom and shift."""
    films = np.zeros((4, 64, 64, 1), dtype=np.uint8)
    films[:, 20:44, 12:30] = 255
    targets = np.repeat(films[:, ::2, ::2], 4, axis=3)
    ranges = replace(
        SHIPPED.augment, flip=0.5, gamma=0.0, contrast=0.0, noise=0.0, blur=0.0, occlude=0.0
    )
    known = np.ones((4, 4), np.float32)
    x, y, _ = augment_masked(films, targets, known, np.array([1, 2]), ranges)
    block = tf.nn.avg_pool2d(x, 2, 2, "VALID").numpy()[..., 0] / 255
    assert not np.allclose(block, films[:, ::2, ::2, 0] / 255)
    for channel in range(4):
        assert np.abs(block - y.numpy()[..., channel]).mean() < 0.01


def test_the_graph_answers_bytes_at_the_film_s_size():
    """Masks are 255 times the probability, enlarged to the film."""
    network = build_unet(TINY)
    film = np.full((2, 64, 64, 1), 90, dtype=np.uint8)
    film[1, 10:50, 10:30] = 10
    answer = np.asarray(SegmentationGraph(network)(film)[MASKS])
    assert answer.dtype == np.uint8
    assert answer.shape == (2, 64, 64, 4)
    logits = np.asarray(network(film.astype(np.float32), training=False))
    coarse = answer.reshape(2, 32, 2, 32, 2, 4).mean(axis=(2, 4)) / 255
    assert np.abs(coarse - 1 / (1 + np.exp(-logits))).mean() < 0.05


def test_weights_are_loaded_by_name(tmp_path):
    """A network comes back from its file with all of its layers."""
    network = build_unet(TINY)
    save_weights(network, weights_path(tmp_path, TINY.name))
    loaded = load_unet(tmp_path, TINY)
    film = np.full((1, 64, 64, 1), 90, dtype=np.float32)
    assert np.allclose(np.asarray(loaded(film)), np.asarray(network(film)), atol=1e-2)
