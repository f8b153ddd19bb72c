"""PNG and JPEG files made for tests."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image


def waves(rows: int = 96, columns: int = 112) -> np.ndarray:
    """A smooth grey picture over the full range: uint8 [rows, columns]."""
    y, x = np.mgrid[:rows, :columns]
    return np.rint((np.sin(x / 17.0) * np.cos(y / 13.0) + 1.0) * 127.5).astype(np.uint8)


def saved(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """An image as a file, by Pillow."""
    buffer = io.BytesIO()
    image.save(buffer, format=kind, **options)
    return buffer.getvalue()


def png(pixels: np.ndarray, **options: Any) -> bytes:
    """An array as PNG, by Pillow."""
    return saved(Image.fromarray(pixels), **options)


def jpeg(pixels: np.ndarray, **options: Any) -> bytes:
    """An array as JPEG, by Pillow."""
    return saved(Image.fromarray(pixels), "JPEG", **{"quality": 97, **options})


def chunk(name: bytes, body: bytes) -> bytes:
    """One PNG chunk."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_promising(columns: int, rows: int, depth: int = 8, colour_type: int = 0) -> bytes:
    """A PNG that promises a size and brings next to nothing."""
    ihdr = struct.pack(">IIBBBBB", columns, rows, depth, colour_type, 0, 0, 0)
    body = chunk(b"IHDR", ihdr) + chunk(b"IDAT", zlib.compress(b"\0" * 10)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def colour_photograph(rows: int = 240, columns: int = 320) -> np.ndarray:
    """A scene in colour: blue sky, green meadow, a red house, shading on all of them."""
    y, x = np.mgrid[:rows, :columns].astype(float)
    shade = (0.6 + 0.4 * np.sin(x / 23.0) * np.cos(y / 19.0))[..., np.newaxis]
    colours = np.where((y < rows / 2)[..., np.newaxis], [110, 160, 240], [60, 180, 70])
    house = (abs(x - columns / 2) < columns / 6) & (abs(y - rows / 2) < rows / 5)
    colours = np.where(house[..., np.newaxis], [200, 60, 50], colours)
    return (colours * shade).clip(0, 255).astype(np.uint8)
