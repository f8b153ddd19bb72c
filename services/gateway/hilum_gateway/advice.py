"""What a person can do about an image that has no result, by the reason's code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hilum.application.queue.operate_jobs import CANCELLED
from hilum.domain.job import JobState

if TYPE_CHECKING:
    from collections.abc import Mapping

_SEND_AGAIN: Final = "Export the image from its source again and send the new file."
_CHOOSE_FRONTAL: Final = "Send one frontal chest radiograph as a file of its own."
_FEWER_ATTRIBUTES: Final = (
    "Export the image from its source again without private attributes, and send the new file."
)
_COSTS_LESS: Final = (
    "Export the image in grey with at most 16 bits, uncompressed or in a smaller size, and send it."
)
_OUTSIDE: Final = "Nothing is wrong with the image. It is tried again without your doing."
_INSTALLATION: Final = (
    "The image is kept. Tell your administrator the reason's code and the job's id. Once the cause "
    "is fixed, an operator can try again."
)
_ENDED: Final = "An operator ended this job. Send the image again if it is to be analysed."

ADVICE: Final[Mapping[str, str]] = {
    "unsupported_format": "Send the image as DICOM, PNG or JPEG.",
    "unsupported_transfer_syntax": (
        "Export the image uncompressed, or as JPEG, JPEG-LS, JPEG 2000 or RLE, and send it again."
    ),
    "unreadable_film": _SEND_AGAIN,
    "truncated_film": "The file is incomplete. " + _SEND_AGAIN,
    "not_an_image": "This is a DICOM object without an image. Send the radiograph itself.",
    "wrong_identifiers": (
        "The sender names another object than it sends. Send the image from its source again."
    ),
    "multi_frame": "The file holds several frames. " + _CHOOSE_FRONTAL,
    "colour_film": "The image is in colour. " + _CHOOSE_FRONTAL,
    "blank_rendering": (
        "The display settings in the file show one grey throughout. Export the image with a "
        "window that fits it, and send the new file."
    ),
    "for_processing": (
        "Send the image that was made for display (FOR PRESENTATION). Your administrator can let "
        "this site accept raw ones."
    ),
    "not_a_frontal_chest_xray": (
        "Only frontal chest radiographs (PA or AP) are analysed. If this is one, export it "
        "upright, not rotated and with the whole chest, and send the new file."
    ),
    "film_too_small": "Send the image in its full size, not a thumbnail.",
    "file_too_large": "Send the image compressed without loss, or ask for a higher limit.",
    "request_too_large": "Send fewer or smaller images at a time.",
    "too_many_files": "Send fewer images at a time.",
    "too_many_pixels": "Send the image in a smaller size, or ask for a higher limit.",
    "too_many_elements": _FEWER_ATTRIBUTES,
    "nested_too_deep": _FEWER_ATTRIBUTES,
    "too_many_segments": (
        "Export the image without compression or without metadata, and send the new file."
    ),
    "too_many_scans": "Export the image as a baseline JPEG or without compression, and send it.",
    "working_memory": _COSTS_LESS,
    "cpu_time": _COSTS_LESS,
    "decoder_crashed": "The pixels are damaged. " + _SEND_AGAIN,
    "compression_ratio_too_high": (
        "Export the image without compression and send it, or ask for a higher limit."
    ),
    "database_unavailable": _OUTSIDE,
    "schema_incompatible": _OUTSIDE,
    "object_store_unavailable": _OUTSIDE,
    "inference_unavailable": _OUTSIDE,
    "out_of_memory": _OUTSIDE,
    "worker_lost": _OUTSIDE,
    CANCELLED: _ENDED,
    "object_missing": "The stored file is gone. Send the image again.",
    "model_not_served": _INSTALLATION,
    "inference_failed": _INSTALLATION,
    "invalid_manifest": _INSTALLATION,
    "internal_error": _INSTALLATION,
}
"""One entry for each code that a job, a refused file or a refused upload can have."""

IN_SHORT: Final[Mapping[str, str]] = {
    "unsupported_format": "Not an image format",
    "unsupported_transfer_syntax": "Compression not supported",
    "unreadable_film": "Unreadable file",
    "truncated_film": "Incomplete file",
    "not_an_image": "No image in it",
    "wrong_identifiers": "Sent as another object",
    "multi_frame": "Several frames",
    "colour_film": "A colour image",
    "blank_rendering": "Shows one grey throughout",
    "for_processing": "Raw detector image",
    "not_a_frontal_chest_xray": "Not a frontal chest image",
    "film_too_small": "Too small",
    "file_too_large": "File too large",
    "too_many_pixels": "Too many pixels",
    "too_many_elements": "Too many attributes",
    "nested_too_deep": "Attributes nested too deep",
    "too_many_segments": "Too many parts",
    "too_many_scans": "Too many JPEG scans",
    "working_memory": "Needs too much memory",
    "cpu_time": "Takes too long",
    "decoder_crashed": "Damaged pixels",
    "compression_ratio_too_high": "Implausibly compressed",
}
"""What a row of the worklist says of a rejected film, before the detail."""

PARKED: Final = (
    "All attempts are used up. The image is kept, and an operator can try again or discard it."
)
"""For a failed job whose cause lay outside of the image."""

_OF_OTHER_CODES: Final[Mapping[JobState | None, str]] = {
    JobState.QUEUED: _OUTSIDE,
    JobState.RUNNING: _OUTSIDE,
    JobState.FAILED: _INSTALLATION,
}


def advice(code: str, state: JobState | None = None) -> str:
    """Return what to do about a reason.

    Args:
        code: The reason's code. One of a newer release has the text of the state.
        state: Of the job. None for a file that has none.
    """
    if state is JobState.DISCARDED:
        return _ENDED
    text = ADVICE.get(code, _OF_OTHER_CODES.get(state, _SEND_AGAIN))
    return PARKED if state is JobState.FAILED and text == _OUTSIDE else text
