"""Memory that decoders of encapsulated pixel data need, before they are asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hilum.adapters.dicom.transfer_syntax import GDCM, Encoding
from hilum.domain.errors import WorkingMemoryExceeded
from hilum.imaging.budget import BUDGET

if TYPE_CHECKING:
    from hilum.adapters.dicom.codestream import Codestream

_MIB: Final = 1024 * 1024
_BYTE: Final = 8
# OpenJPEG keeps this for each tile, however small it is.
_TILE_BYTES: Final = 7 * 1024


def check_decoding_memory(claim: Codestream, encoding: Encoding, decoder: str) -> None:
    """Refuse a codestream whose decoder needs more memory than one image may use.

    Args:
        claim: What the codestream says of itself.
        encoding: JPEG, JPEG_LS or JPEG_2000.
        decoder: Name of the decoder.

    Raises:
        WorkingMemoryExceeded: It needs more than the budget allows.
    """
    width = 1 if claim.precision <= _BYTE else 2
    samples = claim.components
    if decoder == GDCM:
        # The binding gives text of 2 bytes for a byte, beside GDCM's buffer and the encoded text.
        each = 4 * width * samples
    elif encoding is Encoding.JPEG_2000:
        # OpenJPEG has 4 bytes for a sample, beside the samples and the grey image.
        each = (4 + width) * samples + 1
    elif encoding is Encoding.JPEG and samples > 1:
        # Pillow has 4 bytes for a pixel, its copy and numpy's have 3, beside the grey image.
        each = 11
    else:
        each = 2 * width * samples + 1
    needed = each * claim.rows * claim.columns + _TILE_BYTES * claim.tiles
    if needed > BUDGET.working_bytes:
        raise WorkingMemoryExceeded(
            f"Decoding needs {needed // _MIB} MiB of memory; the limit is "
            f"{BUDGET.working_bytes // _MIB} MiB."
        )
