"""An upload to any object store is whole or not there, whoever else uploads."""

from __future__ import annotations

import threading
import uuid

import pytest

from hilum.domain.errors import ObjectMissing
from tests.contract.object_store.upload import MEDIA_TYPE, PART, ClientGone, cut, pattern


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
