"""A film: one decoded frontal or lateral radiograph, ready to look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

    import numpy as np
    from numpy.typing import NDArray

    from hilum.domain.image_note import ImageNote

READER_VERSION: Final = 1
"""Rises when a change of a decoder can alter the pixels of an image that was read before.

It is part of the key by which an image that is sent again is known, so that an image of another
reader is analysed anew. A test holds the pixels of drawn images against it.
"""


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
class DicomIdentity:
    """What a DICOM object says that it is. None where it says nothing, or nothing that is valid.

    Attributes:
        study_instance_uid: (0020,000D).
        series_instance_uid: (0020,000E).
        sop_class_uid: (0008,0016).
        accession_number: (0008,0050).
        modality: (0008,0060).
        body_part: Body Part Examined (0018,0015).
        presentation_intent: Presentation Intent Type (0008,0068).
        patient_orientation: (0020,0020), its values joined by a backslash.
        acquired_at: Acquisition DateTime (0008,002A), or date and time with Timezone Offset From
            UTC (0008,0201), in UTC. None where no offset is stated.
    """

    study_instance_uid: str | None = None
    series_instance_uid: str | None = None
    sop_class_uid: str | None = None
    accession_number: str | None = None
    modality: str | None = None
    body_part: str | None = None
    presentation_intent: str | None = None
    patient_orientation: str | None = None
    acquired_at: datetime | None = None


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
        view_position: The view: ``PA``, ``AP``, or View Position (0018,5101) in capitals where it
            is not plainly one of them, or None.
        for_processing: The pixels are raw detector values (Presentation Intent Type (0008,0068) or
            SOP Class FOR PROCESSING).
        frontal: Whether the header plainly states a frontal view or another one. None: neither.
        chest: Whether it states the chest or another body part. None: neither.
        one_side: Image Laterality (0020,0062) is one side of the body.
        mirrored: Patient Orientation (0020,0020) says that left and right are exchanged.
        flipped: It says that top and bottom are exchanged.
        pixel_aspect: Height of a pixel over its width.
        notes: What else is to be known of the header.
        identity: Which study, series and object it is, of a DICOM file.
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
    for_processing: bool = False
    frontal: bool | None = None
    chest: bool | None = None
    one_side: bool = False
    mirrored: bool = False
    flipped: bool = False
    pixel_aspect: float = 1.0
    notes: frozenset[ImageNote] = frozenset()
    identity: DicomIdentity | None = None


@dataclass(frozen=True, slots=True)
class Film:
    """A decoded film, rows and columns as they are stored.

    Attributes:
        pixels: uint8 [H, W], presentation values: 0 is black (air), 255 is white (bone), that is
            MONOCHROME2 whatever the file's photometric interpretation was. Modality LUT and VOI
            LUT have been applied (PS3.3 C.11.1 and C.11.2).
        header: What the file said of itself.
        notes: What was corrected, and what the header says, in no order.
    """

    pixels: NDArray[np.uint8]
    header: FilmHeader
    notes: frozenset[ImageNote] = frozenset()
