"""A platform comes back as it was; nothing is replaced unasked, and nothing wrong is taken in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from hilum.domain.backup import AuditHead
from hilum.domain.errors import BackupDamaged, ObjectStoreUnavailable, RestoreRefused

if TYPE_CHECKING:
    from hilum.domain.backup import BackupManifest


@pytest.fixture
def made(platform) -> BackupManifest:
    """A backup of three films."""
    for number in range(3):
        platform.accept(b"film %d" % number)
    return platform.back_up()


def test_a_platform_comes_back(made, platform, fresh):
    """Films, rows, and the audit log to its last event; what came later is lost."""
    expected = dict(platform.objects.objects)
    platform.accept(b"after the backup")
    fresh.restore(made)
    assert fresh.objects.objects == expected
    checked = fresh.check(made, deep=True)
    assert checked.films == 3
    assert (checked.counted, checked.head_compared) == (True, True)
    assert checked.audit_head == made.database.audit
    assert checked.audit_events == 3
    assert checked.expired == 0


def test_an_older_backup_comes_back(made, platform, fresh):
    """Without the films of a newer one."""
    platform.accept(b"later")
    platform.back_up()
    fresh.restore(made)
    assert fresh.check(made, deep=True).films == 3
    assert len(fresh.objects.objects) == 3


def test_films_in_the_database_are_not_replaced_unasked(made, platform):
    """With --force they are."""
    platform.accept(b"later")
    with pytest.raises(RestoreRefused, match="holds films"):
        platform.restore(made)
    assert platform.database.facts().rows["instances"] == 4
    platform.restore(made, force=True)
    assert platform.check(made, deep=True).films == 3


def test_a_restore_that_was_done_can_be_run_again(made, fresh):
    """A Job's pod may be started twice: what the database holds is this very backup."""
    fresh.restore(made)
    fresh.restore(made)
    assert fresh.check(made, deep=True).films == 3


def test_films_in_the_store_are_not_mixed_unasked(made, fresh):
    """A store that holds others is probably the wrong one."""
    fresh.objects.put("films/other", [b"x"], media_type="image/png")
    with pytest.raises(RestoreRefused, match="films/other"):
        fresh.restore(made)
    assert list(fresh.objects.objects) == ["films/other"]
    fresh.restore(made, force=True)
    assert fresh.check(made).films == 3


def test_a_fresh_installation_counts_as_empty(made, backups, tmp_path, migrated):
    """Its schema is there, and the events of its first start; no film was accepted."""
    from tests.unit.application.backup.platform import Platform  # noqa: PLC0415 - a third one

    installed = Platform(backups, tmp_path / "installed.db", migrated)
    installed.restore(made)
    assert installed.check(made, deep=True).films == 3


def test_a_restore_that_broke_off_can_be_run_again(made, fresh, monkeypatch):
    """What is there already is not copied again, and no row was there before its film."""
    put = fresh.objects.put
    copied = []

    def dies(key, chunks, *, media_type):
        if len(copied) == 2:
            raise ObjectStoreUnavailable("gone")
        copied.append(key)
        return put(key, chunks, media_type=media_type)

    with monkeypatch.context() as patched:
        patched.setattr(fresh.objects, "put", dies)
        with pytest.raises(ObjectStoreUnavailable):
            fresh.restore(made)
    assert not fresh.database.holds_films()
    before = list(fresh.objects.written)
    assert before
    fresh.restore(made)
    assert len(set(fresh.objects.written)) == len(fresh.objects.written) == 3
    assert fresh.check(made, deep=True).films == 3


def test_a_damaged_backup_changes_nothing(made, platform, backups):
    """Not even with --force: it is verified before anything else."""
    key = next(iter(backups.store.list(f"backups/{made.name}/dump/"))).key
    backups.store.objects[key] = b"x" + backups.store.objects[key][1:]
    with pytest.raises(BackupDamaged):
        platform.restore(made, force=True)
    assert platform.database.facts().rows["instances"] == 3


def test_a_changed_film_is_not_taken_in(made, fresh, backups):
    """It is hashed on its way, and does not appear."""
    key = next(iter(backups.store.list("objects/"))).key
    backups.store.objects[key] = b"FILM 0"
    with pytest.raises(BackupDamaged, match="not what was stored"):
        fresh.restore(made)
    assert key.removeprefix("objects/") not in fresh.objects.objects
    assert not fresh.database.holds_films()


def test_a_dump_can_be_loaded_by_something_else(made, fresh):
    """The objects come back, the database is cleared, and the dump is handed over."""
    taken = []
    fresh.restore(made, hand_over=lambda chunks: taken.append(b"".join(chunks)))
    assert len(fresh.objects.objects) == 3
    assert not fresh.database.holds_films()
    fresh.database.load(taken)
    assert fresh.check(made, deep=True).films == 3


def test_a_dump_of_another_kind_of_database_is_refused(made, fresh):
    """PostgreSQL's cannot become SQLite's."""
    other = replace(made, database=replace(made.database, kind="postgresql"))
    with pytest.raises(RestoreRefused, match="postgresql"):
        fresh.restore(other)


def restored(made, fresh):
    fresh.restore(made)
    return next(iter(fresh.objects.list("films/"))).key


def test_rows_too_many_are_told(made, fresh):
    """With the table's name and both counts."""
    restored(made, fresh)
    fresh.accept(b"too early")
    with pytest.raises(BackupDamaged, match=r"4 instances \(the backup: 3\)"):
        fresh.check(made)


def test_another_end_of_the_audit_log_is_told(made, fresh):
    """Also where the chain itself is whole."""
    restored(made, fresh)
    head = AuditHead(3, "0" * 64)
    other = replace(made, database=replace(made.database, audit=head))
    with pytest.raises(BackupDamaged, match="ends in event 3"):
        fresh.check(other)


def test_a_missing_film_is_told(made, fresh):
    """A row without its object is the worst that can come back."""
    key = restored(made, fresh)
    fresh.objects.delete(key)
    with pytest.raises(BackupDamaged, match=key):
        fresh.check(made)


def test_a_film_of_another_size_is_told(made, fresh):
    """Without reading it."""
    fresh.objects.objects[restored(made, fresh)] = b"short"
    with pytest.raises(BackupDamaged, match="5 bytes"):
        fresh.check(made)


def test_a_film_of_other_bytes_is_told_by_reading_it(made, fresh):
    """Only ``deep`` can tell."""
    fresh.objects.objects[restored(made, fresh)] = b"FILM 0"
    fresh.check(made)
    with pytest.raises(BackupDamaged, match="SHA-256"):
        fresh.check(made, deep=True)


def test_films_that_were_lost_before_the_backup_do_not_hold_up_a_restore(platform, fresh):
    """Everything else comes back, and the check says how many did not."""
    platform.accept(b"stays")
    gone, rotten = platform.accept(b"goes"), platform.accept(b"film")
    platform.objects.delete(gone)
    platform.objects.objects[rotten] = b"rust"
    made = platform.back_up()
    fresh.restore(made)
    checked = fresh.check(made, deep=True)
    assert (checked.films, checked.missing, checked.expired) == (1, 2, 0)


def test_a_film_that_rotted_in_a_backup_of_an_older_release_is_told(made, fresh):
    """Those copied whatever was there; its row says what it was when it came."""
    fresh.restore(made)
    with fresh.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE instances SET sha256 = 'ab'")
    with pytest.raises(BackupDamaged, match="other bytes"):
        fresh.check(made)


def test_without_facts_the_chain_and_the_films_are_still_checked(made, fresh):
    """A dump that somebody else has made says nothing of what it holds."""
    bare = replace(made, database=replace(made.database, rows=None, audit=None))
    fresh.restore(bare)
    checked = fresh.check(bare)
    assert (checked.counted, checked.head_compared, checked.films) == (False, False, 3)


def test_a_film_that_vanished_is_told_and_is_no_damage(platform, fresh, monkeypatch):
    """Its time was up while the first backup was made: the row came back, its bytes did not."""
    platform.accept(b"stays")
    gone = platform.accept(b"goes")
    copy = platform.create._copy  # noqa: SLF001 - the moment between listing and copying

    def deleted_first(source):
        if source.key == gone:
            platform.expire(gone)
        return copy(source)

    monkeypatch.setattr(platform.create, "_copy", deleted_first)
    made = platform.back_up()
    fresh.restore(made)
    checked = fresh.check(made, deep=True)
    assert (checked.films, checked.expired) == (1, 1)
