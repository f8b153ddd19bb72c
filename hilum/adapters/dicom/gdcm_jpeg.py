"""JPEG Extended with 12 bits (Process 4), which pydicom's own plug-ins refuse.

Film digitisers and older CR systems write it. GDCM carries a 12-bit build of the reference JPEG
library and decodes it when it is told the codestream's precision and not the dataset's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import gdcm
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hilum.adapters.dicom.image_pixel import ImagePixel


def decode_extended(
    frame: bytes, syntax: str, precision: int, pixel: ImagePixel
) -> NDArray[np.unsignedinteger]:
    """Decode one monochrome frame of JPEG Extended.

    Args:
        frame: The JPEG codestream, already held against the dataset.
        syntax: Transfer Syntax UID.
        precision: Bits per sample of the codestream, above 8.
        pixel: Description of the picture.

    Returns:
        uint16 [H, W].

    Raises:
        ValueError: GDCM gave back another number of bytes than the picture has.
    """
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(frame)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((pixel.columns, pixel.rows, 1))
    image.SetDataElement(element)
    monochrome = gdcm.PhotometricInterpretation.GetPIType("MONOCHROME2")
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(monochrome))
    image.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(syntax)))
    image.SetPixelFormat(gdcm.PixelFormat(1, 16, precision, precision - 1, 0))
    # The binding hands a char* over as str: the escapes give the bytes back unchanged.
    decoded = image.GetBuffer().encode("utf-8", "surrogateescape")
    if len(decoded) != pixel.rows * pixel.columns * 2:
        raise ValueError("another number of bytes than the picture has")
    return np.frombuffer(decoded, dtype="<u2").reshape(pixel.rows, pixel.columns)
