"""Images that cost much are read in processes of their own."""

from __future__ import annotations

import os
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from pydicom import uid

from hilum.adapters.dicom import reader_pool
from hilum.adapters.dicom.film_reader import DicomFilmReader
from hilum.adapters.dicom.guarded_reader import GuardedFilmReader
from hilum.adapters.dicom.reader_pool import ReaderPool
from hilum.domain.errors import (
    CpuTimeExceeded,
    DecoderCrashed,
    TooManyElements,
    UnreadableFilm,
    WorkingMemoryExceeded,
)
from hilum.imaging.film import FilmHeader, FilmLimits
from tests.costs import children, cpu_s
from tests.fakes.dying_reader import ALLOCATE, ALLOWED, CRASH, KILLED, LIE, REFUSED, SPIN, WORK
from tests.unit.adapters.dicom import films

MIB = 1024 * 1024
SCENE = films.scene(bits=12)


@pytest.fixture
def dying(monkeypatch):
    """A pool of one process that dies of what it is sent."""
    monkeypatch.setattr(reader_pool, "_MODULE", "tests.fakes.dying_reader")
    return ReaderPool(FilmLimits(), processes=1)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (SPIN, CpuTimeExceeded),
        (CRASH, DecoderCrashed),
        (ALLOCATE, WorkingMemoryExceeded),
        (KILLED, MemoryError),
        (REFUSED, UnreadableFilm),
        (LIE, DecoderCrashed),
    ],
)
def test_a_process_that_dies_is_replaced_and_the_cause_is_named(data, kind, dying):
    """Whatever an image does to its process has a reason, and the next image is read."""
    with pytest.raises(kind):
        dying.read(data, large=False)
    assert dying.read(b"\x07", large=True).pixels[0, 0] == 7


def test_the_cpu_time_of_a_process_that_lives_is_counted(dying):
    """Tests that judge the cost of a file see what its process spent."""
    dying.read(b"\x07", large=False)
    before, processes = cpu_s(), children()
    dying.read(WORK, large=False)
    assert children() == processes
    assert 0.9 < cpu_s() - before < 1.5


def test_a_process_that_waits_holds_no_memory_of_an_image():
    """After a large image it is as large as after a small one."""
    pool = ReaderPool(FilmLimits(), processes=1)

    def held_mib(side: int) -> float:
        pool.read(films.film(films.scene(side, side, 12), bits=12), large=True)
        time.sleep(0.5)  # it gives its memory back after its answer
        (child,) = children() - others
        pages = int(Path(f"/proc/{child}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / MIB

    others = children()
    small = held_mib(256)
    assert held_mib(4000) < small + 10


@pytest.mark.parametrize(
    ("encoded", "seconds"), [(0, 5), (300_000, 5), (17 * MIB, 13), (36 * MIB, 23), (64 * MIB, 37)]
)
def test_encoded_pixels_allow_cpu_time_by_their_bytes(encoded, seconds, dying):
    """A small file has 5 seconds, and a radiograph of 36 megapixels one for each 2 MiB more."""
    film = dying.read(ALLOWED, large=True, encoded=encoded)
    assert int(film.pixels[0, 0]) == pytest.approx(seconds, abs=1)


def test_a_large_radiograph_is_read_by_a_machine_of_half_the_speed(monkeypatch):
    """JPEG 2000 of 22 megapixels, 12 bits with noise: the process decodes it twice."""
    noise = np.random.default_rng(1).normal(0, 12, (4300, 5200)).astype(np.float32)
    image = np.clip(films.scene(4300, 5200, 12) * 0.8 + 400 + noise, 0, 4095).astype(np.uint16)
    data = films.jpeg_2000(uid.JPEG2000Lossless, image, bits=12)
    monkeypatch.setattr(reader_pool, "_MODULE", "tests.fakes.slow_reader")
    assert GuardedFilmReader(FilmLimits()).read(data).pixels.shape == image.shape


def test_answers_never_mix(monkeypatch):
    """Threads that read and images that kill processes leave each reader its own image."""
    monkeypatch.setattr(reader_pool, "_MODULE", "tests.fakes.dying_reader")
    pool = ReaderPool(FilmLimits(), processes=2)

    def read(index: int) -> bool:
        if index % 7 == 0:
            with pytest.raises(DecoderCrashed):
                pool.read(CRASH, large=False)
            return True
        return int(pool.read(bytes([index]), large=index % 5 == 0).pixels[0, 0]) == index

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(read, range(1, 60)))


@pytest.fixture(scope="module")
def guarded():
    return GuardedFilmReader(FilmLimits())


@pytest.mark.parametrize(
    "data",
    [
        films.jpeg_2000(uid.JPEG2000Lossless, SCENE, bits=12),
        films.compressed(uid.JPEGLSLossless, SCENE, bits=12),
        films.native(uid.DeflatedExplicitVRLittleEndian, SCENE, bits=12),
        films.film(SCENE, bits=12),
    ],
    ids=["jpeg 2000", "jpeg-ls", "deflated", "native"],
)
def test_an_image_is_the_same_wherever_it_is_read(data, guarded, reader):
    """Header, pixels and notes do not depend on the process."""
    here, there = reader.read(data), guarded.read(data)
    assert np.array_equal(here.pixels, there.pixels)
    assert (here.header, here.notes) == (there.header, there.notes)
    assert guarded.inspect(data, len(data)) == reader.inspect(data, len(data))


def test_a_plain_image_is_read_in_the_process_itself(monkeypatch):
    """Uncompressed DICOM needs no process of its own, and does not pay for one."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a process was asked")

    monkeypatch.setattr(reader_pool.ReaderPool, "_ask", refuse)
    plain = GuardedFilmReader(FilmLimits())
    assert plain.read(films.film(SCENE, bits=12)).pixels.shape == SCENE.shape
    with pytest.raises(AssertionError, match="a process was asked"):
        GuardedFilmReader(FilmLimits(), plain_pixels=100).read(films.film(SCENE, bits=12))


def test_a_refusal_of_another_process_keeps_its_reason(guarded):
    """A deflated bomb is refused with the same code as anywhere, and others are read meanwhile."""
    element = b"\x08\x00\x50\x00SH\0\0" * 100_000
    data = films.native(uid.DeflatedExplicitVRLittleEndian, SCENE, bits=12)
    start = 144 + int.from_bytes(data[140:144], "little")

    plain = zlib.decompress(data[start:], -zlib.MAX_WBITS)
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    bomb = data[:start] + packer.compress(element + plain) + packer.flush()
    done = threading.Event()

    def bombard() -> None:
        for look in (lambda: guarded.inspect(bomb, len(bomb)), lambda: guarded.read(bomb)):
            with pytest.raises(TooManyElements, match="10000 elements"):
                look()
        done.set()

    beside = threading.Thread(target=bombard)
    beside.start()
    assert guarded.read(films.film(SCENE, bits=12)).pixels.shape == SCENE.shape
    beside.join()
    assert done.is_set()


def test_a_reader_of_one_process_asks_nobody():
    """The command line reads in its own process."""
    data = films.jpeg_2000(uid.JPEG2000Lossless, SCENE, bits=12)
    assert DicomFilmReader(FilmLimits()).read(data).pixels.shape == SCENE.shape


def test_a_deflated_file_is_never_inflated_here(monkeypatch):
    """Also where its transfer syntax stands far behind, after a long value of the meta group."""
    data = films.native(uid.DeflatedExplicitVRLittleEndian, SCENE, bits=12)
    at = data.index(b"\x02\x00\x10\x00UI")
    long = b"\x02\x00\x05\x00OB\0\0" + (6000).to_bytes(4, "little") + bytes(6000)
    data = data[:at] + long + data[at:]
    asked = []

    def elsewhere(_: object, method: str, *__: object, **___: object) -> FilmHeader:
        asked.append(method)
        return FilmHeader("application/dicom")

    monkeypatch.setattr(reader_pool.ReaderPool, "_ask", elsewhere)
    reader = GuardedFilmReader(FilmLimits())
    reader.inspect(data, len(data))
    reader.read(data)
    assert asked == ["inspect", "read"]
