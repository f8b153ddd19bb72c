"""What a process holds after large blocks were freed."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import os, sys
from hilum.adapters.dicom.heap import return_freed_memory, return_large_blocks
MIB = 1024 * 1024

def held():
    with open("/proc/self/statm") as pages:
        return int(pages.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / MIB

if sys.argv[1] == "blocks":
    return_large_blocks()
bytes(31 * MIB)  # after this the C library would keep blocks up to this size
before = held()
blocks = [bytearray(20 * MIB) for _ in range(5)]
small = [bytearray(1000) for _ in range(5000)]  # in the way of a heap that shrinks from its end
del blocks
if sys.argv[1] == "trim":
    return_freed_memory()
print(held() - before)
"""


@pytest.mark.parametrize(("way", "returned"), [("none", False), ("blocks", True), ("trim", True)])
def test_large_blocks_go_back_to_the_system(way, returned):
    """When they are freed, or when it is asked for. Without either the process keeps them."""
    grown = subprocess.run(
        [sys.executable, "-c", SCRIPT, way], capture_output=True, check=True, text=True
    )
    assert (float(grown.stdout) < 30) is returned
