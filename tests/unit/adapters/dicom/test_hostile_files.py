"""Damaged, truncated and hostile DICOM files: always a reason, never a traceback."""

from __future__ import annotations

import io
import resource
import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import dcmread, uid
from pydicom.encaps import encapsulate, get_frame

from hilum.adapters.dicom.film_reader import DicomFilmReader
from hilum.domain.errors import (
    BlankRendering,
    CompressionRatioTooHigh,
    FileTooLarge,
    FilmTooSmall,
    MultiFrameFilm,
    NotAnImage,
    Rejected,
    TooManyPixels,
    TruncatedFilm,
    UnreadableFilm,
    UnsupportedFormat,
)
from hilum.imaging.film import FilmLimits
from tests.unit.adapters.dicom import films

SCENE = films.scene(bits=12)
ENCODED = {
    "native": films.film(SCENE, bits=12),
    "rle": films.compressed(uid.RLELossless, SCENE, bits=12),
    "jpeg-ls": films.compressed(uid.JPEGLSLossless, SCENE, bits=12),
    "jpeg 2000": films.jpeg_2000(uid.JPEG2000Lossless, SCENE, bits=12),
    "jpeg": films.jpeg_baseline(films.scene(bits=8)),
    "jpeg lossless": films.through_gdcm("JPEGLosslessProcess14_1", SCENE, bits=12),
}
DEFLATED = films.native(uid.DeflatedExplicitVRLittleEndian, SCENE, bits=12)


def codestream(data):
    """The one frame of an encapsulated film."""
    return get_frame(dcmread(io.BytesIO(data)).PixelData, 0, number_of_frames=1)


@pytest.mark.parametrize("name", ENCODED)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.98])
def test_a_file_cut_in_its_pixels_is_truncated(name, share, reader):
    """A file that ends in the middle of its pixels is refused as truncated."""
    data = ENCODED[name]
    start = data.index(b"\xe0\x7f\x10\x00") + 12
    with pytest.raises(TruncatedFilm):
        reader.read(data[: start + int((len(data) - start) * share)])


def test_a_file_cut_in_its_header_is_truncated(reader):
    """A file that ends before its pixel data element is refused as truncated."""
    data = ENCODED["native"]
    with pytest.raises(TruncatedFilm):
        reader.read(data[: data.index(b"\x28\x00\x00\x01") + 9])


@pytest.mark.parametrize("name", ["jpeg", "jpeg-ls", "jpeg 2000"])
def test_a_codestream_without_its_end_is_truncated(name, reader):
    """A whole DICOM file around half a codestream is still a truncated film."""
    ds = dcmread(io.BytesIO(ENCODED[name]))
    frame = codestream(ENCODED[name])
    ds.PixelData = encapsulate([frame[: len(frame) // 2]])
    with pytest.raises(TruncatedFilm):
        reader.read(films.file_of(ds))


def test_too_few_native_pixels(reader):
    """A whole file whose pixel data is shorter than rows x columns is a truncated film."""
    ds = films.dataset(SCENE, bits=12)
    ds.PixelData = ds.PixelData[:-64]
    with pytest.raises(TruncatedFilm, match="needs"):
        reader.read(films.file_of(ds))


@pytest.mark.parametrize("frames", [2, 300])
def test_several_frames_are_refused(frames, reader):
    """More than one frame is refused, at the door and by the reader."""
    data = films.film(SCENE, bits=12, NumberOfFrames=frames)
    for look in (lambda: reader.inspect(data, len(data)), lambda: reader.read(data)):
        with pytest.raises(MultiFrameFilm, match=str(frames)):
            look()


def test_one_frame_that_says_so_is_read(reader):
    """Number of Frames 1 is a film like any other."""
    assert reader.read(films.film(SCENE, bits=12, NumberOfFrames=1)).pixels.shape == SCENE.shape


def test_an_object_without_pixels_is_no_image(reader):
    """A report is refused with the name of its kind, at the door and by the reader."""
    ds = films.dataset(SCENE, bits=12, PixelData=None, Rows=None, Columns=None)
    ds.SOPClassUID = uid.BasicTextSRStorage
    data = films.file_of(ds)
    for look in (lambda: reader.inspect(data, len(data)), lambda: reader.read(data)):
        with pytest.raises(NotAnImage, match="Basic Text SR"):
            look()


def test_a_long_object_without_pixels_is_refused_from_its_prefix(reader):
    """Elements beyond the place of the image attributes show early that there are none."""
    ds = films.dataset(SCENE, bits=12, PixelData=None, Rows=None, Columns=None)
    ds.SOPClassUID = uid.EncapsulatedPDFStorage
    ds.EncapsulatedDocument = b"%PDF" * 50_000
    data = films.file_of(ds)
    with pytest.raises(NotAnImage):
        reader.inspect(data[:4096] + b"", len(data))


def test_float_pixels_are_no_picture(reader):
    """A parametric map is refused."""
    ds = films.dataset(SCENE, bits=12, PixelData=None)
    ds.FloatPixelData = np.zeros(SCENE.shape, "<f4").tobytes()
    with pytest.raises(NotAnImage, match="parametric"):
        reader.read(films.file_of(ds))


def test_limits_are_checked_before_pixels_are_decoded():
    """Bytes, pixels and compression ratio over a limit are refused, with the limit in the text."""
    data = ENCODED["jpeg"]
    with pytest.raises(FileTooLarge, match="limit is 1000 bytes"):
        DicomFilmReader(FilmLimits(max_bytes=1000)).read(data)
    with pytest.raises(TooManyPixels, match="limit is 5000 pixels"):
        DicomFilmReader(FilmLimits(max_pixels=5000)).read(data)
    with pytest.raises(CompressionRatioTooHigh, match="ratio of 2"):
        DicomFilmReader(FilmLimits(max_compression_ratio=2)).read(data)


def test_a_small_codestream_cannot_hide_behind_a_large_file(reader):
    """The ratio is taken over the encoded pixels, not over the file around them."""
    ds = dcmread(io.BytesIO(ENCODED["jpeg"]))
    ds.Rows = ds.Columns = 5000
    ds.add_new((0x0029, 0x1010), "OB", b"\0" * 2_000_000)
    with pytest.raises(CompressionRatioTooHigh):
        reader.read(films.file_of(ds))


@pytest.mark.parametrize("name", ["jpeg", "jpeg-ls", "jpeg 2000", "jpeg lossless"])
def test_a_codestream_larger_than_its_dataset_is_not_decoded(name, reader):
    """A codestream that claims another size than Rows and Columns is refused unread."""
    ds = dcmread(io.BytesIO(ENCODED[name]))
    ds.Rows -= 16
    with pytest.raises(UnreadableFilm, match="codestream"):
        reader.read(films.file_of(ds))


def test_an_rle_bomb_stays_within_the_picture(reader):
    """RLE runs that would fill gigabytes stop at the size of the picture."""
    run = b"\x81\x00" * 8_000_000
    header = struct.pack("<16L", 2, 64, 64 + len(run), *([0] * 13))
    ds = films.dataset(SCENE, bits=12)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(BlankRendering, match="same stored value"):
        reader.read(films.encapsulated(ds, uid.RLELossless, header + run + run))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    # 16 million runs of 128 would be 2 GiB.
    assert grown < 300 * 1024


def test_a_deflate_bomb_is_refused():
    """A deflated dataset that inflates beyond the limits is refused by whoever inflates it all."""
    ds = films.dataset(SCENE, bits=12)
    ds.add_new((0x0029, 0x1010), "OB", b"\0" * 40_000_000)
    ds.file_meta.TransferSyntaxUID = uid.DeflatedExplicitVRLittleEndian
    data = films.file_of(ds)
    reader = DicomFilmReader(FilmLimits(max_pixels=100_000))
    assert reader.inspect(data, len(data)).rows == ds.Rows
    with pytest.raises(CompressionRatioTooHigh, match="deflated"):
        reader.read(data)


def test_gdcm_aborting_does_not_take_the_worker_along(reader):
    """A JPEG Extended codestream on which GDCM calls abort() is an unreadable film."""
    data = films.through_gdcm("JPEGExtendedProcess2_4", SCENE, bits=12)
    start_of_scan = data.index(b"\xff\xda")
    with pytest.raises(UnreadableFilm):
        reader.read(data[:start_of_scan] + b"\x26" + data[start_of_scan + 1 :])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"BitsAllocated": 64}, "64 bits allocated"),
        ({"BitsAllocated": 1}, "1 bits allocated"),
        ({"SamplesPerPixel": 4}, "4 samples"),
        ({"PhotometricInterpretation": "CMYK"}, "CMYK"),
        ({"Rows": None}, "how large"),
        ({"Columns": 0}, "how large"),
    ],
)
def test_image_attributes_that_cannot_be(change, message, reader):
    """Attributes that no radiograph has make the film unreadable, with the reason."""
    with pytest.raises(UnreadableFilm, match=message):
        reader.read(films.film(SCENE, bits=12, **change))


def test_a_thumbnail_is_too_small(reader):
    """A side under 64 pixels is refused, at the door and by the reader."""
    data = films.film(films.scene(63, 200, bits=8), bits=8)
    for look in (lambda: reader.inspect(data, len(data)), lambda: reader.read(data)):
        with pytest.raises(FilmTooSmall):
            look()


def test_something_else_is_no_supported_format(reader):
    """Bytes that are neither DICOM, PNG nor JPEG are refused, and so is nothing at all."""
    for data in (b"", b"%PDF-1.7 ....", b"GIF89a" + bytes(200), bytes(200)):
        with pytest.raises(UnsupportedFormat):
            reader.inspect(data, len(data))
        with pytest.raises(UnsupportedFormat):
            reader.read(data)


def look_at(reader, data):
    """Inspect and read; anything but a film or a Rejected escapes."""
    for look in (lambda: reader.inspect(data[:300], len(data)), lambda: reader.read(data)):
        try:
            look()
        except Rejected as error:
            assert error.detail  # noqa: PT017 - a reason is there, where there is an error


in_process = st.sampled_from(
    [*(ENCODED[name] for name in ENCODED if name != "jpeg lossless"), DEFLATED]
)
patience = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@patience
@given(
    data=in_process, changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=8)
)
def test_damaged_files_only_ever_raise_rejected(data, changes, reader):
    """A DICOM file with any bytes changed is read or refused, and nothing else."""
    damaged = bytearray(data)
    for where, value in changes:
        damaged[int(where * (len(damaged) - 1))] = value
    look_at(reader, bytes(damaged))


@patience
@given(data=in_process, share=st.floats(0, 1))
def test_cut_files_only_ever_raise_rejected(data, share, reader):
    """A DICOM file cut anywhere is read or refused, and nothing else."""
    look_at(reader, data[: int(share * len(data))])


@patience
@given(st.binary(max_size=600))
def test_bytes_behind_a_dicom_preamble_only_ever_raise_rejected(reader, tail):
    """Random bytes after the DICM magic are refused, and nothing else."""
    look_at(reader, b"\0" * 128 + b"DICM" + tail)
