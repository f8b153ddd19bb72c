"""What one image may cost: counts, memory and CPU time, checked while it is parsed.

Limits of size do not bound cost. A deflated DICOM file of 120 KB held 10 million elements, and a
progressive JPEG of 300 KB took 28 seconds. Each limit here lies far above what images need and
far below what hurts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits of one image. The error that each raises is named behind it.

    Attributes:
        elements: DICOM elements and sequence items (``too_many_elements``). Radiographs have 30
            to 300, with private elements of some devices a few thousand.
        depth: DICOM sequences inside one another (``nested_too_deep``). Radiographs have 2 to 4,
            structured reports up to about 12.
        value_bytes: Longest value, in bytes, of an element that is neither pixels nor a table. A
            longer one (overlays, private data) is skipped: no attribute that is read has one.
        fragments: Fragments of DICOM pixel data (``too_many_segments``). Some writers cut every
            2 KiB: 64 MiB are 32,768.
        segments: JPEG marker segments before the first scan (``too_many_segments``). Files with
            much metadata have some hundreds. A fill byte counts as one.
        chunks: PNG chunks (``too_many_segments``). Encoders cut pixels every 8 KiB: 64 MiB are
            8,192.
        pixel_scans: JPEG scans x components x pixels (``too_many_scans``). libjpeg takes 3 ns for
            each. A progressive colour image of 36 megapixels has 14 scans and components: 5e8.
        scans: JPEG scans (``too_many_scans``). A progressive encoder writes about ten.
        working_bytes: Memory for decoding beyond the file itself, in bytes (``working_memory``).
            An uncompressed grey image of 36 megapixels and 16 bits takes 150 MiB.
        cpu_seconds: CPU time of a decoding process, in seconds (``cpu_time``), for a file whose
            pixels are not encoded by a DICOM transfer syntax.
        encoded_bytes: Bytes of encoded DICOM pixel data that allow one second more. JPEG 2000, the
            slowest, takes 0.2 s for 1 MiB. Pixels and bytes bound what each decoder does: scans of
            JPEG are counted.
    """

    elements: int = 10_000
    depth: int = 32
    value_bytes: int = 16 * 1024
    fragments: int = 50_000
    segments: int = 4_096
    chunks: int = 20_000
    pixel_scans: int = 800_000_000
    scans: int = 256
    working_bytes: int = 288 * 1024 * 1024
    cpu_seconds: int = 5
    encoded_bytes: int = 2 * 1024 * 1024

    def cpu_seconds_of(self, encoded: int) -> int:
        """Return the CPU time of an image whose encoded pixel data has so many bytes."""
        return self.cpu_seconds + encoded // self.encoded_bytes

    def wall_seconds_of(self, encoded: int) -> int:
        """Return how long its decoding process is waited for, on a machine that is busy."""
        return min(12 * self.cpu_seconds_of(encoded), 240)


BUDGET: Final = Budget()
"""The budget of every image, at ingestion and in a worker."""

PLAIN_PIXELS: Final = 16_000_000
"""Most pixels of an image that services read in their own process, one grey sample of 16 bits each.

Others are weighed. What is not over it takes at most a second of CPU time and 150 MiB.
"""


class NotPlain(Exception):
    """An image that is to be read in a process of its own.

    Attributes:
        large: It costs more than ``PLAIN_PIXELS`` pixels.
        encoded: Bytes of its encoded DICOM pixel data, 0 where there are none.
    """

    def __init__(self, *, large: bool, encoded: int = 0) -> None:
        super().__init__()
        self.large = large
        self.encoded = encoded
