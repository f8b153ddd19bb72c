"""Every object store lists its objects alike."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from tests.contract.object_store.upload import MEDIA_TYPE, pattern

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
