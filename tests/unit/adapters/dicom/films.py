"""DICOM films made for tests: real encoders, pixels from formulas."""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from openjpeg.utils import encode_array
from PIL import Image
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset, write_file_meta_info

CR_IMAGE_STORAGE = "1.2.840.10008.5.1.4.1.1.1"


def scene(rows: int = 96, columns: int = 112, bits: int = 12) -> np.ndarray:
    """Smooth waves over the full range of an unsigned depth: uint8 or uint16 [rows, columns]."""
    y, x = np.mgrid[:rows, :columns]
    unit = (np.sin(x / 17.0) * np.cos(y / 13.0) + 1.0) / 2.0
    kind = np.uint8 if bits <= 8 else np.uint16
    return np.rint(unit * (2**bits - 1)).astype(kind)


def dataset(pixels: np.ndarray, *, bits: int, **attributes: Any) -> Dataset:
    """A native, little endian film; attributes given by keyword replace or, as None, remove."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    ds.SOPClassUID = CR_IMAGE_STORAGE
    ds.SOPInstanceUID = "2.25.314159265358979"
    ds.Modality = "CR"
    ds.PatientName = "Test^Nobody"
    ds.Rows, ds.Columns = pixels.shape[:2]
    ds.SamplesPerPixel = 1 if pixels.ndim == 2 else pixels.shape[2]
    ds.PhotometricInterpretation = "MONOCHROME2" if pixels.ndim == 2 else "RGB"
    if pixels.ndim == 3:
        ds.PlanarConfiguration = 0
    ds.BitsAllocated = pixels.itemsize * 8
    ds.BitsStored, ds.HighBit = bits, bits - 1
    ds.PixelRepresentation = int(pixels.dtype.kind == "i")
    ds.PixelData = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
    if len(ds.PixelData) % 2:
        ds.PixelData += b"\0"
    ds["PixelData"].VR = "OB" if pixels.itemsize == 1 else "OW"
    for keyword, value in attributes.items():
        if value is None:
            delattr(ds, keyword)
        else:
            setattr(ds, keyword, value)
    return ds


def file_of(ds: Dataset) -> bytes:
    """The dataset as a DICOM file in its own transfer syntax."""
    buffer = io.BytesIO()
    if ds.file_meta.TransferSyntaxUID.is_transfer_syntax:
        ds.save_as(buffer, enforce_file_format=True)
    else:
        # A syntax that pydicom has never heard of is written like every encapsulated one.
        ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
        ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
        buffer.write(b"\0" * 128 + b"DICM")
        meta = DicomBytesIO()
        write_file_meta_info(meta, ds.file_meta)
        body = DicomBytesIO()
        body.is_little_endian, body.is_implicit_VR = True, False
        write_dataset(body, ds)
        buffer.write(meta.getvalue() + body.getvalue())
    return buffer.getvalue()


def film(pixels: np.ndarray, *, bits: int, **attributes: Any) -> bytes:
    """A native, little endian film as a file."""
    return file_of(dataset(pixels, bits=bits, **attributes))


def encapsulated(ds: Dataset, syntax: str, codestream: bytes) -> bytes:
    """The film with its pixels replaced by a codestream."""
    ds.file_meta.TransferSyntaxUID = uid.UID(syntax)
    ds.PixelData = encapsulate([codestream])
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    return file_of(ds)


def big_endian(pixels: np.ndarray, *, bits: int, **attributes: Any) -> bytes:
    """A film in Explicit VR Big Endian; 8-bit samples go in 16-bit words, bytes swapped."""
    ds = dataset(pixels, bits=bits, **attributes)
    ds.file_meta.TransferSyntaxUID = uid.ExplicitVRBigEndian
    ds.PixelData = np.frombuffer(ds.PixelData, "<u2").byteswap().tobytes()
    ds["PixelData"].VR = "OW"
    return file_of(ds)


def native(syntax: str, pixels: np.ndarray, *, bits: int) -> bytes:
    """A film in one of the uncompressed or deflated little endian syntaxes."""
    ds = dataset(pixels, bits=bits)
    ds.file_meta.TransferSyntaxUID = uid.UID(syntax)
    return file_of(ds)


def compressed(syntax: str, pixels: np.ndarray, *, bits: int, **options: Any) -> bytes:
    """A film through one of pydicom's own encoders: RLE or JPEG-LS."""
    ds = dataset(pixels, bits=bits)
    # Not GDCM: its RLE encoder aborts the process on a film with an odd number of pixels.
    plug_in = "pydicom" if syntax == uid.RLELossless else "pyjpegls"
    ds.compress(uid.UID(syntax), encoding_plugin=plug_in, **options)
    return file_of(ds)


def jpeg_2000(syntax: str, pixels: np.ndarray, *, bits: int, **options: Any) -> bytes:
    """A film through OpenJPEG."""
    signed = pixels.dtype.kind == "i"
    photometric = 2 if pixels.ndim == 2 else 1
    codestream = encode_array(
        pixels, bits_stored=bits, photometric_interpretation=photometric, **options
    )
    assert signed == bool(codestream[42] & 0x80)
    return encapsulated(dataset(pixels, bits=bits), syntax, bytes(codestream))


def jpeg_baseline(pixels: np.ndarray, **attributes: Any) -> bytes:
    """An 8-bit film through libjpeg."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="JPEG", quality=97)
    if pixels.ndim == 3:
        attributes = {"PhotometricInterpretation": "YBR_FULL_422", **attributes}
    ds = dataset(pixels, bits=8, **attributes)
    return encapsulated(ds, uid.JPEGBaseline8Bit, buffer.getvalue())


_GDCM_SCRIPT = """
import sys
import gdcm
plain, packed, process = sys.argv[1:]
reader = gdcm.ImageReader()
reader.SetFileName(plain)
assert reader.Read()
change = gdcm.ImageChangeTransferSyntax()
change.SetTransferSyntax(gdcm.TransferSyntax(getattr(gdcm.TransferSyntax, process)))
change.SetInput(reader.GetImage())
assert change.Change()
writer = gdcm.ImageWriter()
writer.SetFileName(packed)
writer.SetFile(reader.GetFile())
writer.SetImage(change.GetOutput())
assert writer.Write()
"""


def through_gdcm(process: str, pixels: np.ndarray, *, bits: int) -> bytes:
    """A film through GDCM's JPEG encoders, by the name of its TransferSyntax constant.

    In a process of its own, because its zlib and Python's do not go together in one.
    """
    with tempfile.TemporaryDirectory() as folder:
        plain, packed = Path(folder, "plain.dcm"), Path(folder, "packed.dcm")
        plain.write_bytes(film(pixels, bits=bits))
        subprocess.run(
            [sys.executable, "-c", _GDCM_SCRIPT, str(plain), str(packed), process], check=True
        )
        return packed.read_bytes()
