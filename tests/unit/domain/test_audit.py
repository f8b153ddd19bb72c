"""A change anywhere in the audit log shows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilum.domain.audit import (
    GENESIS,
    AuditEvent,
    AuditRecord,
    chain_hash,
    first_broken_link,
    parted,
    principal_of,
)
from hilum.domain.principal import Principal, PrincipalKind, worker

NOON = datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=UTC)


def event(number: int, **changes: object) -> AuditEvent:
    plain = AuditEvent(
        actor=worker("a"),
        action="job.completed",
        object_type="job",
        object_id=str(number),
        at=NOON + timedelta(seconds=number),
        request_id="r",
        details={"attempts": number, "reason": None},
    )
    return replace(plain, **changes)


def chain(events) -> list[AuditRecord]:
    """Records of two releases in turn."""
    records: list[AuditRecord] = []
    previous = GENESIS
    for sequence, item in enumerate(events, start=1):
        of_former = sequence % 3 == 0
        make = former if of_former else AuditRecord.sealed
        records.append(make(sequence, item, previous))
        previous = records[-1].hash
    return records


def former(sequence: int, item: AuditEvent, previous: str) -> AuditRecord:
    """A record as the previous release writes it."""
    return AuditRecord(sequence, item, previous, chain_hash(previous, item))


def test_a_log_that_nobody_touched_is_whole():
    """Also an empty one."""
    assert first_broken_link([]) is None
    assert first_broken_link(chain(event(n) for n in range(20))) is None


@pytest.mark.parametrize(
    "change",
    [
        {"actor": worker("b")},
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
    forged = replace(records[4].event, actor=worker("x"))
    records[4] = AuditRecord.sealed(5, forged, records[3].hash)
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
    one = event(0, actor=worker("ab"), action="c")
    other = event(0, actor=worker("a"), action="bc")
    assert chain_hash(GENESIS, one) != chain_hash(GENESIS, other)


@pytest.mark.parametrize(
    ("position", "change"),
    [
        (1, {"sequence": 9}),
        (1, {"format": 3}),
        (1, {"seal": {}}),
        (1, {"seal": {"@sequence": 9, "@principal_kind": "system"}}),
        (1, {"seal": {"@sequence": 2, "@principal_kind": "user"}}),
        (2, {"format": 2}),
        (2, {"format": 3}),
        (2, {"seal": {"@sequence": 3, "@principal_kind": "system"}}),
    ],
)
def test_a_changed_place_format_or_seal_is_noticed(position, change):
    """In format 2 the sequence is under the hash, and no record passes for one of the other."""
    records = chain(event(n) for n in range(5))
    records[position] = replace(records[position], **change)
    assert first_broken_link(records) == records[position].sequence


def test_a_sealed_record_without_its_format_is_held_to_its_seal():
    """The way back to an earlier schema and up again loses the columns and nothing else."""
    records = [replace(record, format=1) for record in chain(event(n) for n in range(5))]
    assert first_broken_link(records) is None
    records[4] = replace(records[4], sequence=9)
    assert first_broken_link(records) == 9


def test_a_changed_kind_is_noticed():
    """What a user did cannot be told as done by a part of Hilum."""
    records = chain(event(n) for n in range(5))
    actor = Principal(PrincipalKind.USER, records[1].event.actor.id)
    records[1] = replace(records[1], event=replace(records[1].event, actor=actor))
    assert first_broken_link(records) == 2


def test_the_previous_release_verifies_records_of_format_2():
    """Its hash is over the details as they are stored, and those hold sequence and kind."""
    previous = GENESIS
    for record in chain(event(n) for n in range(5)):
        as_read = replace(record.event, details=record.details)
        assert record.hash == chain_hash(previous, as_read)
        previous = record.hash


@given(st.dictionaries(st.sampled_from(["a", "b", "sequence"]), st.integers()))
def test_stored_details_part_into_those_of_the_event_and_the_seal(details):
    """Nothing is lost, whatever the event's own details are called."""
    record = AuditRecord.sealed(7, event(0, details=details), GENESIS)
    assert parted(record.details) == (details, record.seal)
    assert record.seal == {"@sequence": 7, "@principal_kind": "system"}


@pytest.mark.parametrize(
    ("actor", "stored", "kind"),
    [
        ("0a1b2c3d4e5f", None, PrincipalKind.API_KEY),
        ("worker:a", None, PrincipalKind.SYSTEM),
        ("operator:me", None, PrincipalKind.SYSTEM),
        ("hilum:first-start", None, PrincipalKind.SYSTEM),
        ("reconciler", None, PrincipalKind.SYSTEM),
        ("worker:a", "user", PrincipalKind.USER),
        ("worker:a", "nonsense", PrincipalKind.SYSTEM),
    ],
)
def test_a_record_without_a_kind_tells_it_by_the_id(actor, stored, kind):
    """Format 1 has ids alone, and they do not overlap."""
    assert principal_of(actor, stored) == Principal(kind, actor)
