"""Data sets that came over the network."""

from __future__ import annotations

import io
import zlib
from typing import Any

import pytest
from pydicom.filereader import dcmread
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, RLELossless
from pynetdicom.dsutils import encode

from hilum.adapters.dicom.phantom_dicom import phantom_dicom
from hilum.adapters.dicom.received_data_set import check_data_set
from hilum.adapters.dicom.transfer_syntax import encoding_of, readable_syntaxes
from hilum.domain.errors import NotAnImage, TruncatedFilm, UnreadableFilm, WrongIdentifiers


def sent(syntax=ExplicitVRLittleEndian, **elements: Any):
    """A data set as it is sent, with the identifiers of its command."""
    dataset = dcmread(io.BytesIO(phantom_dicom(256, 256)))
    told = (syntax, str(dataset.SOPClassUID), str(dataset.SOPInstanceUID))
    if syntax == RLELossless:
        dataset.compress(syntax, generate_instance_uid=False)
    for keyword, value in elements.items():
        setattr(dataset, keyword, value) if value is not None else delattr(dataset, keyword)
    return encode(dataset, False, True), told


def deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def test_a_data_set_that_is_what_the_command_says_passes():
    """Plain, encapsulated and deflated."""
    data, told = sent()
    check_data_set(data, *told)
    check_data_set(deflated(data), DeflatedExplicitVRLittleEndian, *told[1:])
    data, told = sent(RLELossless)
    check_data_set(data, *told)


@pytest.mark.parametrize(
    "elements",
    [
        {"SOPInstanceUID": "1.2"},
        {"SOPInstanceUID": None},
        {"SOPClassUID": "1.2"},
        {"SOPClassUID": None},
    ],
)
def test_one_that_is_not_is_refused(elements):
    """Also a deflated one."""
    data, told = sent(**elements)
    with pytest.raises(WrongIdentifiers):
        check_data_set(data, *told)
    with pytest.raises(WrongIdentifiers):
        check_data_set(deflated(data), DeflatedExplicitVRLittleEndian, *told[1:])


def test_one_that_ends_too_early_is_refused():
    """Also where only a byte is missing."""
    data, told = sent()
    for end in (len(data) - 100_000, len(data) - 1):
        with pytest.raises(TruncatedFilm):
            check_data_set(data[:end], *told)


def test_one_without_pixels_is_refused():
    """It may be whole all the same."""
    data, told = sent(PixelData=None)
    with pytest.raises(NotAnImage):
        check_data_set(data, *told)


@pytest.mark.parametrize("data", [b"", b"\0" * 10, b"x" * 1000])
def test_bytes_that_are_none_are_refused(data):
    """Deflated or not."""
    for syntax in (ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian):
        with pytest.raises((UnreadableFilm, WrongIdentifiers)):
            check_data_set(data, syntax, "1.2", "1.2.3")


def test_every_syntax_that_is_offered_has_a_decoder():
    """Uncompressed ones come first."""
    assert len(readable_syntaxes()) == len({*readable_syntaxes()}) >= 15
    assert [encoding_of(one).name for one in readable_syntaxes()][:2] == ["NATIVE", "NATIVE"]
