"""What a person can do about a film that could not be read, by the reason's code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hilum.application.use_cases.operate_jobs import CANCELLED

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
    "The image is kept. Tell your administrator the reason's code and the image's number; once the "
    "cause is fixed, an operator can try again."
)

ADVICE: Final[Mapping[str, str]] = {
    "unsupported_format": "Send the image as DICOM, PNG or JPEG.",
    "unsupported_transfer_syntax": (
        "Export the image uncompressed, or as JPEG, JPEG-LS, JPEG 2000 or RLE, and send it again."
    ),
    "unreadable_film": _SEND_AGAIN,
    "truncated_film": "The file is incomplete. " + _SEND_AGAIN,
    "not_an_image": "This is a DICOM object without an image. Send the radiograph itself.",
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
        "Only frontal chest radiographs (PA or AP) are analysed. If this is one, check that it is "
        "upright, not rotated and shows the whole chest, and send it again."
    ),
    "film_too_small": "Send the image in its full size, not a thumbnail.",
    "file_too_large": "Send the image compressed without loss, or ask for a higher limit.",
    "request_too_large": "Send fewer images at a time.",
    "too_many_files": "Send fewer images at a time.",
    "too_many_pixels": "Send the image in a smaller size, or ask for a higher limit.",
    "too_many_elements": _FEWER_ATTRIBUTES,
    "nested_too_deep": _FEWER_ATTRIBUTES,
    "too_many_segments": _SEND_AGAIN,
    "too_many_scans": "Export the image as a baseline JPEG or without compression, and send it.",
    "working_memory": _COSTS_LESS,
    "cpu_time": _COSTS_LESS,
    "decoder_crashed": "The pixels are damaged. " + _SEND_AGAIN,
    "compression_ratio_too_high": _SEND_AGAIN,
    "limit_exceeded": "Send a smaller image, or ask for a higher limit.",
    "rejected": _SEND_AGAIN,
    "database_unavailable": _OUTSIDE,
    "schema_incompatible": _OUTSIDE,
    "object_store_unavailable": _OUTSIDE,
    "broker_unavailable": _OUTSIDE,
    "inference_unavailable": _OUTSIDE,
    "out_of_memory": _OUTSIDE,
    "worker_lost": _OUTSIDE,
    "transient": _OUTSIDE,
    "dependency_unavailable": _OUTSIDE,
    "attempt_failed": _OUTSIDE,
    CANCELLED: "An operator ended this job. Send the image again if it is to be analysed.",
    "object_missing": "The stored file is gone. Send the image again.",
    "model_not_served": _INSTALLATION,
    "inference_failed": _INSTALLATION,
    "invalid_manifest": _INSTALLATION,
    "backup_damaged": _INSTALLATION,
    "database_copy_failed": _INSTALLATION,
    "internal_error": _INSTALLATION,
    "permanent": _INSTALLATION,
}
"""One entry for each code that a job or a refused file can have."""

IN_SHORT: Final[Mapping[str, str]] = {
    "unsupported_format": "Not an image format",
    "unsupported_transfer_syntax": "Compression not supported",
    "unreadable_film": "Unreadable file",
    "truncated_film": "Incomplete file",
    "not_an_image": "No image in it",
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
    "All attempts are used up. The image is kept; an operator can try again or discard it."
)
"""For a failed job whose cause lay outside of the film."""


def advice(code: str, *, parked: bool = False) -> str:
    """What to do about a reason.

    Args:
        code: The reason's code.
        parked: Whether the job waits for an operator, so that nothing happens by itself.
    """
    text = ADVICE.get(code, _INSTALLATION)
    return PARKED if parked and text == _OUTSIDE else text
