"""The cost of each parser grows with the bytes that it is given, whatever they are."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from hilum.adapters.dicom.film_reader import DicomFilmReader
from hilum.imaging.film import FilmLimits
from tests.costs import Cost, cost_of_inspection, cost_of_reading
from tests.fuzz.seeds import seeds

READER = DicomFilmReader(FilmLimits(max_pixels=4_000_000))
SEEDS = seeds()
# Where a repeated piece goes: into the elements, the chunks, the segments, the fragments.
FRONT = {"png": 33, "16-bit png": 33, "jpeg file": 2, "progressive jpeg file": 2}
MOST_BYTES = 1_000_000
CPU_S = 0.5
CPU_S_PER_BYTE = 10e-6
MIB = 60
BYTES_PER_BYTE = 60

PIECES = st.one_of(
    st.sampled_from(
        [
            *(
                b"\x08\x00\x50\x00SH\0\0",
                b"\xfe\xff\x00\xe0\0\0\0\0",
                b"\xfe\xff\x00\xe0\xff\xff\xff\xff",
            ),
            *(b"\x08\0\x11\x11SQ\0\0\xff\xff\xff\xff", b"\x09\0\x10\x10UN\0\0\xff\xff\xff\xff"),
            *(b"\xff", b"\xff\xe1\0\x02", b"\xff\xda\0\x02", b"\0\0\0\0tEXt\0\0\0\0", b"\x80"),
        ]
    ),
    st.binary(min_size=1, max_size=24),
)


def assert_in_proportion(cost: Cost, size: int) -> None:
    """A constant and a share for each byte, for a machine that is busy."""
    assert cost.answer == "accepted" or cost.answer.islower(), cost
    assert cost.cpu_s < CPU_S + CPU_S_PER_BYTE * size, cost
    assert cost.peak_mib < MIB + BYTES_PER_BYTE * size / 2**20, cost


@settings(max_examples=80, deadline=None)
@given(name=st.sampled_from(sorted(SEEDS)), piece=PIECES, place=st.floats(0, 1), data=st.data())
def test_a_piece_repeated_anywhere_costs_in_proportion(name, piece, place, data):
    """A file with one piece repeated up to a megabyte has an answer at a bounded cost per byte."""
    times = data.draw(st.integers(1, MOST_BYTES // len(piece)))
    seed = SEEDS[name]
    at = FRONT.get(name, int(place * len(seed)))
    changed = seed[:at] + piece * times + seed[at:]
    assert_in_proportion(cost_of_inspection(READER, changed), len(changed))
    assert_in_proportion(cost_of_reading(READER, changed), len(changed))
