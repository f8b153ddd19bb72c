"""What can go wrong while images are built."""

from __future__ import annotations


class ImagesFailed(Exception):
    """An image could not be made; the text says what to do about it."""
