"""GDCM's library never enters the process that reads films."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
from hilum.adapters.dicom.film_reader import DicomFilmReader
from hilum.adapters.dicom.gdcm_process import gdcm_installed
import pydicom.pixels.decoders.gdcm
assert gdcm_installed(), "GDCM is not installed: this test would prove nothing"
print(sorted(name for name in sys.modules if name.startswith("_gdcm")))
print(any("gdcm" in line for line in open("/proc/self/maps")))
"""


def test_pydicom_does_not_load_gdcm_into_the_process_that_reads_films():
    """Its zlib beside Python's corrupts the heap, so its library must not even be mapped."""
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.split("\n")[:2] == ["[]", "False"]
