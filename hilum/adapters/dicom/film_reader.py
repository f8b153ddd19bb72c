"""The film reader: DICOM here, PNG and JPEG through ``hilum.imaging``."""

from __future__ import annotations

import logging
import warnings
from typing import TYPE_CHECKING, Final

import numpy as np
from pydicom import config
from pydicom.pixels.processing import apply_color_lut

from hilum.adapters.dicom.dataset import ParsedFile, looks_like_dicom, parse, require_whole
from hilum.adapters.dicom.header import header_of, read_header, refuse_without_pixels
from hilum.adapters.dicom.image_pixel import MONOCHROME, ImagePixel, image_pixel
from hilum.adapters.dicom.pixels import StoredPixels, decode_pixels
from hilum.adapters.dicom.presentation import grey_transform
from hilum.adapters.dicom.transfer_syntax import encoding_of
from hilum.domain.errors import FileTooLarge, Rejected, UnreadableFilm
from hilum.imaging.colour import grey_of_array
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


class DicomFilmReader:
    """Reads DICOM, PNG and JPEG films. Implements the port ``FilmReader``.

    Holds no state between films, so one instance serves every thread of a process.

    Args:
        limits: Checked before anything is decoded.
    """

    def __init__(self, limits: FilmLimits) -> None:
        self._limits = limits
        _silence_pydicom()

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
        """
        if looks_like_dicom(prefix):
            header = read_header(prefix, size, inflated_limit=self._inflated_limit)
        else:
            header = inspect(prefix, size)
        check_limits(header, min(size, self._limits.max_bytes), self._limits)
        check_smallest_side(header)
        return header

    def read(self, data: bytes) -> Film:
        """Decode a film.

        Args:
            data: The whole file.

        Returns:
            The film, ready to look at.

        Raises:
            Rejected: The file is of no use; the class says why.
        """
        if not looks_like_dicom(data):
            return decode_raster(data, self._limits)
        try:
            return self._read_dicom(data)
        except (Rejected, MemoryError):  # no memory left is not the file's fault
            raise
        except Exception as error:
            # No file may bring a worker down: what nobody foresaw is the file's fault as well.
            raise UnreadableFilm("The DICOM file cannot be read.") from error

    @property
    def _inflated_limit(self) -> int:
        return self._limits.max_pixels * _LARGEST_SAMPLE + _ROOM_FOR_ATTRIBUTES

    def _read_dicom(self, data: bytes) -> Film:
        if len(data) > self._limits.max_bytes:
            raise FileTooLarge(
                f"The file has {len(data)} bytes; the limit is {self._limits.max_bytes} bytes."
            )
        parsed = parse(data, inflated_limit=self._inflated_limit)
        refuse_without_pixels(parsed, complete=True)
        encoding_of(parsed.transfer_syntax)
        require_whole(parsed)
        header = header_of(parsed)
        pixel = image_pixel(parsed.dataset)
        check_limits(header, len(data), self._limits)
        check_smallest_side(header)
        stored = decode_pixels(
            parsed.dataset.PixelData,
            str(parsed.dataset["PixelData"].VR),
            parsed.transfer_syntax,
            pixel,
            self._limits.max_compression_ratio,
        )
        return Film(_presented(parsed, pixel, stored), header)


def _presented(parsed: ParsedFile, pixel: ImagePixel, stored: StoredPixels) -> NDArray[np.uint8]:
    if stored.photometric in MONOCHROME:
        return render(stored.patterns, grey_transform(parsed.dataset, pixel, stored))
    if stored.patterns.ndim == 2:  # noqa: PLR2004 - [H, W]: indices into a palette
        return grey_of_array(_palette_colours(parsed.dataset, stored))
    return grey_of_array(_eight_bits(stored.patterns, stored.precision))


def _palette_colours(dataset: Dataset, stored: StoredPixels) -> NDArray[np.uint8]:
    """PALETTE COLOR (PS3.3 C.7.6.3.1.5) as RGB."""
    mask = np.array((1 << stored.precision) - 1, dtype=stored.patterns.dtype)
    colours = apply_color_lut((stored.patterns >> stored.shift) & mask, dataset)
    return _eight_bits(colours, colours.itemsize * 8)


def _eight_bits(samples: NDArray[np.integer], precision: int) -> NDArray[np.uint8]:
    unsigned: NDArray[np.unsignedinteger] = samples.view(
        np.uint8 if samples.itemsize == 1 else np.uint16
    )
    top: NDArray[np.uint8] = (unsigned >> max(0, precision - 8)).astype(np.uint8)
    return top


def _silence_pydicom() -> None:
    """Keep values of elements, which may name a patient, out of warnings and logs."""
    config.settings.reading_validation_mode = config.IGNORE
    logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)
    warnings.filterwarnings("ignore", module=r"pydicom(\.|$)")
