"""Films for the benchmarks: real ones where they are, made distinct so that each is new."""

from __future__ import annotations

import io
import os
import uuid
import zlib
from dataclasses import dataclass
from itertools import count, cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from hilum.imaging.phantom import phantom_film

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path(__file__).resolve().parents[1]
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_JPEG_START = b"\xff\xd8"


@dataclass(frozen=True, slots=True)
class BenchmarkFilm:
    """A file as uploaded."""

    name: str
    content: bytes


def native_films() -> list[BenchmarkFilm]:
    """The films of ``HILUM_CXR_DIR/native`` (1 to 4 megapixels), or phantoms of that size."""
    folder = Path(os.environ.get("HILUM_CXR_DIR", _ROOT.parent / "shared" / "cxr")) / "native"
    if folder.is_dir():
        return [BenchmarkFilm(path.name, path.read_bytes()) for path in sorted(folder.iterdir())]
    return [_phantom(seed) for seed in range(8)]


def distinct_films(number: int) -> Iterator[BenchmarkFilm]:
    """So many films, the native ones in a loop, no two with the same bytes.

    Yields:
        Films with the pixels of the originals; a comment in the file tells them apart.
    """
    films = native_films()
    for index, film in zip(count(), islice(cycle(films), number), strict=False):
        yield BenchmarkFilm(f"{index:05d}-{film.name}", distinct(film.content, index))


def distinct(content: bytes, index: int) -> bytes:
    """The same picture under other bytes: a comment segment (JPEG) or text chunk (PNG).

    Raises:
        ValueError: Neither JPEG nor PNG.
    """
    note = f"benchmark {index} {uuid.uuid4()}".encode()
    if content.startswith(_JPEG_START):
        segment = b"\xff\xfe" + (len(note) + 2).to_bytes(2, "big") + note
        return _JPEG_START + segment + content[2:]
    if content.startswith(_PNG_SIGNATURE):
        body = b"tEXt" + b"Comment\x00" + note
        chunk = (len(body) - 4).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
        end_of_header = len(_PNG_SIGNATURE) + 25  # IHDR: length, type, 13 bytes, CRC
        return content[:end_of_header] + chunk + content[end_of_header:]
    raise ValueError("only JPEG and PNG films can be made distinct")


def _phantom(seed: int) -> BenchmarkFilm:
    encoded = io.BytesIO()
    pixels = phantom_film(1536, 1280, seed=seed)
    Image.fromarray(pixels).save(encoded, "JPEG", quality=90)
    return BenchmarkFilm(f"phantom-{seed}.jpg", encoded.getvalue())
