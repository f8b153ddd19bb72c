"""Old backups go, and with them what only they needed; never while one is made."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hilum.domain.errors import BackupDamaged, InvalidRequest
from tests.unit.application.backup.platform import PART_BYTES


def test_the_newest_stay(platform, backups):
    """So many as are asked for."""
    made = [platform.back_up().name for _ in range(5)]
    pruned = backups.prune(keep=2)
    assert pruned.backups == tuple(made[:3])
    assert backups.complete() == made[3:]
    assert {found.key.split("/")[1] for found in backups.store.list("backups/")} == set(made[3:])


def test_young_ones_stay_too(platform, backups):
    """By age, whatever their number."""
    old = platform.back_up().name
    backups.clock.advance(timedelta(days=10))
    young = [platform.back_up().name for _ in range(3)]
    assert backups.prune(keep=1, younger_than=timedelta(days=7)).backups == (old,)
    assert backups.complete() == young


def test_films_that_no_backup_needs_go(platform, backups):
    """A film that was deleted long ago leaves the mirror with the last backup that lists it."""
    gone, stays = platform.accept(b"goes"), platform.accept(b"stays")
    platform.back_up()
    platform.expire(gone)
    platform.back_up()
    backups.prune(keep=1)
    assert backups.mirrored() == {gone, stays}, "the second dump may still name it"
    third = platform.back_up()
    pruned = backups.prune(keep=1)
    assert (pruned.objects, pruned.object_bytes) == (1, 4)
    assert backups.mirrored() == {stays}
    assert backups.verify(third, deep=True).objects == 1


def test_every_kept_backup_stays_whole(platform, backups):
    """Whatever films came and went between them."""
    kept = []
    for number in range(8):
        key = platform.accept(b"film %d" % number)
        if number % 3 == 0:
            platform.expire(key)
        kept.append(platform.back_up())
    backups.prune(keep=4)
    for manifest in kept[4:]:
        backups.verify(manifest, deep=True)


def test_what_was_never_finished_goes(platform, backups):
    """And what it had copied, if nothing else needs it."""

    def breaking():
        yield b"x" * PART_BYTES
        raise KeyboardInterrupt

    platform.back_up()
    backups.clock.advance(timedelta(seconds=1))
    with pytest.raises(KeyboardInterrupt):
        platform.create(dump_of_chunks(breaking()))
    backups.store.put("objects/films/half", [b"x"], media_type="image/png")
    pruned = backups.prune(keep=1)
    assert len(pruned.unfinished) == 1
    assert backups.backups.names()[1] == []
    assert backups.mirrored() == set()


def dump_of_chunks(chunks):
    from contextlib import nullcontext  # noqa: PLC0415 - for this alone

    from hilum.application.ports.database_copy import Dump  # noqa: PLC0415
    from hilum.domain.backup import DatabaseFacts  # noqa: PLC0415

    return nullcontext(Dump(DatabaseFacts("sqlite"), chunks))


def test_the_last_backup_is_never_removed(platform, backups):
    """To keep none is refused."""
    platform.back_up()
    with pytest.raises(InvalidRequest):
        backups.prune(keep=0)
    assert len(backups.complete()) == 1


def test_a_list_that_cannot_be_read_stops_everything(platform, backups):
    """Nobody knows what that backup needs, so nothing goes."""
    platform.accept(b"film")
    platform.back_up()
    newest = platform.back_up()
    key = f"backups/{newest.name}/objects/0000"
    backups.store.objects[key] = backups.store.objects[key][:-3]
    with pytest.raises(BackupDamaged):
        backups.prune(keep=1)
    assert len(backups.complete()) == 2
