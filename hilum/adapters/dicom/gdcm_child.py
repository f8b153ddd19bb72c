"""The process that GDCM runs in: a codestream on stdin, samples on stdout.

Run by ``gdcm_process`` as a script, in isolated mode, so it imports nothing of the project.
Arguments: transfer syntax, rows, columns, bits per sample, samples per pixel, seconds of CPU time.
"""

from __future__ import annotations

import resource
import sys
from typing import Final

_ROOM: Final = 1024 * 1024 * 1024
_COPIES: Final = 8
_BYTE: Final = 8


def main() -> None:
    """Decode stdin to stdout, within bounded address space and CPU time."""
    syntax = sys.argv[1]
    rows, columns, precision, samples, seconds = (int(argument) for argument in sys.argv[2:7])
    most = _ROOM + _COPIES * 2 * rows * columns * samples
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    # A crash here is expected of hostile files; it shall leave no core file behind.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    frame = sys.stdin.buffer.read()
    sys.stdout.buffer.write(decode(frame, syntax, (rows, columns, samples), precision))


def decode(frame: bytes, syntax: str, shape: tuple[int, int, int], precision: int) -> bytes:
    """Hand one frame to GDCM.

    Args:
        frame: The codestream.
        syntax: Transfer Syntax UID.
        shape: Lines, pixels of a line, samples of a pixel (1 or 3).
        precision: Bits per sample.

    Returns:
        Samples, pixel by pixel, little endian, one byte each up to 8 bits and two above. Colours
        are not converted.
    """
    import gdcm  # noqa: PLC0415 - after the limits are set: it is what they are for

    rows, columns, samples = shape
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(frame)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((columns, rows, 1))
    image.SetDataElement(element)
    kind = gdcm.PhotometricInterpretation.GetPIType("MONOCHROME2" if samples == 1 else "RGB")
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(kind))
    image.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(syntax)))
    allocated = _BYTE if precision <= _BYTE else 2 * _BYTE
    image.SetPixelFormat(gdcm.PixelFormat(samples, allocated, precision, precision - 1, 0))
    # The binding hands a char* over as str: the escapes give the bytes back unchanged.
    decoded: str = image.GetBuffer()
    return decoded.encode("utf-8", "surrogateescape")


if __name__ == "__main__":
    main()
