"""Three samples per pixel and palettes: the bytes tell what is grey."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread, uid

from hilum.domain.errors import BlankRendering, ColourFilm, UnreadableFilm
from tests.unit.adapters.dicom import films
from tests.unit.adapters.dicom.recast import codestream_of, recast

GREY = films.scene(bits=8)
RGB = np.stack([GREY] * 3, axis=-1)
YBR = np.stack([GREY, np.full_like(GREY, 128), np.full_like(GREY, 128)], axis=-1)
TINTED = (RGB * [1.0, 0.9, 0.8]).astype(np.uint8)

ENCODERS = {
    "native": lambda p: films.film(p, bits=8),
    "rle": lambda p: films.compressed(uid.RLELossless, p, bits=8),
    "jpeg-ls": lambda p: films.compressed(uid.JPEGLSLossless, p, bits=8),
    "jpeg 2000": lambda p: films.jpeg_2000(uid.JPEG2000Lossless, p, bits=8, use_mct=False),
    "jpeg lossless": lambda p: films.through_gdcm("JPEGLosslessProcess14_1", p, bits=8),
}


def full_range(rgb):
    """RGB as YBR_FULL (PS3.3 C.7.6.3.1.2)."""
    red, green, blue = (rgb[..., index].astype(float) for index in range(3))
    y = 0.299 * red + 0.587 * green + 0.114 * blue
    pair = 128 + (blue - y) / 1.772, 128 + (red - y) / 1.402
    return np.rint(np.stack([y, *pair], axis=-1)).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("label", ["RGB", "YBR_FULL"])
@pytest.mark.parametrize("pixels", [RGB, YBR], ids=["grey as rgb", "grey as ybr"])
@pytest.mark.parametrize("name", ENCODERS)
def test_grey_in_three_samples_is_grey_under_any_label(name, pixels, label, reader):
    """Three equal samples, or luminance beside neutral chrominance, give back the grey."""
    data = recast(ENCODERS[name](pixels), PhotometricInterpretation=label)
    assert np.array_equal(reader.read(data).pixels, GREY)


@pytest.mark.parametrize("name", ENCODERS)
def test_a_tint_in_ybr_full_is_converted(name, reader):
    """A tinted film in YBR_FULL shows the luminance of its RGB twin, under any syntax."""
    plain = reader.read(ENCODERS[name](TINTED)).pixels.astype(int)
    data = recast(ENCODERS[name](full_range(TINTED)), PhotometricInterpretation="YBR_FULL")
    assert np.abs(reader.read(data).pixels - plain).max() <= 2


@pytest.mark.parametrize("label", ["RGB", "YBR_FULL_422"])
@pytest.mark.parametrize("adobe", [True, False])
def test_a_tinted_jpeg_is_converted_once(adobe, label, reader):
    """JFIF and Adobe markers tell the colours of a JPEG, and no label doubles the conversion."""
    coded = codestream_of(films.jpeg_baseline(TINTED))
    if adobe:
        marker = b"\xff\xee\x00\x0eAdobe\x00\x64\0\0\0\0\x01"
        coded = coded[:2] + marker + coded[4 + int.from_bytes(coded[4:6], "big") :]
    ds = films.dataset(TINTED, bits=8, PhotometricInterpretation=label)
    shown = reader.read(films.encapsulated(ds, uid.JPEGBaseline8Bit, coded)).pixels
    twin = reader.read(films.film(TINTED, bits=8)).pixels
    assert np.abs(shown.astype(int) - twin).max() <= 6


def coded_rgb(*, named):
    """A JPEG of red, green and blue, with components of these names or of 1, 2 and 3."""
    buffer = io.BytesIO()
    Image.fromarray(TINTED).save(buffer, "JPEG", quality=97, subsampling=0, keep_rgb=True)
    coded = bytearray(buffer.getvalue())
    marker = coded.index(b"\xff\xee")
    del coded[marker : marker + 2 + int.from_bytes(coded[marker + 2 : marker + 4], "big")]
    if not named:
        frame, scan = coded.index(b"\xff\xc0"), coded.index(b"\xff\xda")
        coded[frame + 10 : frame + 19 : 3] = coded[scan + 5 : scan + 11 : 2] = b"\1\2\3"
    return bytes(coded)


@pytest.mark.parametrize("named", [True, False])
def test_a_jpeg_of_rgb_without_a_marker(named, reader):
    """Components called R, G and B, or a label of RGB, keep samples from being converted."""
    ds = films.dataset(TINTED, bits=8)
    shown = reader.read(films.encapsulated(ds, uid.JPEGBaseline8Bit, coded_rgb(named=named))).pixels
    twin = reader.read(films.film(TINTED, bits=8)).pixels
    assert np.abs(shown.astype(int) - twin).max() <= 6


def test_a_jpeg_of_fewer_chrominances_is_no_rgb(reader):
    """Subsampled components without a marker are luminance and chrominances, also under RGB."""
    coded = codestream_of(films.jpeg_baseline(TINTED))
    bare = coded[:2] + coded[4 + int.from_bytes(coded[4:6], "big") :]
    shown = reader.read(
        films.encapsulated(films.dataset(TINTED, bits=8), uid.JPEGBaseline8Bit, bare)
    ).pixels
    twin = reader.read(films.film(TINTED, bits=8)).pixels
    assert np.abs(shown.astype(int) - twin).max() <= 6


@pytest.mark.parametrize("full", [True, False])
def test_native_ybr_full_422(full, reader):
    """Two pixels share chrominances, unless the bytes hold a pair for each pixel."""
    ds = films.dataset(YBR, bits=8, PhotometricInterpretation="YBR_FULL_422")
    if not full:
        pairs = np.full((*GREY.shape, 2), 128, np.uint8)
        pairs.reshape(-1, 4)[:, :2] = GREY.reshape(-1, 2)
        ds.PixelData = pairs.tobytes()
    assert np.array_equal(reader.read(films.file_of(ds)).pixels, GREY)


def test_planar_ybr_full(reader):
    """Planar Configuration 1 puts luminance and chrominances after one another."""
    ds = films.dataset(YBR, bits=8, PlanarConfiguration=1, PhotometricInterpretation="YBR_FULL")
    ds.PixelData = np.ascontiguousarray(YBR.transpose(2, 0, 1)).tobytes()
    assert np.array_equal(reader.read(films.file_of(ds)).pixels, GREY)


@pytest.mark.parametrize("planar", [0, 1])
@pytest.mark.parametrize("pixels", [RGB, YBR], ids=["grey as rgb", "grey as ybr"])
def test_the_bytes_tell_the_order_of_planes(pixels, planar, reader):
    """Samples by pixel and by plane are told apart where they are grey."""
    label = "RGB" if pixels is RGB else "YBR_FULL"
    ds = films.dataset(pixels, bits=8, PlanarConfiguration=planar, PhotometricInterpretation=label)
    by_plane = np.ascontiguousarray(pixels.transpose(2, 0, 1)).tobytes()
    for value in (pixels.tobytes(), by_plane):
        ds.PixelData = value
        assert np.array_equal(reader.read(films.file_of(ds)).pixels, GREY)


@pytest.mark.parametrize("name", [name for name in ENCODERS if name != "native"])
def test_planar_configuration_says_nothing_of_a_codestream(name, reader):
    """Planar Configuration 1 beside compressed pixels does not take them apart."""
    plain = reader.read(ENCODERS[name](TINTED)).pixels
    data = recast(ENCODERS[name](TINTED), PlanarConfiguration=1)
    assert np.array_equal(reader.read(data).pixels, plain)


def test_real_colour_in_ybr_full_is_refused(reader):
    """Chrominances that show pictures of their own make no radiograph."""
    with pytest.raises(ColourFilm):
        reader.read(
            recast(
                ENCODERS["rle"](np.stack([GREY, GREY[::-1], 255 - GREY], axis=-1)),
                PhotometricInterpretation="YBR_FULL",
            )
        )


@pytest.mark.parametrize("bits", [12, 16])
def test_rgb_of_more_than_8_bits_is_shown_like_its_grey_twin(bits, reader):
    """12 bits in 16-bit RGB are not shown nearly black, in either byte order."""
    deep = films.scene(bits=12)
    twin = reader.read(films.film(deep, bits=bits)).pixels
    encoders = (
        lambda p: films.film(p, bits=16),
        lambda p: films.big_endian(p, bits=16),
        lambda p: films.compressed(uid.RLELossless, p, bits=16),
    )
    for encode in encoders:
        rgb = np.stack([deep] * 3, axis=-1)
        data = recast(encode(rgb), BitsStored=bits, HighBit=bits - 1)
        assert np.array_equal(reader.read(data).pixels, twin)


def test_a_damaged_rgb_codestream_is_refused(reader):
    """RGB JPEG Lossless whose body is damaged is unreadable, not a traceback."""
    data = ENCODERS["jpeg lossless"](RGB)
    middle = data.index(codestream_of(data)[-600:-500])
    with pytest.raises(UnreadableFilm):
        reader.read(data[:middle] + b"\xff\xc4" * 40 + data[middle + 80 :])


def palette(entries, descriptor, *, big=False):
    """A film of indices with three equal tables."""
    ds = films.dataset(GREY, bits=8, PhotometricInterpretation="PALETTE COLOR")
    for name in ("Red", "Green", "Blue"):
        setattr(ds, f"{name}PaletteColorLookupTableDescriptor", descriptor)
        setattr(
            ds,
            f"{name}PaletteColorLookupTableData",
            np.asarray(entries).astype(">u2" if big else "<u2").tobytes(),
        )
    if big:
        ds.file_meta.TransferSyntaxUID = uid.ExplicitVRBigEndian
        ds.PixelData = np.frombuffer(ds.PixelData, "<u2").byteswap().tobytes()
        ds["PixelData"].VR = "OW"
    return films.file_of(ds)


RAMP = np.arange(256)[::-1]
PALETTES = {
    "16 bits": palette(RAMP * 257, [256, 0, 16]),
    "big endian": palette(RAMP * 257, [256, 0, 16], big=True),
    "8 bits in words": palette(RAMP, [256, 0, 8]),
    "8 bits that say 16": palette(RAMP, [256, 0, 16]),
    "packed": palette(RAMP.astype(np.uint8).view("<u2"), [256, 0, 8]),
}


@pytest.mark.parametrize("name", PALETTES)
def test_palettes_of_every_depth_and_byte_order(name, reader):
    """A grey palette gives the same film in every way to write it."""
    assert np.array_equal(reader.read(PALETTES[name]).pixels, 255 - GREY)


def test_signed_indices_of_a_palette(reader):
    """Indices in two's complement start at a negative first value."""
    signed = (GREY.astype(int) - 128).astype(np.int8)
    data = recast(palette(RAMP * 257, [256, 128, 16]), PixelRepresentation=1)
    ds = dcmread(io.BytesIO(data))
    ds.PixelData = signed.tobytes()
    for name in ("Red", "Green", "Blue"):
        ds[f"{name}PaletteColorLookupTableDescriptor"].VR = "US"
        setattr(ds, f"{name}PaletteColorLookupTableDescriptor", [256, 65_408, 16])
    assert np.array_equal(reader.read(films.file_of(ds)).pixels, 255 - GREY)


def test_a_palette_lacks_only_entries_that_no_pixel_has(reader):
    """A palette of fewer entries than it says is applied where they suffice."""
    data = palette((RAMP * 257)[:200], [256, 0, 16])
    with pytest.raises(UnreadableFilm, match="shorter"):
        reader.read(data)
    few = dcmread(io.BytesIO(data))
    few.PixelData = np.minimum(GREY, 199).tobytes()
    expected = 255 - np.minimum(GREY, 199)
    assert np.array_equal(reader.read(films.file_of(few)).pixels, expected)


def test_a_palette_without_its_tables_is_refused(reader):
    """PALETTE COLOR without tables is unreadable, with the reason."""
    data = films.film(GREY, bits=8, PhotometricInterpretation="PALETTE COLOR")
    with pytest.raises(UnreadableFilm, match="palette"):
        reader.read(data)


def test_rgb_jpeg_lossless_keeps_its_syntax():
    """The encoder of these tests writes what its name says."""
    ds = dcmread(io.BytesIO(ENCODERS["jpeg lossless"](RGB)))
    assert ds.file_meta.TransferSyntaxUID == uid.JPEGLosslessSV1
    assert ds.SamplesPerPixel == 3


CONSTANT = np.full_like(GREY, 90)
BLANK = {
    "black rgb": (films.film(RGB * 0, bits=8), "same"),
    "rgb of one grey": (films.film(np.stack([CONSTANT] * 3, axis=-1), bits=8), "same"),
    "deep rgb of one grey": (
        films.film(np.stack([CONSTANT.astype(np.uint16)] * 3, axis=-1) * 99, bits=16),
        "same",
    ),
    "rgb of two greys in a row": (films.film(RGB // 255 + 90, bits=8), "one grey throughout"),
    "palette of one colour": (palette(RAMP * 0, [256, 0, 16]), "palette"),
    "one index": (recast(palette(RAMP, [256, 0, 8]), PixelData=CONSTANT.tobytes()), "same"),
}


@pytest.mark.parametrize("name", BLANK)
def test_three_samples_and_palettes_that_show_nothing(name, reader):
    """An image of one grey is refused with the cause, whatever its pixels are made of."""
    data, cause = BLANK[name]
    with pytest.raises(BlankRendering, match=cause):
        reader.read(data)
