"""Which transfer syntaxes are read, and by which decoder.

One decoder stands behind each syntax, chosen when this module is loaded and never changed because
another one failed: which program decoded a film must not depend on the film.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

from pydicom import uid
from pydicom.pixels.decoders.base import get_decoder

from hilum.adapters.dicom.gdcm_process import gdcm_installed
from hilum.domain.errors import UnsupportedTransferSyntax


class Encoding(Enum):
    """How the pixels lie in (7FE0,0010)."""

    NATIVE = auto()
    RLE = auto()
    JPEG = auto()
    JPEG_LS = auto()
    JPEG_2000 = auto()


_NATIVE: Final = frozenset(
    {
        uid.ImplicitVRLittleEndian,
        uid.ExplicitVRLittleEndian,
        uid.ExplicitVRBigEndian,
        uid.DeflatedExplicitVRLittleEndian,
        "1.2.840.10008.1.2.1.98",  # Encapsulated Uncompressed Explicit VR Little Endian
    }
)

_READ_AS: Final[dict[str, str]] = {
    # Progressive JPEG, retired. Its decoders are those of JPEG Extended.
    "1.2.840.10008.1.2.4.53": uid.JPEGExtended12Bit,
    "1.2.840.10008.1.2.4.55": uid.JPEGExtended12Bit,
    # Part 2 of JPEG 2000, whose single images are of Part 1.
    uid.JPEG2000MCLossless: uid.JPEG2000Lossless,
    uid.JPEG2000MC: uid.JPEG2000,
}

GDCM: Final = "gdcm"

# Preference: the library that is closest to its codec's reference, then one that can stand in
# where an installation lacks it. GDCM does only what nothing else does (see gdcm_process).
_PREFERENCES: Final[dict[str, tuple[Encoding, tuple[str, ...]]]] = {
    uid.JPEGBaseline8Bit: (Encoding.JPEG, ("pillow",)),
    # With 8 bits; with 12 it goes to GDCM.
    uid.JPEGExtended12Bit: (Encoding.JPEG, ("pillow",)),
    uid.JPEGLossless: (Encoding.JPEG, (GDCM,)),
    uid.JPEGLosslessSV1: (Encoding.JPEG, (GDCM,)),
    uid.JPEGLSLossless: (Encoding.JPEG_LS, ("pyjpegls",)),
    uid.JPEGLSNearLossless: (Encoding.JPEG_LS, ("pyjpegls",)),
    uid.JPEG2000Lossless: (Encoding.JPEG_2000, ("pylibjpeg", "pillow")),
    uid.JPEG2000: (Encoding.JPEG_2000, ("pylibjpeg", "pillow")),
    uid.HTJ2KLossless: (Encoding.JPEG_2000, ("pylibjpeg",)),
    uid.HTJ2KLosslessRPCL: (Encoding.JPEG_2000, ("pylibjpeg",)),
    uid.HTJ2K: (Encoding.JPEG_2000, ("pylibjpeg",)),
}


_LOSSLESS: Final = frozenset(
    {
        uid.RLELossless,
        uid.JPEGLossless,
        uid.JPEGLosslessSV1,
        uid.JPEGLSLossless,
        uid.JPEG2000Lossless,
        uid.JPEG2000MCLossless,
        uid.HTJ2KLossless,
        uid.HTJ2KLosslessRPCL,
    }
)


def _first_installed(syntax: str, preference: tuple[str, ...]) -> str | None:
    installed = {*get_decoder(uid.UID(syntax)).available_plugins} - {GDCM}
    if gdcm_installed():
        installed.add(GDCM)
    return next((name for name in preference if name in installed), None)


DECODERS: Final[dict[str, str]] = {
    syntax: name
    for syntax, (_, preference) in _PREFERENCES.items()
    if (name := _first_installed(syntax, preference)) is not None
}
"""Transfer Syntax UID to plug-in, for what this installation can decode."""


def read_as(syntax: str) -> str:
    """The transfer syntax that has the decoder of another."""
    return _READ_AS.get(syntax, syntax)


def encoding_of(syntax: str) -> Encoding:
    """How pixels are encoded under a transfer syntax (PS3.5 section 8 and annex A).

    Args:
        syntax: Transfer Syntax UID (0002,0010).

    Returns:
        The encoding.

    Raises:
        UnsupportedTransferSyntax: No decoder for it is known or installed.
    """
    syntax = read_as(syntax)
    if syntax in _NATIVE:
        return Encoding.NATIVE
    if syntax == uid.RLELossless:
        return Encoding.RLE
    if syntax in DECODERS:
        return _PREFERENCES[syntax][0]
    name = uid.UID(syntax).name
    raise UnsupportedTransferSyntax(f"No decoder for the transfer syntax {name}.")


def decoder_of(syntax: str) -> str:
    """The decoding plug-in behind an encapsulated transfer syntax other than RLE.

    Raises:
        UnsupportedTransferSyntax: None is installed.
    """
    encoding_of(syntax)
    return DECODERS[syntax]


def readable_syntaxes() -> tuple[str, ...]:
    """Return every transfer syntax that is read here: uncompressed, lossless, then lossy ones."""
    uncompressed = (uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian)
    others = sorted(
        {
            *_NATIVE,
            uid.RLELossless,
            *DECODERS,
            *(syntax for syntax, other in _READ_AS.items() if other in DECODERS),
        }
        - {*uncompressed},
        key=lambda syntax: (syntax not in _NATIVE, syntax not in _LOSSLESS, syntax),
    )
    return tuple(str(syntax) for syntax in (*uncompressed, *others))


def same_syntax(decoded: str, said: str) -> bool:
    """Whether pixels were decoded as their transfer syntax says, as far as pixels are concerned.

    The uncompressed syntaxes of one byte order hold the same pixels.
    """
    if {decoded, said} <= _NATIVE:
        big = str(uid.ExplicitVRBigEndian)
        return (decoded == big) == (said == big)
    return decoded == read_as(said)
