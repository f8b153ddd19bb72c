"""3,000 changed files: each has an answer in bounded time, and leaves the next file alone."""

from __future__ import annotations

import resource
from pathlib import Path

import numpy as np
import pytest

from hilum.adapters.dicom.guarded_reader import GuardedFilmReader
from hilum.imaging.film import FilmLimits
from tests.fuzz.answers import answer_to
from tests.fuzz.mutator import mutate
from tests.fuzz.seeds import seeds

SEEDS = seeds()
FILES = list(SEEDS.values())
CORPUS = sorted(Path(__file__).with_name("corpus").iterdir())
MUTANTS = 3000
AT_ONCE = 300
CPU_S = 0.5
CPU_S_PER_BYTE = 20e-6
MOST_MIB = 300
LIMITS = FilmLimits(max_pixels=4_000_000)


@pytest.fixture(scope="module")
def reader():
    return GuardedFilmReader(LIMITS)


@pytest.fixture(scope="module")
def plain(reader):
    """What each unchanged file shows."""
    return {name: reader.read(data).pixels for name, data in SEEDS.items()}


def assert_bounded(reader, data: bytes, name: str) -> None:
    """The file costs no more CPU time than its length allows."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    answer = answer_to(reader, data)
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert cpu_s < CPU_S + CPU_S_PER_BYTE * len(data), (name, answer, cpu_s, len(data))


@pytest.mark.parametrize("first", range(0, MUTANTS, AT_ONCE))
def test_a_changed_file_has_an_answer_in_bounded_time(first, reader, plain):
    """A mutant is accepted or refused with a reason, and an unchanged file shows what it showed."""
    names = list(SEEDS)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for seed in range(first, first + AT_ONCE):
        name = names[seed % len(names)]
        assert_bounded(reader, mutate(SEEDS[name], FILES, seed), f"{name}, seed {seed}")
        if seed % 50 == 0:
            assert np.array_equal(reader.read(SEEDS[name]).pixels, plain[name])
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < MOST_MIB * 1024


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_a_file_of_the_corpus_is_refused_in_bounded_time(path, reader):
    """A file that once cost much or had a wrong reason is refused with the code in its name."""
    data = path.read_bytes()
    assert_bounded(reader, data, path.name)
    assert answer_to(reader, data) == path.stem.split("-")[0]
