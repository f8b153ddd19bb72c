"""Every transfer syntax that is read, with pixels encoded by a real encoder."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread, uid
from pydicom.encaps import encapsulate, get_frame

from hilum.adapters.dicom import transfer_syntax
from hilum.adapters.dicom.transfer_syntax import DECODERS, Encoding, decoder_of, encoding_of
from hilum.domain.errors import UnsupportedTransferSyntax
from tests.unit.adapters.dicom import films

HTJ2K_SCENE = Path(__file__).parent / "encoded" / "scene_96x112_12bit.htj2k"


def displayed(pixels, bits):
    """What a film without a window and with its full range in use is shown as."""
    counts = np.sort(pixels.ravel())
    if bits <= 8:
        low, high = 0, 2**bits - 1
    else:
        tail = int(0.005 * counts.size)
        low, high = int(counts[tail]), int(counts[-1 - tail])
    unit = np.clip((pixels.astype(np.float64) - low) / (high - low), 0, 1)
    return np.floor(unit * 255 + 0.5).astype(np.uint8)


LOSSLESS = {
    "implicit": lambda p, b: films.native(uid.ImplicitVRLittleEndian, p, bits=b),
    "explicit": lambda p, b: films.native(uid.ExplicitVRLittleEndian, p, bits=b),
    "deflated": lambda p, b: films.native(uid.DeflatedExplicitVRLittleEndian, p, bits=b),
    "big endian": lambda p, b: films.big_endian(p, bits=b),
    "rle": lambda p, b: films.compressed(uid.RLELossless, p, bits=b),
    "jpeg-ls": lambda p, b: films.compressed(uid.JPEGLSLossless, p, bits=b),
    "jpeg 2000": lambda p, b: films.jpeg_2000(uid.JPEG2000Lossless, p, bits=b),
    "jpeg lossless": lambda p, b: films.through_gdcm("JPEGLosslessProcess14", p, bits=b),
    "jpeg lossless sv1": lambda p, b: films.through_gdcm("JPEGLosslessProcess14_1", p, bits=b),
}


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
@pytest.mark.parametrize("name", LOSSLESS)
def test_lossless_syntaxes_give_the_very_pixels(name, bits, reader):
    """A film through any lossless transfer syntax is shown pixel for pixel as it was."""
    pixels = films.scene(bits=bits)
    film = reader.read(LOSSLESS[name](pixels, bits))
    assert np.array_equal(film.pixels, displayed(pixels, bits))


@pytest.mark.parametrize("name", ["implicit", "explicit", "big endian", "rle", "deflated"])
def test_odd_sizes_and_padding_bytes_do_not_shift_pixels(name, reader):
    """A film with an odd number of 8-bit pixels is read in full."""
    pixels = films.scene(97, 65, bits=8)
    if name == "big endian":
        ds = films.dataset(pixels, bits=8)
        padded = np.frombuffer(ds.PixelData, np.uint8).reshape(-1, 2)[:, ::-1]
        ds.file_meta.TransferSyntaxUID = uid.ExplicitVRBigEndian
        ds.PixelData = padded.tobytes()
        ds["PixelData"].VR = "OW"
        film = reader.read(films.file_of(ds))
    else:
        film = reader.read(LOSSLESS[name](pixels, 8))
    assert np.array_equal(film.pixels, pixels)


@pytest.mark.parametrize(
    ("name", "encode", "tolerance"),
    [
        ("jpeg baseline", films.jpeg_baseline, 6),
        ("jpeg 2000 lossy", lambda p: films.jpeg_2000(
            uid.JPEG2000, p, bits=8, compression_ratios=[10.0]), 4),
        ("jpeg-ls near", lambda p: films.compressed(
            uid.JPEGLSNearLossless, p, bits=8, jls_error=3), 3),
    ],
)  # fmt: skip
def test_lossy_syntaxes_stay_close(name, encode, tolerance, reader):
    """A film through a lossy transfer syntax differs by no more than the loss asked for."""
    pixels = films.scene(bits=8)
    shown = reader.read(encode(pixels)).pixels
    assert np.abs(shown.astype(int) - pixels).max() <= tolerance
    assert not np.array_equal(shown, 255 - pixels)


def test_jpeg_lossless_of_less_than_8_bits(reader):
    """JPEG Lossless of 4 bits is read exactly."""
    pixels = films.scene(bits=4)
    # Half of the range predicts the first sample, so all samples shift with the depth.
    encoded = films.through_gdcm("JPEGLosslessProcess14_1", pixels + 120, bits=8)
    coded = bytearray(get_frame(dcmread(BytesIO(encoded)).PixelData, 0, number_of_frames=1))
    coded[coded.index(b"\xff\xc3") + 4] = 4
    ds = films.dataset(pixels, bits=4)
    film = reader.read(films.encapsulated(ds, uid.JPEGLosslessSV1, bytes(coded)))
    assert np.array_equal(film.pixels, displayed(pixels, 4))


def test_jpeg_extended_with_twelve_bits(reader):
    """JPEG Extended (process 4) with 12 bits keeps its depth, within the loss of the codec."""
    pixels = films.scene(bits=12)
    packed = films.through_gdcm("JPEGExtendedProcess2_4", pixels, bits=12)
    film = reader.read(packed)
    assert film.header.transfer_syntax_uid == uid.JPEGExtended12Bit
    assert np.abs(film.pixels.astype(int) - displayed(pixels, 12)).max() <= 1


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.53", "1.2.840.10008.1.2.4.55"])
def test_progressive_jpeg(syntax, reader):
    """The retired progressive syntaxes are read, at the door and by the reader, without a note."""
    pixels = films.scene(bits=8)
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=97, progressive=True)
    data = films.encapsulated(films.dataset(pixels, bits=8), syntax, buffer.getvalue())
    assert reader.inspect(data, len(data)).transfer_syntax_uid == syntax
    film = reader.read(data)
    assert np.abs(film.pixels.astype(int) - pixels).max() <= 6
    assert film.notes == frozenset()


@pytest.mark.parametrize("said", [uid.JPEG2000MCLossless, uid.JPEG2000MC])
def test_jpeg_2000_of_part_2(said, reader):
    """A codestream of Part 1 under a syntax of Part 2 is read without a note."""
    pixels = films.scene(bits=12)
    film = reader.read(films.jpeg_2000(said, pixels, bits=12))
    assert np.array_equal(film.pixels, displayed(pixels, 12))
    assert film.notes == frozenset()


def test_uncompressed_pixels_in_fragments(reader):
    """Encapsulated Uncompressed Explicit VR Little Endian holds the samples as they are."""
    pixels = films.scene(bits=12)
    ds = films.dataset(pixels, bits=12)
    film = reader.read(films.encapsulated(ds, "1.2.840.10008.1.2.1.98", ds.PixelData))
    assert np.array_equal(film.pixels, displayed(pixels, 12))
    assert film.notes == frozenset()


def test_high_throughput_jpeg_2000(reader):
    """HTJ2K, encoded by OpenJPH, is read exactly; its codestream says 16 bits for 12."""
    pixels = films.scene(96, 112, bits=12)
    ds = films.dataset(pixels, bits=12)
    film = reader.read(films.encapsulated(ds, uid.HTJ2KLossless, HTJ2K_SCENE.read_bytes()))
    assert np.array_equal(film.pixels, displayed(pixels, 12))


@pytest.mark.parametrize("name", ["explicit", "rle", "jpeg-ls", "jpeg 2000", "big endian"])
def test_signed_pixels(name, reader):
    """Signed stored values keep their order: the most negative is black."""
    pixels = (films.scene(bits=12).astype(np.int32) - 2048).astype(np.int16)
    film = reader.read(LOSSLESS[name](pixels, 12))
    assert np.array_equal(film.pixels, displayed(pixels, 12))


def test_several_fragments_make_one_frame(reader):
    """A frame split over several fragments is put together again."""
    ds = films.dataset(films.scene(bits=8), bits=8)
    whole = films.jpeg_baseline(films.scene(bits=8))
    frame = get_frame(dcmread(BytesIO(whole)).PixelData, 0, number_of_frames=1)
    ds.file_meta.TransferSyntaxUID = uid.JPEGBaseline8Bit
    ds.PixelData = encapsulate([frame], fragments_per_frame=4)
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    assert np.array_equal(reader.read(films.file_of(ds)).pixels, reader.read(whole).pixels)


@pytest.mark.parametrize(
    "syntax",
    [
        uid.MPEG2MPML,
        "1.2.840.10008.1.2.4.95",
        "1.2.840.10008.1.2.4.110",
        "1.2.3.4.5.6.7.8.9",
    ],
)
def test_unknown_syntaxes_are_refused_by_name(syntax, reader):
    """A transfer syntax without a decoder is refused at the door and by the reader."""
    ds = films.dataset(films.scene(bits=8), bits=8)
    data = films.encapsulated(ds, syntax, b"\0" * 64)
    for look in (lambda: reader.inspect(data, len(data)), lambda: reader.read(data)):
        with pytest.raises(UnsupportedTransferSyntax):
            look()


def test_the_decoder_of_a_syntax_is_fixed():
    """Each encapsulated syntax has one decoder, the first installed one of its preferences."""
    assert decoder_of(uid.JPEGBaseline8Bit) == "pillow"
    assert decoder_of(uid.JPEGLSNearLossless) == "pyjpegls"
    assert decoder_of(uid.JPEGLosslessSV1) == "gdcm"
    assert decoder_of(uid.JPEG2000) == "pylibjpeg"
    assert decoder_of(uid.HTJ2K) == "pylibjpeg"
    assert encoding_of(uid.RLELossless) is Encoding.RLE


def test_a_missing_plug_in_makes_a_syntax_unsupported(monkeypatch):
    """Where no decoder is installed the answer is a reason, not a traceback."""
    without = {name: plug for name, plug in DECODERS.items() if name != uid.JPEGLossless}
    monkeypatch.setattr(transfer_syntax, "DECODERS", without)
    with pytest.raises(UnsupportedTransferSyntax, match="JPEG Lossless"):
        decoder_of(uid.JPEGLossless)
