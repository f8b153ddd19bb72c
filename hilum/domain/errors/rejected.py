"""Bad input: the job ends with a reason and is never retried."""

from __future__ import annotations

from hilum.domain.errors.root import HilumError


class Rejected(HilumError):
    """Bad input. The job ends ``rejected`` with this reason and is never retried."""

    code = "rejected"


class UnsupportedFormat(Rejected):
    """The bytes are neither DICOM, PNG nor JPEG."""

    code = "unsupported_format"


class UnsupportedTransferSyntax(Rejected):
    """The DICOM transfer syntax has no decoder here (PS3.5 section 8, annex A)."""

    code = "unsupported_transfer_syntax"


class UnreadableFilm(Rejected):
    """The file claims a known format and cannot be decoded as it."""

    code = "unreadable_film"


class TruncatedFilm(UnreadableFilm):
    """The file ends before its pixels do."""

    code = "truncated_film"


class DecoderCrashed(UnreadableFilm):
    """The decoder's process ended over the file. Other files are not affected."""

    code = "decoder_crashed"


class NotAnImage(Rejected):
    """A DICOM object without pixel data (a report, a presentation state)."""

    code = "not_an_image"


class WrongIdentifiers(Rejected):
    """A DICOM object lacks its SOP Class or Instance UID, or was sent as another one."""

    code = "wrong_identifiers"


class MultiFrameFilm(Rejected):
    """More than one frame: a radiograph has one."""

    code = "multi_frame"


class ColourFilm(Rejected):
    """Real colour, so not a radiograph (grey stored as RGB is accepted)."""

    code = "colour_film"


class BlankRendering(Rejected):
    """The film's own window, table or padding shows one grey throughout; the text names it."""

    code = "blank_rendering"


class ForProcessing(Rejected):
    """Raw detector values: not prepared for display, and no model was trained on them."""

    code = "for_processing"


class FilmTooSmall(Rejected):
    """Too few pixels for any model to say something true."""

    code = "film_too_small"


class NotAFrontalChestXray(Rejected):
    """The gate does not take the film for a frontal chest X-ray; nothing else was asked of it."""

    code = "not_a_frontal_chest_xray"


class LimitExceeded(Rejected):
    """A configured limit was exceeded; the text names the limit."""

    code = "limit_exceeded"


class FileTooLarge(LimitExceeded):
    """More bytes in one file than allowed."""

    code = "file_too_large"


class RequestTooLarge(LimitExceeded):
    """More bytes in one request than allowed."""

    code = "request_too_large"


class TooManyFiles(LimitExceeded):
    """More files in one request than allowed."""

    code = "too_many_files"


class TooManyPixels(LimitExceeded):
    """More pixels than allowed, read from the header before decoding."""

    code = "too_many_pixels"


class TooManyElements(LimitExceeded):
    """More DICOM elements and sequence items than an image needs."""

    code = "too_many_elements"


class NestedTooDeep(LimitExceeded):
    """DICOM sequences inside one another, deeper than any image has them."""

    code = "nested_too_deep"


class TooManySegments(LimitExceeded):
    """More JPEG segments, PNG chunks or DICOM fragments than an image needs."""

    code = "too_many_segments"


class TooManyScans(LimitExceeded):
    """A JPEG whose scans pass over its pixels too often."""

    code = "too_many_scans"


class WorkingMemoryExceeded(LimitExceeded):
    """Decoding needs more memory than one image may use."""

    code = "working_memory"


class CpuTimeExceeded(LimitExceeded):
    """Decoding took more CPU time than one image may use."""

    code = "cpu_time"


class CompressionRatioTooHigh(LimitExceeded):
    """The header promises far more pixels than the bytes can honestly hold."""

    code = "compression_ratio_too_high"
