"""The film reader: DICOM here, PNG and JPEG through ``hilum.imaging``."""

from __future__ import annotations

import logging
import warnings
from typing import TYPE_CHECKING, Final

import numpy as np
from pydicom import config

from hilum.adapters.dicom.dataset import (
    ParsedFile,
    looks_like_dicom,
    parse,
    require_whole,
)
from hilum.adapters.dicom.header import header_of, read_header, refuse_without_pixels
from hilum.adapters.dicom.image_pixel import MONOCHROME, ImagePixel, image_pixel
from hilum.adapters.dicom.palette import palette_colours
from hilum.adapters.dicom.pixels import decode_pixels, is_native
from hilum.adapters.dicom.presentation import presentations_of
from hilum.adapters.dicom.stored_pixels import PixelData, StoredPixels
from hilum.adapters.dicom.transfer_syntax import encoding_of, same_syntax
from hilum.domain.errors import (
    BlankRendering,
    FileTooLarge,
    ForProcessing,
    Rejected,
    UnreadableFilm,
)
from hilum.domain.image_note import ImageNote
from hilum.imaging.blank import refuse_blank, refuse_blank_colours
from hilum.imaging.budget import NotPlain
from hilum.imaging.colour import deep_grey, grey_of_array
from hilum.imaging.colour_model import full_range, is_ybr
from hilum.imaging.deep_png import render_deep
from hilum.imaging.film import Film
from hilum.imaging.grey import render
from hilum.imaging.raster import decode_raster
from hilum.imaging.sniff import check_limits, check_smallest_side, inspect

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

    from hilum.imaging.film import FilmHeader, FilmLimits

_ROOM_FOR_ATTRIBUTES: Final = 16 * 1024 * 1024
_LARGEST_SAMPLE: Final = 2
_BYTE: Final = 8


class DicomFilmReader:
    """Reads DICOM, PNG and JPEG films. Implements the port ``FilmReader``.

    Holds no state between films, so one instance serves every thread of a process.

    Args:
        limits: Checked before anything is decoded.
        plain_pixels: Most pixels of a grey image of 16 bits that costs as much as one that is read
            here. Others, and those that are deflated or encoded, raise :class:`NotPlain`. None:
            everything is read.
    """

    def __init__(self, limits: FilmLimits, *, plain_pixels: int | None = None) -> None:
        self._limits = limits
        self._plain_pixels = plain_pixels
        _silence_libraries()

    def inspect(self, prefix: bytes, size: int) -> FilmHeader:
        """Look at the first bytes of a file, at the door.

        Args:
            prefix: The first bytes: 256 KiB say enough of nearly every film.
            size: Size of the whole file, in bytes, or an upper bound of it where more follows
                than ``prefix`` holds. ``max_bytes`` is left to whoever counts what arrives, and
                to ``read``.

        Returns:
            What the file says of itself, as far as the prefix goes.

        Raises:
            Rejected: The file can already be seen to be of no use; the class says why.
            NotPlain: It is to be read in a process of its own.
        """
        if looks_like_dicom(prefix):
            header = read_header(
                prefix,
                size,
                inflated_limit=self._inflated_limit,
                inflate=self._plain_pixels is None,
            )
        else:
            header = inspect(prefix, size)
        check_limits(header, min(size, self._limits.max_bytes), self._limits)
        check_smallest_side(header)
        return header

    def read(self, data: bytes, *, for_processing: bool = False) -> Film:
        """Decode a film.

        Args:
            data: The whole file.
            for_processing: Accept raw detector values.

        Returns:
            The film, ready to look at.

        Raises:
            Rejected: The file is of no use; the class says why.
            NotPlain: It is to be read in a process of its own.
        """
        if not looks_like_dicom(data):
            return decode_raster(data, self._limits, plain_pixels=self._plain_pixels)
        try:
            return self._read_dicom(data, for_processing=for_processing)
        except (Rejected, NotPlain, MemoryError):  # no memory left is not the file's fault
            raise
        except Exception as error:
            # No file may bring a worker down: what nobody foresaw is the file's fault as well.
            raise UnreadableFilm("The DICOM file cannot be read.") from error

    @property
    def _inflated_limit(self) -> int:
        return self._limits.max_pixels * _LARGEST_SAMPLE + _ROOM_FOR_ATTRIBUTES

    def _read_dicom(self, data: bytes, *, for_processing: bool) -> Film:
        if len(data) > self._limits.max_bytes:
            raise FileTooLarge(
                f"The file has {len(data)} bytes; the limit is {self._limits.max_bytes} bytes."
            )
        inflate = self._plain_pixels is None
        parsed = parse(data, inflated_limit=self._inflated_limit, inflate=inflate)
        refuse_without_pixels(parsed, complete=True)
        encoding_of(parsed.transfer_syntax)
        require_whole(parsed)
        header = header_of(parsed)
        if header.for_processing and not for_processing:
            raise ForProcessing("The image holds raw detector values (FOR PROCESSING).")
        pixel = image_pixel(parsed.dataset)
        check_limits(header, len(data), self._limits)
        check_smallest_side(header)
        source = _pixel_data(parsed)
        if self._plain_pixels is not None:
            encoded = 0 if is_native(source, pixel) else max(len(source.value), 1)
            large = max(_size_of(pixel), len(data) // _LARGEST_SAMPLE) > self._plain_pixels
            if encoded or large:
                raise NotPlain(large=large, encoded=encoded)
        stored = decode_pixels(source, pixel, self._limits.max_compression_ratio)
        pixels, notes = _presented(parsed.dataset, stored)
        if not same_syntax(stored.syntax, parsed.transfer_syntax):
            notes |= {ImageNote.TRANSFER_SYNTAX_CORRECTED}
        if header.for_processing:
            notes |= {ImageNote.FOR_PROCESSING_ACCEPTED}
        return Film(pixels, header, notes | header.notes)


def _size_of(pixel: ImagePixel) -> int:
    """Pixels of a grey image of 16 bits that costs as much as this one."""
    if pixel.photometric in MONOCHROME:
        return pixel.rows * pixel.columns
    # Colours are held in several copies, a palette's in three planes.
    width = max(pixel.samples * pixel.allocated // _BYTE, _LARGEST_SAMPLE)
    return pixel.rows * pixel.columns * width


def _pixel_data(parsed: ParsedFile) -> PixelData:
    return PixelData(
        value=parsed.dataset.PixelData,
        representation=str(parsed.dataset["PixelData"].VR),
        syntax=parsed.transfer_syntax,
        encapsulated=parsed.pixel_length is None,
        big_endian=parsed.big_endian,
    )


def _presented(
    dataset: Dataset, stored: StoredPixels
) -> tuple[NDArray[np.uint8], frozenset[ImageNote]]:
    if stored.patterns.ndim != 2:  # noqa: PLR2004 - [H, W, 3]
        pixels = _grey_of_colours(stored)
        refuse_blank_colours(pixels, stored.patterns)
        return pixels, frozenset()
    if stored.photometric not in MONOCHROME:
        colours = palette_colours(dataset, stored)
        pixels = colours if colours.ndim == 2 else grey_of_array(colours)  # noqa: PLR2004 - as above
        refuse_blank_colours(pixels, stored.patterns)
        return pixels, frozenset()
    blank: list[BlankRendering] = []
    for shown in presentations_of(dataset, stored):
        pixels = render(stored.patterns, shown.transform)
        try:
            refuse_blank(pixels, stored.patterns, shown.transform)
        except BlankRendering as reason:
            blank.append(reason)
        else:
            return pixels, shown.notes
    raise blank[0]


def _grey_of_colours(stored: StoredPixels) -> NDArray[np.uint8]:
    """Three samples per pixel, which have to be grey in the end."""
    stated = stored.photometric.startswith(("YBR_FULL", "YBR_PARTIAL"))
    unsigned = np.dtype(np.uint8 if stored.patterns.itemsize == 1 else np.uint16)
    values: NDArray[np.unsignedinteger] = stored.patterns.view(unsigned)
    if stored.precision < unsigned.itemsize * _BYTE:
        values = np.right_shift(values, stored.shift, dtype=unsigned)
        values &= unsigned.type((1 << stored.precision) - 1)
    if stored.precision <= 8:  # noqa: PLR2004 - bits of a presentation value
        eight = values << (8 - stored.precision) if stored.precision < _BYTE else values
        values = eight.astype(np.uint8, copy=False)
    else:
        values = values.astype(np.uint16, copy=False)
    bits = max(stored.precision, _BYTE)
    ybr = is_ybr(values, bits=bits, stated=stated)
    if ybr and stored.photometric.startswith("YBR_PARTIAL"):
        values = full_range(values, bits=bits)
    if values.itemsize == 1:
        return grey_of_array(values.view(np.uint8), ybr=ybr)
    return render_deep(deep_grey(values.view(np.uint16), bits=bits, ybr=ybr))


def _silence_libraries() -> None:
    """Keep values of elements and metadata, which may name a patient, out of warnings and logs."""
    config.settings.reading_validation_mode = config.IGNORE
    logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)
    warnings.filterwarnings("ignore", module=r"(pydicom|PIL)(\.|$)")
