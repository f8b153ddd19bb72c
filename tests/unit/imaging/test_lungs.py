"""Masks read as lungs and heart."""

from __future__ import annotations

import numpy as np
import pytest

from hilum.imaging.lungs import lung_mask, read_structures

LABELS = ("right_lung", "left_lung", "lungs_with_heart", "heart")
SIDE = 224


def ellipse(x, y, width, height):
    """A smooth structure: uint8 [224, 224], 255 inside, the border at the given half axes."""
    rows, columns = (np.mgrid[0:SIDE, 0:SIDE] + 0.5) / SIDE
    reach = np.hypot((columns - x) / width, (rows - y) / height)
    return np.clip(255 * (0.5 + (1 - reach) * 8), 0, 255).astype(np.uint8)


def chest(**changed: np.ndarray):
    """Masks of an upright chest: uint8 [224, 224, 4]; the heart is half as wide as the thorax."""
    masks = {
        "right_lung": ellipse(0.25, 0.45, 0.15, 0.30),
        "left_lung": ellipse(0.75, 0.45, 0.15, 0.30),
        "lungs_with_heart": np.maximum(
            ellipse(0.27, 0.45, 0.17, 0.30), ellipse(0.73, 0.45, 0.17, 0.30)
        ),
        "heart": ellipse(0.52, 0.58, 0.20, 0.15),
    }
    for side in ("right_lung", "left_lung"):
        masks[side] = np.minimum(masks[side], 255 - masks["heart"])
    return np.stack([{**masks, **changed}[label] for label in LABELS], axis=-1)


NOTHING = np.zeros((SIDE, SIDE), dtype=np.uint8)


def test_outlines_are_in_film_pixels_and_sides_are_the_patient_s():
    """On a film of 1000 rows and 800 columns each axis is scaled by its own factor."""
    reading = read_structures(chest(), LABELS, 1000, 800)
    right = reading.structure("right_lung")
    (outline,) = right.outlines
    corners = np.array(outline)
    assert corners.min(axis=0) == pytest.approx([80, 150], abs=1.5)
    assert corners.max(axis=0) == pytest.approx([320, 750], abs=1.5)
    assert right.area_share == pytest.approx((chest()[..., 0] >= 128).mean())
    assert 0.8 < right.area_share / (np.pi * 0.15 * 0.30) < 1
    assert right.plausible
    assert len(outline) < 60


def test_lungs_with_heart_have_two_outlines_and_specks_none():
    """Both lungs of the common mask are outlined; a speck beside them is not."""
    masks = chest()
    masks[2:6, 2:6] = 255
    reading = read_structures(masks, LABELS, 224, 224)
    assert [len(item.outlines) for item in reading.structures] == [1, 1, 2, 1]


def test_the_ratio_is_taken_from_the_heart_where_it_is_seen():
    """Widths of heart and thorax, and where they were measured."""
    ratio = read_structures(chest(), LABELS, 500, 1000).cardiothoracic
    assert ratio.method == "heart_mask"
    assert ratio.value == pytest.approx(0.40 / 0.80, abs=0.01)
    assert ratio.heart == pytest.approx((320, 720), abs=5)
    assert ratio.thorax == pytest.approx((100, 900), abs=5)
    assert ratio.reason == ""


@pytest.mark.parametrize(
    "heart", [NOTHING, ellipse(0.5, 0.6, 0.05, 0.05), ellipse(0.5, 0.6, 0.48, 0.3)]
)
def test_without_a_plausible_heart_the_lungs_inner_borders_are_taken(heart):
    """No heart, a speck, or one as wide as the chest: the gap between the lungs is measured."""
    # Borders that lean outwards to the diaphragm, as a heart makes them.
    right, left = chest()[..., 0].copy(), chest()[..., 1].copy()
    for row in range(130, SIDE):
        right[row, 70:] = 0
        left[row, :165] = 0
    ratio = read_structures(
        chest(right_lung=right, left_lung=left, heart=heart), LABELS, 224, 224
    ).cardiothoracic
    assert ratio.method == "lung_borders"
    assert ratio.heart == pytest.approx((70, 165), abs=1.5)


@pytest.mark.parametrize(
    ("changed", "label", "flag", "reason"),
    [
        ({"left_lung": NOTHING}, "left_lung", "absent", "left lung: absent"),
        ({"left_lung": ellipse(0.7, 0.4, 0.07, 0.1)}, "left_lung", "tiny", "left lung: tiny"),
        ({"right_lung": ellipse(0.3, 0.4, 0.1, 0.12)}, "right_lung", "unequal", "right lung"),
    ],
)
def test_a_lung_that_is_missing_or_small_is_flagged_and_gives_no_ratio(
    changed, label, flag, reason
):
    """A doubtful lung field says so, and nothing is measured on it."""
    reading = read_structures(chest(**changed), LABELS, 224, 224)
    structure = reading.structure(label)
    assert flag in structure.flags
    assert not structure.plausible
    assert bool(structure.outlines) == (flag != "absent")
    assert reading.cardiothoracic.value is None
    assert reading.cardiothoracic.method == ""
    assert reason in reading.cardiothoracic.reason


def test_a_heart_that_the_lung_fields_do_not_leave_room_for_gives_no_ratio():
    """Lung fields drawn over the heart contradict its mask: nothing is guessed."""
    over = {"right_lung": ellipse(0.25, 0.45, 0.2, 0.3), "left_lung": ellipse(0.7, 0.45, 0.2, 0.3)}
    ratio = read_structures(chest(**over), LABELS, 224, 224).cardiothoracic
    assert ratio.value is None
    assert "disagree" in ratio.reason


def test_lungs_on_the_wrong_sides_are_flagged():
    """Right and left exchanged in the picture: neither is believed."""
    masks = chest()[..., [1, 0, 2, 3]]
    reading = read_structures(masks, LABELS, 224, 224)
    assert all("wrong_side" in reading.structure(side).flags for side in LABELS[:2])
    assert reading.cardiothoracic.value is None


def test_empty_masks_give_an_empty_reading():
    """Nothing segmented: no outline, no area, no ratio, and the reason."""
    reading = read_structures(np.zeros((SIDE, SIDE, 4), np.uint8), LABELS, 300, 300)
    assert [item.outlines for item in reading.structures] == [()] * 4
    assert [item.flags for item in reading.structures] == [("absent",)] * 4
    assert reading.cardiothoracic.reason == "right lung: absent"


def test_a_model_without_lung_fields_is_read_without_a_ratio():
    """Other structures are outlined; what is missing is said."""
    reading = read_structures(chest()[..., 2:], LABELS[2:], 224, 224)
    assert len(reading.structures) == 2
    assert "right_lung" in reading.cardiothoracic.reason
    assert reading.structure("right_lung") is None


def test_masks_that_do_not_fit_the_labels_are_refused():
    """Four masks and three names are a defect, not a film."""
    with pytest.raises(ValueError, match="labels"):
        read_structures(chest(), LABELS[:3], 224, 224)


def test_the_lung_mask_unites_the_lung_structures_and_leaves_the_heart():
    """Where any lung structure is likely, the mask is; the heart alone adds nothing."""
    masks = chest(lungs_with_heart=NOTHING)
    united = lung_mask(masks, LABELS)
    assert np.array_equal(united, np.maximum(masks[..., 0], masks[..., 1]))
    assert lung_mask(masks[..., 3:], LABELS[3:]) is None
