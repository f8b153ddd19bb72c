"""The allocator's knobs."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import threading
from hilum_worker.memory import keep_heap_small
import numpy as np

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

def films(number):
    # Sizes that grow and shrink, as those of films do, in several threads at once.
    for n in range(number):
        held = [np.ones((1000 + 97 * ((n * 31 + k) % 40), 1500), np.uint8) for k in range(4)]
        sum(int(a[0, 0]) for a in held)

def crowd():
    threads = [threading.Thread(target=films, args=(25,)) for _ in range(8)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()

took = keep_heap_small()
before = resident()
crowd()
print(took, resident() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator")
def test_what_films_took_is_given_back_to_the_system():
    """After hundreds of large arrays in eight threads next to nothing of them stays resident."""
    run = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    took, growth = run.stdout.split()
    assert took == "True"
    assert int(growth) < 20 * 1024 * 1024
