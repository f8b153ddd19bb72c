"""Coverage-guided fuzzing of the reader, for nights: ``make fuzz``. Needs Atheris.

Libfuzzer keeps what it finds in the folder that it is given. A finding is made small and put into
``tests/fuzz/corpus``, with the code that it is to be refused with in its name.
"""

from __future__ import annotations

import sys

try:
    import atheris
except ImportError:
    sys.exit("Atheris is not installed: pip install atheris (Linux, CPython 3.11 to 3.13)")

with atheris.instrument_imports(include=["hilum", "pydicom", "PIL"]):
    from hilum.adapters.dicom.film_reader import DicomFilmReader
    from hilum.domain.errors import Rejected
    from hilum.imaging.film import FilmLimits

READER = DicomFilmReader(FilmLimits(max_pixels=1_000_000))


def look_at(data: bytes) -> None:
    """Inspect and read; anything but an image or a refusal is a finding."""
    for look in (lambda: READER.inspect(data, len(data)), lambda: READER.read(data)):
        try:
            look()
        except Rejected:
            continue


if __name__ == "__main__":
    atheris.Setup([*sys.argv, "-timeout=5", "-rss_limit_mb=600", "-max_len=262144"], look_at)
    atheris.Fuzz()
