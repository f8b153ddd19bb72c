"""Every object store gives back what it took, under keys that are plain paths."""

from __future__ import annotations

import pytest

from hilum.domain.errors import ObjectMissing
from tests.contract.object_store.upload import MEDIA_TYPE, PART, cut, pattern


@pytest.mark.parametrize(
    "size", [0, 1, 300_000, PART - 1, PART, PART + 1, 2 * PART, 2 * PART + 12_345]
)
def test_gives_back_what_it_took(store, key, size):
    """An object comes back byte for byte, whether it fits into one part or not."""
    data = pattern(size)
    assert store.put(key, cut(data, 65_536), media_type=MEDIA_TYPE) == size
    assert store.get(key) == data
    assert b"".join(store.stream(key)) == data


def test_takes_chunks_of_any_size(store, key):
    """Empty chunks do not end an upload, and one larger than a part is cut."""
    data = pattern(PART + 1000)
    chunks = [b"", data[:10], b"", b"", data[10:], b""]
    assert store.put(key, chunks, media_type=MEDIA_TYPE) == len(data)
    assert store.get(key) == data


def test_streams_a_large_object_in_pieces(store, key):
    """A large object never has to be held at once."""
    store.put(key, [pattern(2 * PART)], media_type=MEDIA_TYPE)
    assert max(map(len, store.stream(key))) < PART


def test_an_abandoned_stream_disturbs_nothing(store, key):
    """A reader that stops early leaves the store usable."""
    data = pattern(PART)
    store.put(key, [data], media_type=MEDIA_TYPE)
    for _ in range(3):
        stream = store.stream(key)
        next(stream)
        del stream
    assert store.get(key) == data


def test_replaces_an_object(store, key):
    """The last upload under a key is the one that stands."""
    store.put(key, [b"first, and longer"], media_type=MEDIA_TYPE)
    store.put(key, [b"second"], media_type=MEDIA_TYPE)
    assert store.get(key) == b"second"


def test_a_missing_object_is_an_error_of_its_own(store, key):
    """Reading what is not there fails at once, not at the first chunk."""
    with pytest.raises(ObjectMissing):
        store.get(key)
    with pytest.raises(ObjectMissing):
        store.stream(key)


def test_the_folder_of_an_object_is_no_object(store, key):
    """A prefix of a key names nothing."""
    store.put(key, [b"x"], media_type=MEDIA_TYPE)
    with pytest.raises(ObjectMissing):
        store.get(key.rpartition("/")[0])


def test_deletes(store, key):
    """A deleted object is gone, and to delete it again is no error."""
    store.put(key, [b"x"], media_type=MEDIA_TYPE)
    store.delete(key)
    store.delete(key)
    with pytest.raises(ObjectMissing):
        store.get(key)


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "/etc/passwd",
        "../outside",
        "a/../../b",
        "a//b",
        "a/",
        ".hidden",
        "a/.b",
        "A",
        "a b",
        "ä",
    ],
)
def test_refuses_keys_that_are_no_plain_paths(store, wrong):
    """A key cannot leave the store."""
    with pytest.raises(ValueError, match="key"):
        store.put(wrong, [b"x"], media_type=MEDIA_TYPE)
    for method in (store.get, store.stream, store.delete):
        with pytest.raises(ValueError, match="key"):
            method(wrong)


def test_checks(store):
    """A store that works says so."""
    store.check()
