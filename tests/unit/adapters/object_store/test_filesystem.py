"""What a folder can do to an object store."""

from __future__ import annotations

import os
import resource
import shutil
import stat
import time
from contextlib import contextmanager

import pytest

from hilum.adapters.object_store.filesystem import FilesystemObjectStore
from hilum.domain.errors import ObjectStoreUnavailable

MEDIA_TYPE = "image/png"


@pytest.fixture
def folder(tmp_path):
    """Where the objects lie."""
    return tmp_path / "store"


@pytest.fixture
def store(folder):
    """An empty store."""
    return FilesystemObjectStore(folder)


@contextmanager
def almost_full_disk():
    """No file of this process can grow beyond 1000 bytes, as if the disk were full.

    Only around the write itself: the file that pytest's own output may go to is meant, too.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def files(folder):
    """Every file below a folder."""
    return [path for path in folder.rglob("*") if path.is_file()]


def test_only_the_owner_reads_films(store, folder):
    """Films are patients' data: nobody else on the machine may open them."""
    store.put("originals/ab/film.png", [b"x"], media_type=MEDIA_TYPE)
    for path in (folder, *folder.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_a_broken_upload_leaves_no_file(store, folder):
    """Not even a hidden one: nobody would ever remove it."""

    def chunks():
        yield b"x" * 100_000
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 - the very error that the test made
        store.put("film", chunks(), media_type=MEDIA_TYPE)
    assert files(folder) == []


def test_a_full_disk_is_an_outage_and_leaves_no_file(store, folder):
    """A disk that takes no more is told as an unavailable store, so that the sender comes back."""
    with almost_full_disk():
        store.put("small", [b"x" * 900], media_type=MEDIA_TYPE)
    with almost_full_disk(), pytest.raises(ObjectStoreUnavailable):
        store.put("large", [b"x" * 900, b"x" * 900], media_type=MEDIA_TYPE)
    assert files(folder) == [folder / "small"]


def test_a_folder_that_went_away_is_an_outage(store, folder):
    """A disk that was unmounted is told, and does not look like missing objects to a check."""
    shutil.rmtree(folder)
    with pytest.raises(ObjectStoreUnavailable):
        store.check()
    with pytest.raises(ObjectStoreUnavailable):
        store.put("film", [b"x"], media_type=MEDIA_TYPE)


def test_a_folder_that_cannot_be_made_is_an_outage(tmp_path):
    """A store below a file cannot exist."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ObjectStoreUnavailable):
        FilesystemObjectStore(tmp_path / "file" / "store")


def test_errors_do_not_tell_where_the_folder_is(store, folder):
    """The text of an error reaches people far from the machine."""
    shutil.rmtree(folder)
    with pytest.raises(ObjectStoreUnavailable) as raised:
        store.put("film", [b"x"], media_type=MEDIA_TYPE)
    assert str(folder) not in raised.value.detail


def test_a_check_leaves_nothing(store, folder):
    """Asked every few seconds, a check must not fill the folder."""
    store.check()
    assert files(folder) == []


def test_sweeps_what_killed_uploads_left(store, folder):
    """A killed upload leaves a file; a later start removes it, and not a new one."""
    old, new = folder / ".incoming" / "old", folder / ".incoming" / "new"
    for path in (old, new):
        path.write_bytes(b"half a film")
    two_days_ago = time.time() - 2 * 24 * 60 * 60
    os.utime(old, (two_days_ago, two_days_ago))
    FilesystemObjectStore(folder)
    assert files(folder) == [new]


def test_a_reader_keeps_the_object_that_it_opened(store):
    """An object that is replaced while it is read stays whole for the reader."""
    store.put("film", [b"first" * 200_000], media_type=MEDIA_TYPE)
    stream = store.stream("film")
    began = next(stream)
    store.put("film", [b"second"], media_type=MEDIA_TYPE)
    assert began + b"".join(stream) == b"first" * 200_000
