"""The header of a DICOM film, from the first bytes of the file."""

from __future__ import annotations

import re
from typing import Final

from hilum.adapters.dicom import statements
from hilum.adapters.dicom.dataset import ParsedFile, parse
from hilum.adapters.dicom.identity import identity_of
from hilum.adapters.dicom.image_pixel import element, integer, refuse_frames
from hilum.adapters.dicom.transfer_syntax import encoding_of
from hilum.domain.errors import NotAnImage
from hilum.domain.image_note import ImageNote
from hilum.imaging.film import FilmHeader

DICOM_MEDIA_TYPE: Final = "application/dicom"
_IMAGE_PIXEL_GROUP: Final = 0x0028
_AGE: Final = re.compile(r"(\d{1,3})([DWMY]?)")
_OLDEST: Final = 130.0
_TO_A_YEAR: Final = {"D": 365.25, "W": 52.18, "M": 12.0, "Y": 1.0}


def read_header(
    prefix: bytes, size: int, *, inflated_limit: int, inflate: bool = True
) -> FilmHeader:
    """Read what a DICOM file says of itself, as far as its first bytes go.

    A prefix that ends before the Image Pixel module (long private elements stand in front of it
    in some files) is no error: what it does not say is None.

    Args:
        prefix: The first bytes.
        size: Size of the whole file, in bytes.
        inflated_limit: Most bytes that a deflated prefix may inflate to.
        inflate: Whether a deflated prefix is inflated at all.

    Returns:
        The header.

    Raises:
        NotPlain: It is deflated, and not to be inflated.
        UnsupportedFormat: Not DICOM.
        UnsupportedTransferSyntax: No decoder for it.
        NotAnImage: The object has no pixels.
        MultiFrameFilm: More than one frame.
        UnreadableFilm: A deflated dataset is damaged.
        CompressionRatioTooHigh: A deflated dataset inflates beyond the limit.
        TooManyElements: It has more elements and items than the budget allows.
        NestedTooDeep: Its sequences are nested deeper than the budget allows.
    """
    parsed = parse(prefix, inflated_limit=inflated_limit, header_only=True, inflate=inflate)
    refuse_without_pixels(parsed, complete=len(prefix) >= size)
    encoding_of(parsed.transfer_syntax)
    refuse_frames(parsed.dataset)
    return header_of(parsed)


def header_of(parsed: ParsedFile) -> FilmHeader:
    """What a parsed file says of itself."""
    dataset = parsed.dataset
    view = statements.view(dataset)
    turned = statements.orientation(dataset)
    aspect, of_aspect = statements.pixel_aspect(dataset)
    stated_age = element(dataset, "PatientAge")
    if isinstance(stated_age, str):
        stated_age = stated_age.strip()
    age = age_in_years(stated_age) if isinstance(stated_age, str) else None
    notes = turned.notes | of_aspect
    if age is None and stated_age:
        notes |= {ImageNote.PATIENT_AGE_IGNORED}
    if statements.has_burned_in_text(dataset):
        notes |= {ImageNote.BURNED_IN_ANNOTATION}
    return FilmHeader(
        DICOM_MEDIA_TYPE,
        rows=integer(dataset, "Rows"),
        columns=integer(dataset, "Columns"),
        bits=integer(dataset, "BitsStored"),
        samples=integer(dataset, "SamplesPerPixel"),
        sop_instance_uid=parsed.sop_instance_uid,
        transfer_syntax_uid=parsed.transfer_syntax,
        content_at=parsed.data_set_at,
        patient_age=age,
        view_position=view.name,
        for_processing=statements.is_for_processing(dataset, parsed.sop_class_uid),
        frontal=False if turned.lateral else view.frontal,
        chest=statements.chest(dataset),
        one_side=statements.shows_one_side(dataset),
        mirrored=turned.mirrored,
        flipped=turned.flipped,
        pixel_aspect=aspect,
        notes=notes,
        identity=identity_of(dataset, parsed.sop_class_uid),
    )


def age_in_years(text: str) -> float | None:
    """Return an age in years.

    Args:
        text: An age string (PS3.5 section 6.2, AS): three digits and D, W, M or Y. Bare digits,
            which some senders write, are years.

    Returns:
        Years, or None for anything else, an age that nobody reaches included.
    """
    found = _AGE.fullmatch(text.strip().upper())
    years = int(found[1]) / _TO_A_YEAR[found[2] or "Y"] if found else None
    return None if years is None or years > _OLDEST else years


def refuse_without_pixels(parsed: ParsedFile, *, complete: bool) -> None:
    """Refuse an object that is no image.

    Args:
        parsed: The file, or its first bytes.
        complete: Whether it is the whole file.

    Raises:
        NotAnImage: No pixel data in a whole file, or elements beyond the place of the Image Pixel
            module without one.
    """
    if parsed.pixels_announced:
        if element(parsed.dataset, "FloatPixelData") or element(
            parsed.dataset, "DoubleFloatPixelData"
        ):
            raise NotAnImage("The DICOM object holds a parametric map, not a picture.")
        return
    beyond = parsed.last_group > _IMAGE_PIXEL_GROUP
    has_rows = integer(parsed.dataset, "Rows") is not None
    if (complete and not parsed.cut) or (beyond and not has_rows):
        kind = element(parsed.dataset, "SOPClassUID")
        name = getattr(kind, "name", None)
        raise NotAnImage(f"A DICOM object without pixel data ({name or 'unnamed kind'}).")
