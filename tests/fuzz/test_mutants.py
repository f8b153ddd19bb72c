"""3,000 changed files: each has an answer in bounded time, and leaves the next file alone."""

from __future__ import annotations

import resource
from pathlib import Path

import numpy as np
import pytest

from hilum.adapters.dicom.guarded_reader import GuardedFilmReader
from hilum.imaging.film import FilmLimits
from tests.costs import children, cpu_s
from tests.fuzz.answers import answer_of, looks_of
from tests.fuzz.mutator import mutate
from tests.fuzz.seeds import seeds

SEEDS = seeds()
FILES = list(SEEDS.values())
CORPUS = sorted(Path(__file__).with_name("corpus").iterdir())
MUTANTS = 3000
AT_ONCE = 300
# For each look. 10,000 elements, the most that a small file may hold, take 0.2 s, or 0.4 s on a
# machine that is busy.
CPU_S = 0.8
CPU_S_PER_BYTE = 20e-6
START_S = 1.5
MOST_MIB = 300
LIMITS = FilmLimits(max_pixels=4_000_000)


@pytest.fixture(scope="module")
def reader():
    return GuardedFilmReader(LIMITS)


@pytest.fixture(scope="module")
def plain(reader):
    """What each unchanged file shows."""
    return {name: reader.read(data).pixels for name, data in SEEDS.items()}


def bounded_answer(reader, data: bytes, name: str) -> str:
    """Inspect and read a file; the last answer.

    Each look costs no more CPU time than the file's length allows, here and in the processes.
    """
    answer = ""
    for look in looks_of(reader, data):
        processes, before = children(), cpu_s()
        answer = answer_of(look)
        spent = cpu_s() - before
        started = START_S * len(children() - processes)
        allowed = CPU_S + CPU_S_PER_BYTE * len(data) + started
        assert spent < allowed, (name, answer, spent, len(data))
    return answer


@pytest.mark.parametrize("first", range(0, MUTANTS, AT_ONCE))
def test_a_changed_file_has_an_answer_in_bounded_time(first, reader, plain):
    """A mutant is accepted or refused with a reason, and an unchanged file shows what it showed."""
    names = list(SEEDS)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for seed in range(first, first + AT_ONCE):
        name = names[seed % len(names)]
        bounded_answer(reader, mutate(SEEDS[name], FILES, seed), f"{name}, seed {seed}")
        if seed % 50 == 0:
            assert np.array_equal(reader.read(SEEDS[name]).pixels, plain[name])
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < MOST_MIB * 1024


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_a_file_of_the_corpus_is_refused_in_bounded_time(path, reader):
    """A file that once cost much or had a wrong reason is refused with the code in its name."""
    data = path.read_bytes()
    assert bounded_answer(reader, data, path.name) == path.stem.split("-")[0]
