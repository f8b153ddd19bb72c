"""What is taken from a film, and that nothing else is."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from PIL import Image

from hilum_training.evaluation.shortcuts.film_changes import (
    CHANGES,
    border_covered,
    coarse,
    corners_covered,
    cover,
    equalised,
)
from hilum_training.evaluation.shortcuts.lung_fields import pack_lung_fields
from tests.unit.training.film_folders import texture
from tests.unit.training.panel_answers import film

FILMS = np.stack([texture(seed, 100, 100) for seed in range(3)])[..., np.newaxis]


@pytest.mark.parametrize("name", sorted(CHANGES))
def test_a_change_keeps_shape_and_type_and_the_original(name):
    """The network takes what comes out, and the library's films are not touched."""
    before = FILMS.copy()
    changed = CHANGES[name](FILMS)
    assert (changed.shape, changed.dtype) == (FILMS.shape, np.uint8)
    assert not np.array_equal(changed, FILMS)
    assert np.array_equal(FILMS, before)


def test_the_border_is_one_grey_and_the_middle_is_the_film():
    """Eight of a hundred pixels along every edge."""
    changed = border_covered(FILMS)
    assert np.array_equal(changed[:, 8:92, 8:92], FILMS[:, 8:92, 8:92])
    for film_ in changed[..., 0]:
        frame = np.concatenate([film_[:8].ravel(), film_[:, -8:].ravel()])
        assert len(np.unique(frame)) == 1


def test_corners_are_covered_and_edges_between_them_are_not():
    """Text stands in corners; the diaphragm does not."""
    changed = corners_covered(FILMS)
    assert np.array_equal(changed[:, :, 40:60], FILMS[:, :, 40:60])
    assert len(np.unique(changed[0, :10, :20])) == 1


def test_equalising_undoes_a_change_of_exposure():
    """A film and the same film at another gamma come out alike."""
    darker = (255 * (FILMS / 255) ** 1.7).round().astype(np.uint8)
    difference = np.abs(equalised(FILMS).astype(int) - equalised(darker))
    assert difference.mean() < 4
    assert np.abs(FILMS.astype(int) - darker).mean() > 20


def test_half_resolution_takes_away_fine_texture_only():
    """A chequerboard of single pixels turns grey, a smooth film stays."""
    board = np.tile(np.array([[0, 255], [255, 0]], dtype=np.uint8), (50, 50))[np.newaxis, ..., None]
    assert np.ptp(coarse(board)) <= 1
    assert np.abs(coarse(FILMS).astype(int) - FILMS).mean() < 3


def test_each_film_can_be_covered_by_its_own_mask():
    """Masks differ from film to film, and so does what is left."""
    masks = np.zeros((3, 100, 100), dtype=bool)
    masks[1, :50] = True
    changed = cover(FILMS, masks)
    assert np.array_equal(changed[[0, 2]], FILMS[[0, 2]])
    assert len(np.unique(changed[1, :50])) == 1


def test_lung_masks_of_the_pack_are_joined_and_grown(tmp_path):
    """Left and right mask of one film become one, a little larger; other films have none."""
    sides = {"left_lung": slice(60, 80), "right_lung": slice(20, 40)}
    rows = []
    for kind, columns in sides.items():
        mask = np.zeros((200, 100), dtype=np.uint8)
        mask[50:150, columns] = 255
        Image.fromarray(mask).convert("1").save(tmp_path / f"{kind}.png")
        rows.append({"file": "1.png", "mask": f"{kind}.png", "kind": kind})
    rows.append({"file": "0.png", "mask": "none.png", "kind": "airways"})
    with (tmp_path / "masks.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=["file", "mask", "kind"])
        writer.writeheader()
        writer.writerows(rows)
    films = [film(0, "cohen", "covid19"), film(1, "cohen", "covid19")]
    fields = pack_lung_fields(tmp_path, films, 100)
    assert fields.at.tolist() == [1]
    assert fields.inside[0, 50, 30]
    assert fields.inside[0, 50, 70]
    assert fields.inside[0, 50, 82]
    assert not fields.inside[0, 50, 90]
    assert not fields.inside[0, 10, 30]


def test_a_pack_without_masks_has_no_lung_fields(tmp_path):
    """A hospital's own pack need not have any."""
    assert len(pack_lung_fields(tmp_path, [film(0, "local", "normal")], 100).at) == 0
