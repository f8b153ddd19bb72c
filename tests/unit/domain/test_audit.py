"""A change anywhere in the audit log shows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilum.domain.audit import GENESIS, AuditEvent, AuditRecord, chain_hash, first_broken_link

NOON = datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=UTC)


def event(number: int, **changes: object) -> AuditEvent:
    plain = AuditEvent(
        actor="worker:a",
        action="job.completed",
        object_type="job",
        object_id=str(number),
        at=NOON + timedelta(seconds=number),
        request_id="r",
        details={"attempts": number, "reason": None},
    )
    return replace(plain, **changes)


def chain(events) -> list[AuditRecord]:
    records: list[AuditRecord] = []
    previous = GENESIS
    for sequence, item in enumerate(events, start=1):
        digest = chain_hash(previous, item)
        records.append(AuditRecord(sequence, item, previous, digest))
        previous = digest
    return records


def test_a_log_that_nobody_touched_is_whole():
    """Also an empty one."""
    assert first_broken_link([]) is None
    assert first_broken_link(chain(event(n) for n in range(20))) is None


@pytest.mark.parametrize(
    "change",
    [
        {"actor": "worker:b"},
        {"action": "job.rejected"},
        {"object_type": "study"},
        {"object_id": "x"},
        {"at": NOON},
        {"request_id": "s"},
        {"details": {"attempts": 3, "reason": "x"}},
        {"details": {}},
    ],
)
def test_a_changed_event_is_named_by_its_sequence_number(change):
    """Every field of an event is under its hash."""
    records = chain(event(n) for n in range(10))
    records[4] = replace(records[4], event=replace(records[4].event, **change))
    assert first_broken_link(records) == 5


def test_a_changed_event_with_a_new_hash_breaks_the_link_after_it():
    """Whoever rewrites an event and its hash is found out by the next record."""
    records = chain(event(n) for n in range(10))
    forged = replace(records[4].event, actor="nobody")
    records[4] = AuditRecord(5, forged, records[3].hash, chain_hash(records[3].hash, forged))
    assert first_broken_link(records) == 6


@given(st.integers(0, 8))
def test_an_event_that_was_taken_out_is_missed(taken):
    """The record that stood after it does not follow any more (the last one has no such)."""
    records = chain(event(n) for n in range(10))
    del records[taken]
    assert first_broken_link(records) == taken + 2


def test_two_events_that_changed_places_are_noticed():
    """The order is part of the chain."""
    records = chain(event(n) for n in range(5))
    records[1], records[2] = records[2], records[1]
    assert first_broken_link(records) == 3


def test_the_hash_does_not_depend_on_the_zone_in_which_a_time_is_written():
    """A database gives back UTC, whatever zone the caller used."""
    east = NOON.astimezone(timezone(timedelta(hours=9)))
    assert chain_hash(GENESIS, event(0, at=east)) == chain_hash(GENESIS, event(0, at=NOON))


def test_the_hash_does_not_depend_on_the_order_of_details():
    """A database may give back keys in another order."""
    one = event(0, details={"a": 1, "b": "ü"})
    other = event(0, details={"b": "ü", "a": 1})
    assert chain_hash(GENESIS, one) == chain_hash(GENESIS, other)


def test_fields_cannot_run_into_one_another():
    """What moves from one field to the next changes the hash."""
    one = event(0, actor="ab", action="c")
    other = event(0, actor="a", action="bc")
    assert chain_hash(GENESIS, one) != chain_hash(GENESIS, other)
