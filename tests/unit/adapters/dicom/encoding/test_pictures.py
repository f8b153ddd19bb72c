"""What viewers show of secondary captures, presentation states and segmentations."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from highdicom.seg import segread
from PIL import ImageColor
from pydicom import dcmread

from hilum.adapters.dicom.encoding.drawing import LONGEST_SIDE
from hilum.adapters.dicom.encoding.segmentation import mask_of
from hilum.adapters.dicom.encoding.source import source_of
from hilum.domain.destination import EncodingOptions, ObjectKind
from tests.unit.adapters.dicom.encoding import results
from tests.unit.adapters.dicom.encoding.test_objects import data_set, encoded, file_of

YELLOW = ImageColor.getrgb("#ffe14d")


def capture(result) -> np.ndarray:
    one = encoded(result, ObjectKind.SC)[ObjectKind.SC]
    return data_set(one).pixel_array


def place_of_image(pixels: np.ndarray) -> tuple[int, int]:
    """Return row and column of the image's upper left corner in a capture."""
    bar = round(max(14, round(results.SIDE / 60)) * 2.2)
    return bar, (pixels.shape[1] - results.SIDE) // 2


def test_a_capture_shows_the_box_where_it_is_and_leaves_the_corners_alone():
    """Boxes in the finding's colour; the image's own text is not written over."""
    result = results.result()
    pixels = capture(result)
    top, left = place_of_image(pixels)
    image = pixels[top : top + results.SIDE, left : left + results.SIDE]
    row, column = int(results.BOX.y), int(results.BOX.x + 25)
    assert tuple(image[row, column]) == YELLOW
    for corner in (np.s_[:30, :30], np.s_[:30, -30:], np.s_[-30:, :30], np.s_[-30:, -30:]):
        assert np.array_equal(image[corner][..., 0], result.film.pixels[corner])
        assert np.array_equal(image[corner][..., 0], image[corner][..., 2])
    assert max(pixels.shape) <= LONGEST_SIDE


def test_a_capture_says_above_and_below_what_it_is():
    """Something is written in both bars, and its attributes say the same."""
    one = encoded(results.result(), ObjectKind.SC)[ObjectKind.SC]
    made = data_set(one)
    pixels = made.pixel_array
    assert (pixels[:25] > 200).any()
    assert (pixels[-25:] > 200).any()
    assert made.BurnedInAnnotation == "YES"
    assert made.ImageType[0] == "DERIVED"
    assert "research use only, not for diagnosis" in made.DerivationDescription
    source = dcmread(io.BytesIO(results.image()))
    assert made.SourceImageSequence[0].ReferencedSOPInstanceUID == source.SOPInstanceUID


def test_an_inverted_image_is_shown_as_people_see_it():
    """With its grey scale inverted, and boxes at the same pixels."""
    usual = results.result()
    plain, inverted = (
        capture(replace(usual, analysis=results.analysis(inverted=flag))) for flag in (False, True)
    )
    top, left = place_of_image(plain)
    inside = np.s_[top + 200 : top + 250, left + 200 : left + 250, 0]
    assert np.array_equal(255 - plain[inside], inverted[inside])
    row, column = top + int(results.BOX.y), left + int(results.BOX.x + 25)
    assert tuple(inverted[row, column]) == YELLOW


def test_heat_stands_where_a_finding_has_no_box():
    """And not where its map lies outside the lungs."""
    (panel,) = results.analysis().panels

    def shown(finding):
        changed = replace(panel, findings=(finding, *panel.findings[1:]))
        return capture(results.result(analysis=results.analysis(panels=(changed,))))

    bare = replace(results.TUBERCULOSIS, boxes=())
    warm = shown(bare)
    top, left = place_of_image(warm)
    patch = warm[top + 40 : top + 60, left + 40 : left + 60].astype(int)
    assert np.abs(patch[..., 0] - patch[..., 2]).max() > 10
    cold = shown(replace(bare, map_in_lungs=0.1))
    patch = cold[top + 40 : top + 60, left + 40 : left + 60]
    assert np.array_equal(patch[..., 0], patch[..., 2])


@pytest.mark.parametrize(
    ("photometric", "shape"), [("MONOCHROME1", "INVERSE"), ("MONOCHROME2", "IDENTITY")]
)
def test_a_presentation_state_keeps_window_and_polarity(photometric, shape):
    """And draws box, outlines and notice in one layer, in pixels."""
    content = results.image(
        PhotometricInterpretation=photometric, WindowCenter=2000, WindowWidth=4000
    )
    made = data_set(encoded(results.result(content), ObjectKind.GSPS)[ObjectKind.GSPS])
    assert made.PresentationLUTShape == shape
    (window,) = made.SoftcopyVOILUTSequence
    assert (float(window.WindowCenter), float(window.WindowWidth)) == (2000, 4000)
    (layer,) = made.GraphicLayerSequence
    (annotation,) = made.GraphicAnnotationSequence
    assert annotation.GraphicLayer == layer.GraphicLayer
    graphics = annotation.GraphicObjectSequence
    assert {item.GraphicAnnotationUnits for item in graphics} == {"PIXEL"}
    assert list(graphics[0].GraphicData[:2]) == [results.BOX.x, results.BOX.y]
    assert len(graphics) == 4  # two boxes, two lungs
    texts = [item.UnformattedTextValue for item in annotation.TextObjectSequence]
    assert any("research use only" in text for text in texts)
    assert any("0.91" in text for text in texts)


def test_pixels_that_are_not_square_are_shown_in_their_proportions():
    """Height over width, as whole numbers."""
    result = results.result(analysis=results.analysis(pixel_aspect=1.5))
    made = data_set(encoded(result, ObjectKind.GSPS)[ObjectKind.GSPS])
    (area,) = made.DisplayedAreaSelectionSequence
    assert list(area.PresentationPixelAspectRatio) == [3, 2]


def test_an_image_in_colour_has_no_presentation_state():
    """It would be shown in grey."""
    from hilum.adapters.dicom.encoding.result_encoder import HighdicomEncoder  # noqa: PLC0415

    context = results.result().context
    colour = results.image(SamplesPerPixel=3, PhotometricInterpretation="RGB")
    result = replace(results.result(), context=results.context_of(colour))
    assert context != result.context
    made = HighdicomEncoder().encode(result, [ObjectKind.GSPS], EncodingOptions())
    assert "in colour" in made[ObjectKind.GSPS]


@pytest.mark.parametrize("jpeg_2000", [False, True])
def test_a_segmentation_holds_the_lungs_that_were_outlined(jpeg_2000):
    """As highdicom's own reader reads it, pixel by pixel."""
    result = results.result()
    options = EncodingOptions(jpeg_2000_seg=jpeg_2000)
    one = encoded(result, ObjectKind.SEG, options=options)[ObjectKind.SEG]
    read = segread(io.BytesIO(file_of(one)))
    assert [segment.SegmentLabel for segment in read.SegmentSequence] == ["Right lung", "Left lung"]
    lungs = result.analysis.structures[0].structures
    for mask, lung in zip(read.pixel_array, lungs, strict=True):
        assert np.array_equal(mask, mask_of(lung, source_of(result)))
        assert abs(mask.sum() - np.pi * 40 * 80) < 200
        rows, columns = np.nonzero(mask)
        assert abs(columns.mean() + 0.5 - np.mean([x for x, _ in lung.outlines[0]])) < 1
        assert abs(rows.mean() + 0.5 - 128) < 1
    assert "PixelMeasuresSequence" not in read.SharedFunctionalGroupsSequence[0]
