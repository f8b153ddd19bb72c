"""An object store whose server goes away and comes back: in memory, and a real MinIO."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import pytest

from hilum.adapters.object_store.object_store import open_object_store
from hilum.domain.errors import ObjectMissing, ObjectStoreUnavailable
from tests.contract.object_store.upload import MEDIA_TYPE, PART, ClientGone, cut, pattern
from tests.fakes.object_store import InMemoryObjectStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hilum.application.ports.object_store import ObjectStore


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
