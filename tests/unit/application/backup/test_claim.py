"""Whoever makes or removes backups says so; neither the dead nor the unprivileged block others."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hilum.application.backup.claim import MAKING, REMOVING, STALE_AFTER, Claim
from hilum.domain.errors import BackupStoreBusy, ObjectStoreUnavailable
from tests.unit.application.backup.platform import CountingStore, dump_of


def test_nothing_goes_while_a_backup_is_made(platform, backups):
    """It counts on what the mirror holds."""
    with Claim(backups.store, backups.clock, MAKING), pytest.raises(BackupStoreBusy):
        backups.prune(keep=1)
    backups.prune(keep=1)


def test_no_backup_is_made_while_others_go(platform, backups):
    """The other way round."""
    with Claim(backups.store, backups.clock, REMOVING), pytest.raises(BackupStoreBusy):
        platform.create(dump_of(b"dump"))
    assert backups.backups.names() == ([], [])


def test_two_backups_may_be_made_at_once(platform, backups):
    """The mirror only grows while they are."""
    with Claim(backups.store, backups.clock, MAKING):
        platform.back_up()


def test_a_dead_process_blocks_for_a_while_only(platform, backups):
    """Its claim goes stale."""
    Claim(backups.store, backups.clock, MAKING).__enter__()
    backups.clock.advance(STALE_AFTER - timedelta(minutes=1))
    with pytest.raises(BackupStoreBusy, match="being made"):
        backups.prune(keep=1)
    backups.clock.advance(timedelta(minutes=1))
    backups.prune(keep=1)
    assert list(backups.store.list("claims/")) == []


def test_a_claim_that_is_renewed_does_not_go_stale(platform, backups):
    """However long the work takes."""
    with Claim(backups.store, backups.clock, MAKING) as claim:
        for _ in range(5):
            backups.clock.advance(STALE_AFTER / 2)
            claim.renew()
        with pytest.raises(BackupStoreBusy):
            backups.prune(keep=1)


def test_a_process_that_stood_still_for_too_long_gives_up(platform, backups):
    """What it counted on may be gone."""
    with Claim(backups.store, backups.clock, MAKING) as claim:
        backups.clock.advance(STALE_AFTER)
        backups.prune(keep=1)
        with pytest.raises(BackupStoreBusy, match="begin again"):
            claim.renew()


def test_a_claim_that_cannot_be_read_blocks_nothing(backups):
    """Somebody else's file, or half of one."""
    backups.store.put("claims/other.json", [b"{"], media_type="application/json")
    backups.prune(keep=1)


def test_a_removal_that_stood_still_gives_up_by_itself(backups):
    """Whoever makes backups may have taken its claim for stale without being able to delete it."""
    with Claim(backups.store, backups.clock, REMOVING) as claim:
        backups.clock.advance(STALE_AFTER)
        with pytest.raises(BackupStoreBusy, match="begin again"):
            claim.renew()


@pytest.fixture
def undeletable(backups) -> CountingStore:
    """The backup store, with credentials that may put, get and list."""
    store: CountingStore = backups.store
    store.deletes = False
    return store


def test_a_claim_that_may_not_be_deleted_is_withdrawn_all_the_same(
    platform, backups, undeletable, caplog
):
    """The backup is made, with a warning, and who may delete need not wait for half an hour."""
    made = [platform.back_up().name, platform.back_up().name]
    assert backups.complete() == made
    assert caplog.messages.count("backup_claim.withdrawn") == 2
    assert len(list(undeletable.list("claims/"))) == 2
    undeletable.deletes = True
    assert backups.prune(keep=1).backups == (made[0],)
    assert list(undeletable.list("claims/")) == []


def test_a_dead_removal_does_not_stop_a_backup_that_may_not_delete(
    platform, backups, undeletable, caplog
):
    """Its claim goes stale by age, and stays; a living one is respected."""
    Claim(backups.store, backups.clock, REMOVING).__enter__()
    with pytest.raises(BackupStoreBusy, match="being removed"):
        platform.back_up()
    backups.clock.advance(STALE_AFTER)
    platform.back_up()
    assert ("backup_claim.kept", False) in [
        (record.message, getattr(record, "own", None)) for record in caplog.records
    ]
    with pytest.raises(ObjectStoreUnavailable):
        backups.prune(keep=1)
