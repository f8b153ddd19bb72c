"""What every object store does: in memory, in a folder, in a bucket of a real MinIO."""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest

from hilum.adapters.object_store.object_store import open_object_store
from hilum.domain.errors import ObjectMissing, ObjectStoreUnavailable
from tests.fakes.object_store import InMemoryObjectStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from hilum.application.ports.object_store import ObjectStore

MEDIA_TYPE = "application/dicom"
PART = 5 * 1024 * 1024


@pytest.fixture(scope="module")
def bucket() -> str:
    """A bucket for this module."""
    return f"contract-{uuid.uuid4().hex}"


@pytest.fixture(params=["memory", "folder", pytest.param("s3", marks=pytest.mark.real)])
def store(request: pytest.FixtureRequest, tmp_path: Path, bucket: str) -> ObjectStore:
    """A store, of each kind."""
    if request.param == "memory":
        return InMemoryObjectStore()
    if request.param == "folder":
        return open_object_store(f"file://{tmp_path / 'objects'}")
    minio = request.getfixturevalue("minio_server")
    return open_object_store(minio.bucket_url(bucket), create=True)


@pytest.fixture
def key() -> str:
    """A key that no other test has."""
    return f"originals/{uuid.uuid4().hex}/film.dcm"


def pattern(size: int) -> bytes:
    """Bytes in which no two parts of an upload are alike."""
    return np.arange(size // 8 + 1, dtype=">u8").tobytes()[:size]


def cut(data: bytes, size: int) -> Iterator[bytes]:
    """The data in chunks."""
    for start in range(0, len(data), size):
        yield data[start : start + size]


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


class ClientGone(Exception):
    """The person who uploaded closed the browser."""


@pytest.mark.parametrize("sent", [0, 1000, PART + 1000, 3 * PART])
@pytest.mark.parametrize("failure", [ClientGone("gone"), KeyboardInterrupt()])
def test_a_broken_upload_leaves_nothing_behind(store, key, sent, failure):
    """What the chunks raise is passed on as it is, and no part of the object appears."""

    def chunks():
        yield from cut(pattern(sent), 100_000)
        raise failure

    with pytest.raises(type(failure)) as raised:
        store.put(key, chunks(), media_type=MEDIA_TYPE)
    assert raised.value is failure
    with pytest.raises(ObjectMissing):
        store.get(key)


def test_a_broken_upload_leaves_the_former_object(store, key):
    """An object is replaced whole or not at all."""

    def chunks():
        yield b"half of the second"
        raise ClientGone

    store.put(key, [b"first"], media_type=MEDIA_TYPE)
    with pytest.raises(ClientGone):
        store.put(key, chunks(), media_type=MEDIA_TYPE)
    assert store.get(key) == b"first"


def test_an_object_is_invisible_while_it_is_uploaded(store, key):
    """Nobody reads half a film."""
    seen = []

    def chunks():
        for chunk in cut(pattern(PART + 1000), 1_000_000):
            yield chunk
            with pytest.raises(ObjectMissing) as missing:
                store.get(key)
            seen.append(missing)

    store.put(key, chunks(), media_type=MEDIA_TYPE)
    assert len(seen) == 6
    assert len(store.get(key)) == PART + 1000


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


def test_serves_several_threads(store):
    """Uploads at the same time do not mix."""
    films = {f"threads/{uuid.uuid4().hex}": pattern(200_000 + index) for index in range(8)}
    began = threading.Barrier(len(films))

    def upload(key: str, data: bytes) -> None:
        began.wait()
        store.put(key, cut(data, 10_000), media_type=MEDIA_TYPE)

    threads = [threading.Thread(target=upload, args=film) for film in films.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {key: store.get(key) for key in films} == films


def test_uploads_of_one_key_at_once_leave_one_of_them_whole(store, key):
    """The same film submitted twice at the same moment is stored once."""
    versions = [bytes([index]) * 400_000 for index in range(4)]
    began = threading.Barrier(len(versions))

    def upload(data: bytes) -> None:
        began.wait()
        store.put(key, cut(data, 10_000), media_type=MEDIA_TYPE)

    threads = [threading.Thread(target=upload, args=(data,)) for data in versions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.get(key) in versions


KEYS_IN_ORDER = ["a-b", "a/b-c/d", "a/b/c", "a/b/d", "a/b0", "a0", "a_/x", "b"]


def test_lists_in_the_order_of_the_keys(store):
    """Whole keys are compared, byte by byte, strokes too; each comes with its size."""
    mine = f"listing-{uuid.uuid4().hex}"
    for size, key in enumerate(reversed(KEYS_IN_ORDER)):
        store.put(f"{mine}/{key}", [pattern(size)], media_type=MEDIA_TYPE)
    listed = [(found.key.removeprefix(f"{mine}/"), found.size_bytes) for found in store.list(mine)]
    sizes = reversed(range(len(KEYS_IN_ORDER)))
    assert listed == list(zip(KEYS_IN_ORDER, sizes, strict=True))


@pytest.mark.parametrize("prefix", ["a", "a/", "a/b", "a/b/", "a/b/c", "a/b/c/", "x", "a-", "a0/"])
def test_lists_what_begins_with_a_prefix(store, prefix):
    """A prefix may end inside a name."""
    mine = f"listing-{uuid.uuid4().hex}"
    for key in KEYS_IN_ORDER:
        store.put(f"{mine}/{key}", [b"x"], media_type=MEDIA_TYPE)
    expected = [f"{mine}/{key}" for key in KEYS_IN_ORDER if key.startswith(prefix)]
    assert [found.key for found in store.list(f"{mine}/{prefix}")] == expected


def test_lists_everything_without_a_prefix(store, key):
    """Whatever else is there."""
    store.put(key, [b"x"], media_type=MEDIA_TYPE)
    listed = [found.key for found in store.list()]
    assert key in listed
    assert listed == sorted(listed)


def test_a_listing_tells_when_an_object_was_stored(store, key):
    """In UTC, by the store's own clock, which keeps whole seconds where it is S3's."""
    second = timedelta(seconds=1)
    before = datetime.now(UTC)
    store.put(key, [b"x"], media_type=MEDIA_TYPE)
    (found,) = store.list(key)
    assert before - second <= found.stored_at <= datetime.now(UTC) + second
    assert found.stored_at.utcoffset() == timedelta(0)


def test_lists_across_the_pages_of_a_listing(store):
    """More objects than one answer of S3 holds are all there, once."""
    mine = f"listing-{uuid.uuid4().hex}"
    keys = [f"{mine}/{number:04d}" for number in range(1005)]
    for key in keys:
        store.put(key, [b"x"], media_type=MEDIA_TYPE)
    assert [found.key for found in store.list(f"{mine}/")] == keys


def test_what_is_deleted_while_it_is_listed_disturbs_nothing(store):
    """Old backups are removed so."""
    mine = f"listing-{uuid.uuid4().hex}"
    keys = [f"{mine}/{name}" for name in "abcdef"]
    for key in keys:
        store.put(key, [b"x"], media_type=MEDIA_TYPE)
    seen = []
    for found in store.list(mine):
        store.delete(found.key)
        seen.append(found.key)
    assert seen == keys
    assert list(store.list(mine)) == []


def test_checks(store):
    """A store that works says so."""
    store.check()


@pytest.fixture(params=["memory", pytest.param("s3", marks=pytest.mark.real)])
def outage(request: pytest.FixtureRequest, bucket: str) -> Iterator[Outage]:
    """A store whose server can be stopped and started."""
    if request.param == "memory":
        memory = InMemoryObjectStore()
        yield Outage(
            memory,
            partial(setattr, memory, "available", False),
            partial(setattr, memory, "available", True),
        )
        return
    minio = request.getfixturevalue("minio_server")
    store = open_object_store(minio.bucket_url(bucket), create=True)
    yield Outage(store, minio.kill, minio.launch)
    if not minio.running:
        minio.launch()


@dataclass(frozen=True)
class Outage:
    """A store, and what makes its server go and come back."""

    store: ObjectStore
    begin: Callable[[], object]
    end: Callable[[], object]


def test_an_outage_is_told_apart_from_a_missing_object(outage, key):
    """While the server is down every call says so, and afterwards the same store works."""
    outage.store.put(key, [b"before"], media_type=MEDIA_TYPE)
    outage.begin()
    calls: list[Callable[[], object]] = [
        outage.store.check,
        partial(outage.store.get, key),
        partial(outage.store.stream, key),
        partial(outage.store.delete, key),
        lambda: list(outage.store.list()),
        partial(outage.store.put, key, [b"during"], media_type=MEDIA_TYPE),
    ]
    for call in calls:
        with pytest.raises(ObjectStoreUnavailable):
            call()
    outage.end()
    assert outage.store.get(key) == b"before"


@pytest.mark.parametrize("sent", [1000, 2 * PART + 1000])
def test_an_outage_during_an_upload_leaves_nothing_behind(outage, key, sent):
    """A film is not half accepted when the server dies while it is sent."""

    def chunks():
        yield from cut(pattern(sent), 100_000)
        outage.begin()
        yield from cut(pattern(sent), 100_000)

    with pytest.raises(ObjectStoreUnavailable):
        outage.store.put(key, chunks(), media_type=MEDIA_TYPE)
    outage.end()
    with pytest.raises(ObjectMissing):
        outage.store.get(key)


def test_a_broken_upload_during_an_outage_keeps_its_own_reason(outage, key):
    """What the chunks raised is passed on even if the server dies before the upload is aborted."""

    def chunks():
        yield from cut(pattern(2 * PART + 1000), 100_000)
        outage.begin()
        raise ClientGone

    with pytest.raises(ClientGone):
        outage.store.put(key, chunks(), media_type=MEDIA_TYPE)
    outage.end()
    with pytest.raises(ObjectMissing):
        outage.store.get(key)
