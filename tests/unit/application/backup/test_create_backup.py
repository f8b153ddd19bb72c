"""Backups are made while films come and go; what is not whole is no backup."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hilum.application.ports.database_copy import Dump
from hilum.domain.backup import Presence
from hilum.domain.errors import (
    DatabaseCopyFailed,
    InvalidRequest,
    NotFound,
    ObjectStoreUnavailable,
)
from tests.unit.application.backup.platform import PART_BYTES, dump_of

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_a_backup_has_dump_objects_and_manifest(platform, backups):
    """The manifest says what the others are."""
    keys = {platform.accept(b"film %d" % number) for number in range(3)}
    made = platform.back_up()
    assert made == backups.backups.manifest(made.name)
    assert made.name == "20261121t090001z"
    assert (made.objects, made.object_bytes) == (3, 18)
    assert made.database.rows is not None
    assert made.database.rows["instances"] == 3
    assert made.database.audit is not None
    assert made.hilum_version == "9.9.9"
    assert backups.mirrored() == keys
    assert backups.store.written[-1] == f"backups/{made.name}/manifest.json"
    assert backups.complete() == [made.name]
    assert backups.verify(made, deep=True).objects == 3


def test_a_large_dump_is_cut_into_parts(platform, backups):
    """An object of S3 has a limit, a database has none; read, they are one again."""
    chunks = [bytes([number]) * 600 for number in range(5)]
    made = platform.create(dump_of(*chunks))
    assert made.dump.parts == 3
    assert made.dump.size_bytes == 5 * 600 > PART_BYTES
    assert b"".join(backups.backups.dump(made)) == b"".join(chunks)


def test_what_was_mirrored_is_not_copied_again(platform, backups):
    """A second backup copies the new film alone."""
    platform.accept(b"first")
    platform.back_up()
    backups.store.written.clear()
    second = platform.accept(b"second")
    made = platform.back_up()
    copied = [key for key in backups.store.written if key.startswith("objects/")]
    assert copied == [f"objects/{second}"]
    assert made.objects == 2


def test_previews_are_left_out(platform, backups):
    """They are made again from the films."""
    key = platform.accept(b"film")
    platform.objects.put("previews/1.jpg", [b"picture"], media_type="image/jpeg")
    assert platform.back_up().objects == 1
    assert backups.mirrored() == {key}


def test_bytes_of_the_dump_are_read_before_any_object(platform, backups):
    """A film that comes while the dump is read has its object in the backup, a row or not."""
    late = []

    def chunks() -> Iterator[bytes]:
        yield b"dump"
        late.append(platform.accept(b"late"))

    with platform.database.dump() as dump:
        facts = dump.facts
    made = platform.create(_Given(Dump(facts, chunks())))
    assert backups.mirrored() == set(late)
    assert made.objects == 1


class _Given:
    """A context that gives what it was given."""

    def __init__(self, dump: Dump) -> None:
        self._dump = dump

    def __enter__(self) -> Dump:
        return self._dump

    def __exit__(self, *_: object) -> None:
        return None


def test_a_film_deleted_since_the_last_backup_stays_in_this_one(platform, backups):
    """The dump may be older than the deletion; one backup later nobody asks for it."""
    key = platform.accept(b"film")
    platform.back_up()
    platform.expire(key)
    second, third = platform.back_up(), platform.back_up()
    (listed,) = backups.backups.objects(second)
    assert (listed.key, listed.presence) == (key, Presence.DELETED)
    assert backups.verify(second, deep=True).objects == 1
    assert list(backups.backups.objects(third)) == []
    assert backups.mirrored() == {key}


def test_a_film_deleted_between_listing_and_copying_is_told(platform, backups, monkeypatch):
    """It is listed as vanished, and the backup is whole."""
    key = platform.accept(b"film")
    copy = platform.create._copy  # noqa: SLF001 - the moment between the two

    def deleted_first(source):
        platform.expire(source.key)
        return copy(source)

    monkeypatch.setattr(platform.create, "_copy", deleted_first)
    made = platform.back_up()
    (listed,) = backups.backups.objects(made)
    assert (listed.key, listed.presence) == (key, Presence.VANISHED)
    assert made.objects == 0
    assert backups.verify(made, deep=True).objects == 0


def test_a_dump_that_breaks_off_makes_no_backup(platform, backups):
    """What is there of it is told apart from the complete ones."""

    def breaking() -> Iterator[bytes]:
        yield b"x" * 2 * PART_BYTES
        raise DatabaseCopyFailed("the server went away")

    with pytest.raises(DatabaseCopyFailed):
        platform.create(_Given(Dump(platform.database.facts(), breaking())))
    complete, unfinished = backups.backups.names()
    assert (complete, len(unfinished)) == ([], 1)
    assert backups.backups.newest() is None
    with pytest.raises(NotFound):
        backups.backups.manifest(unfinished[0])


def test_an_outage_while_objects_are_copied_makes_no_backup(platform, backups, monkeypatch):
    """The next one begins where it stopped being sure."""
    for number in range(9):
        platform.accept(b"film %d" % number)
    copied = []
    copy = platform.create._copy  # noqa: SLF001 - an outage after some films

    def dies(source):
        if len(copied) >= 4:
            raise ObjectStoreUnavailable("gone")
        copied.append(source.key)
        return copy(source)

    with monkeypatch.context() as patched:
        patched.setattr(platform.create, "_copy", dies)
        with pytest.raises(ObjectStoreUnavailable):
            platform.back_up()
    assert backups.complete() == []
    made = platform.back_up()
    assert made.objects == 9
    assert backups.verify(made, deep=True).objects == 9


def test_two_backups_of_one_second_are_refused(platform, backups):
    """The first stays as it is."""
    platform.create(dump_of(b"first"))
    with pytest.raises(InvalidRequest):
        platform.create(dump_of(b"second"))
    (name,) = backups.complete()
    assert b"".join(backups.backups.dump(backups.backups.manifest(name))) == b"first"


def test_an_empty_platform_can_be_backed_up(platform, backups):
    """No film, no event."""
    made = platform.back_up()
    assert (made.objects, made.database.audit) == (0, None)
    backups.verify(made, deep=True)


def test_nothing_is_claimed_after_a_backup(platform, backups):
    """Neither after a good one nor after one that failed."""
    platform.back_up()
    with pytest.raises(InvalidRequest):
        platform.create(dump_of(b""))
    assert list(backups.store.list("claims/")) == []
