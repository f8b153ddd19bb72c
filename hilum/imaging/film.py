"""A film: one decoded frontal or lateral radiograph, ready to look at."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class FilmLimits:
    """Limits that are checked on headers, before any pixel is decoded.

    Attributes:
        max_bytes: Largest file, in bytes.
        max_pixels: Largest rows x columns.
        max_compression_ratio: Largest decoded bytes / encoded bytes.
    """

    max_bytes: int = 64 * 1024 * 1024
    max_pixels: int = 36_000_000
    max_compression_ratio: float = 200.0


@dataclass(frozen=True, slots=True)
class FilmHeader:
    """What a file says of itself, read without decoding its pixels.

    Attributes:
        media_type: ``application/dicom``, ``image/png`` or ``image/jpeg``.
        rows: Pixel rows, or None where the part of the file that was read does not say.
        columns: Pixel columns, likewise.
        bits: Bits per sample as stored, likewise.
        samples: Samples per pixel, likewise.
        sop_instance_uid: (0008,0018) of a DICOM file.
        transfer_syntax_uid: (0002,0010) of a DICOM file.
        content_at: Where the file's content begins, in bytes: behind the file meta group of a DICOM
            file, which a sender writes anew.
        patient_age: Patient's Age (0010,1010) in years, or None. It is not kept.
        view_position: View Position (0018,5101), in capitals, or None.
    """

    media_type: str
    rows: int | None = None
    columns: int | None = None
    bits: int | None = None
    samples: int | None = None
    sop_instance_uid: str | None = None
    transfer_syntax_uid: str | None = None
    content_at: int = 0
    patient_age: float | None = None
    view_position: str | None = None


class FilmNote(StrEnum):
    """What was corrected while a film was decoded. Each value is a stable code."""

    VOI_TABLE_IGNORED = "voi_table_ignored"
    """The VOI LUT is invalid. The window was applied."""

    MODALITY_TABLE_IGNORED = "modality_table_ignored"
    """The Modality LUT is invalid. Rescale Slope and Intercept were applied."""

    TABLE_DEPTH_CORRECTED = "table_depth_corrected"
    """A look-up table holds entries of another depth than it says. They span the full range."""

    TRANSFER_SYNTAX_CORRECTED = "transfer_syntax_corrected"
    """The pixel data is not of the transfer syntax that the file names."""


@dataclass(frozen=True, slots=True)
class Film:
    """A decoded film in display orientation.

    Attributes:
        pixels: uint8 [H, W], presentation values: 0 is black (air), 255 is white (bone), that is
            MONOCHROME2 whatever the file's photometric interpretation was. Modality LUT and VOI
            LUT have been applied (PS3.3 C.11.1 and C.11.2).
        header: What the file said of itself.
        notes: What was corrected, in no order.
    """

    pixels: NDArray[np.uint8]
    header: FilmHeader
    notes: frozenset[FilmNote] = frozenset()
