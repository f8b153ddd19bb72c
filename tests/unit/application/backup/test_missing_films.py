"""Films whose objects are gone from a damaged bucket: told, and their last copies kept."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from hilum.domain.backup import Presence


def listed(backups, made):
    """The objects of a backup: how each stands, and whether the backup holds it."""
    return {one.key: (one.presence, one.mirrored) for one in backups.backups.objects(made)}


def counts(made):
    return made.missing, made.lost, made.objects


def test_what_the_bucket_lost_stays_in_every_backup(platform, backups, fresh):
    """As long as its film has it, so pruning keeps the copy, and a restore brings it back."""
    content = b"irreplaceable"
    key = platform.accept(content)
    assert counts(platform.back_up()) == (0, 0, 1)
    platform.objects.delete(key)
    for _ in range(4):
        backups.clock.advance(timedelta(days=40))
        made = platform.back_up()
        backups.prune(keep=1, younger_than=timedelta(days=30))
        assert backups.complete() == [made.name]
        assert counts(made) == (1, 0, 1)
        assert listed(backups, made) == {key: (Presence.MISSING, True)}
        backups.verify(made, deep=True)
    fresh.restore(made)
    checked = fresh.check(made, deep=True)
    assert (checked.films, checked.missing) == (1, 0)
    assert fresh.objects.get(key) == content


def test_what_was_never_copied_is_lost(platform, backups):
    """The backup is made, and names it."""
    lost, stays = platform.accept(b"lost"), platform.accept(b"stays")
    platform.objects.delete(lost)
    made = platform.back_up()
    assert counts(made) == (1, 1, 1)
    assert listed(backups, made) == {
        lost: (Presence.MISSING, False),
        stays: (Presence.PRESENT, True),
    }
    assert [one.key for one in backups.backups.missing(made)] == [lost]
    backups.verify(made, deep=True)
    assert counts(platform.back_up()) == (1, 1, 1)


def test_what_comes_back_is_missing_no_more(platform, backups):
    """An operator has copied it into the bucket again."""
    copied, lost = platform.accept(b"copied"), platform.accept(b"lost")
    platform.back_up()
    platform.objects.delete(copied)
    later = platform.accept(b"later")
    platform.objects.delete(later)
    assert counts(platform.back_up()) == (2, 1, 2)
    platform.objects.put(copied, [b"copied"], media_type="image/png")
    platform.objects.put(later, [b"later"], media_type="image/png")
    made = platform.back_up()
    assert counts(made) == (0, 0, 3)
    assert set(listed(backups, made).values()) == {(Presence.PRESENT, True)}
    assert lost in listed(backups, made)


def test_the_copy_of_a_film_that_expires_goes_as_any(platform, backups):
    """One backup longer than its film."""
    key = platform.accept(b"film")
    platform.back_up()
    platform.objects.delete(key)
    platform.back_up()
    platform.expire(key)
    assert listed(backups, platform.back_up()) == {key: (Presence.DELETED, True)}
    last = platform.back_up()
    assert listed(backups, last) == {}
    assert counts(last) == (0, 0, 0)
    assert backups.prune(keep=1).objects == 1


def test_a_copy_that_an_older_release_left_out_is_found(platform, backups):
    """It listed the object as deleted once, and then no more; the mirror still has it."""
    key = platform.accept(b"film")
    platform.back_up()
    platform.expire(key)
    platform.back_up()
    platform.back_up()
    with platform.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE jobs SET film_expired_at = NULL")
    made = platform.back_up()
    assert counts(made) == (1, 0, 1)
    backups.verify(made, deep=True)


@pytest.mark.parametrize("damage", [b"fi", b"rust"])
def test_damage_does_not_replace_a_good_copy(platform, backups, fresh, damage):
    """A film that was cut short or has rotted in the bucket comes back whole."""
    key = platform.accept(b"film")
    platform.back_up()
    platform.objects.objects[key] = damage
    made = platform.back_up()
    fresh.restore(made)
    assert fresh.objects.get(key) == b"film"
    assert made.missing == (1 if len(damage) != len(b"film") else 0), "by size, without reading"


def test_bytes_that_are_not_the_films_are_no_copy(platform, backups):
    """What has rotted before its first backup is lost, backup after backup, until it is mended."""
    key = platform.accept(b"film")
    platform.objects.objects[key] = b"rust"
    for _ in range(3):
        made = platform.back_up()
        assert counts(made) == (1, 1, 0)
        backups.verify(made, deep=True)
    platform.objects.delete(key)
    assert counts(platform.back_up()) == (1, 1, 0)
    platform.objects.put(key, [b"film"], media_type="image/png")
    made = platform.back_up()
    assert counts(made) == (0, 0, 1)
    backups.verify(made, deep=True)


def test_a_film_that_comes_while_objects_are_listed_is_not_missing(platform, backups, monkeypatch):
    """Wherever its key falls: rows are read before the listing begins."""
    for number in range(20):
        platform.accept(b"film %d" % number)
    listing = platform.objects.list

    def growing(prefix=""):
        for number, found in enumerate(tuple(listing(prefix))):
            platform.accept(b"late %d" % number)
            yield found

    monkeypatch.setattr(platform.objects, "list", growing)
    assert counts(platform.back_up()) == (0, 0, 20)
    monkeypatch.undo()
    assert counts(platform.back_up()) == (0, 0, 40)


@pytest.mark.parametrize(
    ("copied", "stands"), [(True, Presence.DELETED), (False, Presence.VANISHED)]
)
def test_a_film_that_expires_before_it_is_listed_is_not_missing(
    platform, backups, monkeypatch, copied, stands
):
    """Its row was read, its object was gone from the listing, and then its row says why."""
    key, stays = platform.accept(b"goes"), platform.accept(b"stays")
    if copied:
        platform.back_up()
    listing = platform.objects.list

    def shrinking(prefix=""):
        platform.expire(key)
        yield from listing(prefix)

    monkeypatch.setattr(platform.objects, "list", shrinking)
    made = platform.back_up()
    assert (made.missing, made.lost) == (0, 0)
    assert listed(backups, made) == {key: (stands, copied), stays: (Presence.PRESENT, True)}


def test_only_a_backup_with_missing_films_needs_this_release(platform, backups):
    """The release before reads every other one: an upgrade can be taken back."""
    key = platform.accept(b"film")
    formats = []
    for _ in range(2):
        made = platform.back_up()
        formats.append(
            json.loads(backups.store.get(f"backups/{made.name}/manifest.json"))["format"]
        )
        platform.objects.delete(key)
    assert formats == [1, 2]


def test_an_older_manifest_says_nothing_of_missing_films(platform, backups):
    """Nobody looked."""
    made = platform.back_up()
    key = f"backups/{made.name}/manifest.json"
    document = json.loads(backups.store.get(key))
    del document["missing"], document["lost"]
    backups.store.put(key, [json.dumps(document).encode()], media_type="application/json")
    read = backups.backups.manifest(made.name)
    assert (read.missing, read.lost) == (None, 0)
