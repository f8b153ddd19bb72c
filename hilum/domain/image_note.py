"""What was corrected on an image, and what its reader should know of its header."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


class ImageNote(StrEnum):
    """A stable code. :data:`TEXTS` has what each means."""

    VOI_TABLE_IGNORED = "voi_table_ignored"
    MODALITY_TABLE_IGNORED = "modality_table_ignored"
    TABLE_DEPTH_CORRECTED = "table_depth_corrected"
    TRANSFER_SYNTAX_CORRECTED = "transfer_syntax_corrected"
    GREY_SCALE_INVERTED = "grey_scale_inverted"
    IMAGE_MIRRORED = "image_mirrored"
    IMAGE_FLIPPED = "image_flipped"
    ASPECT_CORRECTED = "aspect_corrected"

    FOR_PROCESSING_ACCEPTED = "for_processing_accepted"
    ORIENTATION_IGNORED = "orientation_ignored"
    ORIENTATION_SIDEWAYS = "orientation_sideways"
    ASPECT_IGNORED = "aspect_ignored"
    PATIENT_AGE_IGNORED = "patient_age_ignored"
    BURNED_IN_ANNOTATION = "burned_in_annotation"
    HEADER_VIEW_NOT_FRONTAL = "header_view_not_frontal"
    HEADER_VIEW_FRONTAL = "header_view_frontal"
    HEADER_BODY_PART_OTHER = "header_body_part_other"
    HEADER_BODY_PART_CHEST = "header_body_part_chest"
    HEADER_ONE_SIDE = "header_one_side"


TEXTS: Final[Mapping[ImageNote, str]] = {
    ImageNote.VOI_TABLE_IGNORED: "The VOI LUT is invalid. The window was applied.",
    ImageNote.MODALITY_TABLE_IGNORED: (
        "The Modality LUT is invalid. Rescale Slope and Intercept were applied, or nothing where "
        "they are absent."
    ),
    ImageNote.TABLE_DEPTH_CORRECTED: (
        "A look-up table holds entries of another depth than it says."
    ),
    ImageNote.TRANSFER_SYNTAX_CORRECTED: (
        "The pixel data is of another transfer syntax than the file names. "
        "It was decoded as what it is."
    ),
    ImageNote.GREY_SCALE_INVERTED: (
        "The grey scale was inverted before analysis. "
        "The displayed image is inverted. That neither rotates nor mirrors it."
    ),
    ImageNote.IMAGE_MIRRORED: (
        "The image was mirrored before analysis, because its header says that the patient's right "
        "is at the right edge. The page displays it mirrored."
    ),
    ImageNote.IMAGE_FLIPPED: (
        "Top and bottom of the image were exchanged before analysis, because its header says that "
        "the patient's head is at the lower edge. The page displays it so."
    ),
    ImageNote.ASPECT_CORRECTED: (
        "The pixels are not square. The image is displayed with the proportions that its header "
        "states."
    ),
    ImageNote.FOR_PROCESSING_ACCEPTED: (
        "The image holds raw detector values (FOR PROCESSING). The site accepts such images. "
        "No model was trained on them."
    ),
    ImageNote.ORIENTATION_IGNORED: (
        "Patient Orientation was not applied: it is malformed, oblique, or the gate accepts the "
        "image as stored only. Compare the sides with the markers on the image."
    ),
    ImageNote.ORIENTATION_SIDEWAYS: (
        "Patient Orientation says that the image lies on its side. It was not rotated."
    ),
    ImageNote.ASPECT_IGNORED: (
        "The header states a size of pixels that is malformed, implausible or contradicts itself. "
        "It was not applied."
    ),
    ImageNote.PATIENT_AGE_IGNORED: (
        "Patient's Age cannot be read. The analysis did not use an age."
    ),
    ImageNote.BURNED_IN_ANNOTATION: (
        "The header says that the pixels contain text. It may identify the patient."
    ),
    ImageNote.HEADER_VIEW_NOT_FRONTAL: (
        "The header states a view that is not frontal. The image was analysed as a frontal one."
    ),
    ImageNote.HEADER_VIEW_FRONTAL: (
        "The header states a frontal view. The gate rejected the image as a lateral one."
    ),
    ImageNote.HEADER_BODY_PART_OTHER: (
        "The header states a body part other than the chest. The image was analysed as a chest."
    ),
    ImageNote.HEADER_BODY_PART_CHEST: (
        "The header states the chest. The gate rejected the image as another body part."
    ),
    ImageNote.HEADER_ONE_SIDE: (
        "The header states one side of the body. The image was analysed as a whole chest."
    ),
}
"""What each note means, in words for people."""

_CORRECTIONS: Final = frozenset(
    {
        ImageNote.VOI_TABLE_IGNORED,
        ImageNote.MODALITY_TABLE_IGNORED,
        ImageNote.TABLE_DEPTH_CORRECTED,
        ImageNote.TRANSFER_SYNTAX_CORRECTED,
        ImageNote.GREY_SCALE_INVERTED,
        ImageNote.IMAGE_MIRRORED,
        ImageNote.IMAGE_FLIPPED,
        ImageNote.ASPECT_CORRECTED,
    }
)


def is_correction(code: str) -> bool:
    """Return whether a note says what was corrected. The others say what to be aware of."""
    return code in _CORRECTIONS


def note_text(code: str) -> str:
    """Return what a code means, for people. A code of a newer release stands for itself."""
    return TEXTS[ImageNote(code)] if code in TEXTS else code
