"""Grey in three samples with a mark in colour, or with noise: most pixels tell what they are."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from pydicom import uid

from hilum.domain.errors import ColourFilm
from tests.unit.adapters.dicom import films
from tests.unit.adapters.dicom.recast import recast
from tests.unit.adapters.dicom.test_colours import ENCODERS, full_range
from tests.unit.imaging.pictures import colour_photograph

GREY = (48 + films.scene(bits=8) * (179 / 255)).astype(np.uint8)
MARK = np.zeros(GREY.shape, bool)
MARK[8:16, 90:104] = True
RGB = np.stack([GREY] * 3, axis=-1)
MARKED = np.where(MARK[..., np.newaxis], np.uint8([255, 0, 0]), RGB)
ONE_PIXEL = RGB.copy()
ONE_PIXEL[10, 95] = [255, 0, 0]
NOISE = np.random.default_rng(7).integers(-4, 5, RGB.shape)


def luminance(rgb):
    """Luminance of red, green and blue (ITU-R BT.601)."""
    return np.rint(rgb.astype(float) @ [0.299, 0.587, 0.114])


def rgb_of(ybr):
    """YBR_FULL as RGB (PS3.3 C.7.6.3.1.2)."""
    y, blue, red = (ybr[..., index].astype(float) for index in range(3))
    blue, red = blue - 128, red - 128
    rgb = np.stack([y + 1.402 * red, y - 0.344136 * blue - 0.714136 * red, y + 1.772 * blue], -1)
    return rgb.clip(0, 255)


def partial_range(ybr):
    """YBR_FULL as YBR_PARTIAL (ITU-R BT.601)."""
    y = 16 + ybr[..., :1].astype(float) * 219 / 255
    pair = 128 + (ybr[..., 1:].astype(float) - 128) * 224 / 255
    return np.rint(np.concatenate([y, pair], axis=-1)).astype(np.uint8)


def off(reader, data, truth):
    """Largest distance of the image that is read from the grey that it is of."""
    return np.abs(reader.read(data).pixels - truth).max()


@pytest.mark.parametrize("label", ["RGB", "YBR_FULL"])
@pytest.mark.parametrize("pixels", [MARKED, ONE_PIXEL], ids=["mark", "pixel"])
@pytest.mark.parametrize("name", ENCODERS)
def test_a_mark_in_colour_does_not_hide_the_colours(name, pixels, label, reader):
    """Marked RGB and its twin in YBR give the grey under either label."""
    for stored in (pixels, full_range(pixels)):
        data = recast(ENCODERS[name](stored), PhotometricInterpretation=label)
        assert off(reader, data, luminance(pixels)) <= 1
        assert np.array_equal(reader.read(data).pixels[~MARK], GREY[~MARK])


@pytest.mark.parametrize("label", ["RGB", "YBR_FULL"])
@pytest.mark.parametrize("name", ENCODERS)
def test_noise_does_not_hide_the_colours(name, label, reader):
    """Samples up to 4 off are the grey of what most of them are, under either label."""
    noisy = np.clip(RGB + NOISE, 0, 255).astype(np.uint8)
    ybr = np.clip(full_range(RGB) + NOISE, 0, 255).astype(np.uint8)
    for stored, truth in ((noisy, noisy), (ybr, rgb_of(ybr))):
        data = recast(ENCODERS[name](stored), PhotometricInterpretation=label)
        assert off(reader, data, luminance(truth)) <= 1


@pytest.mark.parametrize("planar", [0, 1])
@pytest.mark.parametrize("label", ["RGB", "YBR_FULL"])
@pytest.mark.parametrize("noise", [0, NOISE], ids=["mark", "mark and noise"])
def test_a_mark_does_not_hide_the_order_of_planes(noise, label, planar, reader):
    """Marked samples by pixel and by plane are told apart, in both models of colour."""
    rgb, ybr = (
        np.clip(one + noise, 0, 255).astype(np.uint8) for one in (MARKED, full_range(MARKED))
    )
    for stored, truth in ((rgb, rgb), (ybr, rgb_of(ybr))):
        for value in (stored, np.ascontiguousarray(stored.transpose(2, 0, 1))):
            ds = films.dataset(
                stored, bits=8, PlanarConfiguration=planar, PhotometricInterpretation=label
            )
            ds.PixelData = value.tobytes()
            assert off(reader, films.file_of(ds), luminance(truth)) <= 1


def test_neighbours_that_are_alike_do_not_change_the_order(reader):
    """A smooth image by plane keeps its order, although its mark is grey in the other."""
    rgb = np.empty((200, 200, 3), int)
    rgb[:] = 60 + np.arange(200)[:, np.newaxis, np.newaxis] // 4
    rgb[10:24] = [250, 5, 5]
    rgb = (rgb + np.random.default_rng(8).integers(-4, 5, rgb.shape)).astype(np.uint8)
    ds = films.dataset(rgb, bits=8, PlanarConfiguration=1)
    ds.PixelData = np.ascontiguousarray(rgb.transpose(2, 0, 1)).tobytes()
    assert off(reader, films.file_of(ds), luminance(rgb)) <= 1


@pytest.mark.parametrize("label", ["RGB", "YBR_FULL"])
def test_a_mark_on_an_image_of_12_bits(label, reader):
    """Marked RGB of 12 bits is shown like itself under its own label."""
    deep = MARKED.astype(np.uint16) * 16 + 7
    twin = reader.read(films.film(deep, bits=12)).pixels
    data = films.film(deep, bits=12, PhotometricInterpretation=label)
    assert np.array_equal(reader.read(data).pixels, twin)


@pytest.mark.parametrize("label", ["RGB", "YBR_FULL"])
def test_the_label_stands_where_pixels_say_both(label, reader):
    """An image of little but the middle grey is what its header says."""
    rgb = np.full_like(RGB, 128)
    rgb[:4] = np.arange(112, dtype=np.uint8)[:, np.newaxis] * [2, 1, 1]
    grey = Image.fromarray(rgb, "RGB" if label == "RGB" else "YCbCr").convert("RGB").convert("L")
    data = recast(ENCODERS["rle"](rgb), PhotometricInterpretation=label)
    assert np.array_equal(reader.read(data).pixels, np.asarray(grey))


@pytest.mark.parametrize("label", ["RGB", "YBR_FULL"])
@pytest.mark.parametrize("name", ENCODERS)
def test_a_photograph_stays_refused(name, label, reader):
    """Real colour is refused in either model under its own label."""
    photograph = colour_photograph()
    stored = photograph if label == "RGB" else full_range(photograph)
    with pytest.raises(ColourFilm):
        reader.read(recast(ENCODERS[name](stored), PhotometricInterpretation=label))


LABELS = ["RGB", "YBR_RCT", "YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_420"]
TINTED = (MARKED * [1.0, 0.9, 0.8]).astype(np.uint8)


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("pixels", [MARKED, TINTED], ids=["mark", "tint"])
def test_a_component_transform_is_undone_once(pixels, label, reader):
    """JPEG 2000 that says that it transformed its components decodes to RGB, whatever the label."""
    data = films.jpeg_2000(uid.JPEG2000Lossless, pixels, bits=8, use_mct=True)
    data = recast(data, PhotometricInterpretation=label)
    assert off(reader, data, luminance(pixels)) <= 1


@pytest.mark.parametrize("label", ["YBR_FULL", "YBR_PARTIAL_420"])
def test_jpeg_2000_has_the_full_range(label, reader):
    """Chrominances in JPEG 2000 without a transform are of full range, whatever the label."""
    data = films.jpeg_2000(uid.JPEG2000Lossless, full_range(TINTED), bits=8, use_mct=False)
    data = recast(data, PhotometricInterpretation=label)
    assert off(reader, data, luminance(TINTED)) <= 2


def paired(ybr):
    """Samples of which two pixels share chrominances, those of the first."""
    pairs = np.empty((*ybr.shape[:2], 2), np.uint8)
    pairs.reshape(-1, 4)[:, :2] = ybr[..., 0].reshape(-1, 2)
    pairs.reshape(-1, 4)[:, 2:] = ybr[:, ::2, 1:].reshape(-1, 2)
    return pairs.tobytes()


@pytest.mark.parametrize(
    ("pixels", "rounding"), [(RGB, 1), (MARKED, 1), (TINTED, 3)], ids=["grey", "mark", "tint"]
)
@pytest.mark.parametrize("layout", ["pairs", "whole", "rle"])
def test_partial_range_is_stretched(layout, pixels, rounding, reader):
    """YBR_PARTIAL_422 has black at 16 and white at 235, also where luminance alone is read."""
    stored = partial_range(full_range(pixels))
    ds = films.dataset(stored, bits=8, PhotometricInterpretation="YBR_PARTIAL_422")
    if layout == "pairs":
        ds.PixelData = paired(stored)
    data = films.file_of(ds)
    if layout == "rle":
        data = recast(ENCODERS["rle"](stored), PhotometricInterpretation="YBR_PARTIAL_422")
    assert off(reader, data, luminance(pixels)) <= rounding


def test_partial_range_of_12_bits(reader):
    """Stretched luminance of 12 bits is shown like its grey twin."""
    deep = films.scene(bits=12)
    ybr = np.full((*deep.shape, 3), 2048, np.uint16)
    ybr[..., 0] = np.rint(256 + deep * (219 * 16 / 4095))
    twin = reader.read(films.film(deep, bits=12)).pixels
    data = films.film(ybr, bits=12, PhotometricInterpretation="YBR_PARTIAL_422")
    assert off(reader, data, twin.astype(float)) <= 1


def test_a_luminance_of_full_range_is_not_stretched(reader):
    """Luminance that reaches from 0 to 255 is of full range, and RGB has no other."""
    stored = films.scene(bits=8)
    middle = np.full_like(stored, 128)
    for pixels in (np.stack([stored, middle, middle], -1), np.stack([stored] * 3, -1)):
        data = films.film(pixels, bits=8, PhotometricInterpretation="YBR_PARTIAL_422")
        assert np.array_equal(reader.read(data).pixels, stored)
