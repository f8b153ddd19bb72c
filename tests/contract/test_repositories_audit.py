"""What the audit log promises, on every database: one chain, never changed."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta, timezone
from typing import TYPE_CHECKING, NoReturn

import pytest
import sqlalchemy as sa
from sqlalchemy import exc

from hilum.adapters.postgres.engine import create_database_engine
from hilum.adapters.postgres.unit_of_work import SqlUnitOfWork
from hilum.domain.audit import GENESIS, AuditEvent, chain_hash, first_broken_link
from hilum.domain.principal import Principal, PrincipalKind, worker
from tests.contract import former_audit
from tests.contract.samples import KEY, NOW, an_event

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hilum.application.ports.unit_of_work import UnitOfWork
    from hilum.domain.audit import AuditRecord


FORMER_COLUMNS = ", ".join(former_audit.EVENTS.c.keys())


def _append(unit_of_work: UnitOfWork, *events: AuditEvent) -> None:
    with unit_of_work.begin() as transaction:
        transaction.audit.append(events)


def _records(unit_of_work: UnitOfWork) -> Sequence[AuditRecord]:
    with unit_of_work.begin(write=False) as transaction:
        return transaction.audit.records(limit=10_000)


def test_events_come_back_in_order_as_they_were(unit_of_work: UnitOfWork) -> None:
    """Batches and transactions form one chain from the genesis hash."""
    events = [an_event(number) for number in range(5)]
    _append(unit_of_work, *events[:3])
    _append(unit_of_work)
    _append(unit_of_work, *events[3:])
    records = _records(unit_of_work)
    assert [record.event for record in records] == events
    assert [record.sequence for record in records] == [1, 2, 3, 4, 5]
    assert records[0].previous_hash == GENESIS
    assert first_broken_link(records) is None


def test_details_and_times_keep_their_hash(unit_of_work: UnitOfWork) -> None:
    """Numbers, texts and zones that databases like to rewrite still verify."""
    details = {
        "whole": 1,
        "whole_float": 1.0,
        "tiny": 1e-07,
        "huge": 1e300,
        "exact": 0.1 + 0.2,
        "big": 2**60,
        "none": None,
        "yes": True,
        "Ä": "ünïcode \u2028 \\ \" ' % :name",
        "a": "",
    }
    east = NOW.astimezone(timezone(timedelta(hours=5, minutes=45)))
    on_the_second = NOW.replace(microsecond=0)
    _append(
        unit_of_work,
        an_event(1, **details),
        AuditEvent(KEY, "b", "c", "d", east),
        AuditEvent(KEY, "b", "c", "d", on_the_second),
    )
    records = _records(unit_of_work)
    assert records[0].event.details == details
    assert type(records[0].event.details["whole"]) is int
    assert records[1].event.at == NOW
    assert first_broken_link(records) is None


def test_records_are_read_in_portions(unit_of_work: UnitOfWork) -> None:
    """After a sequence number, at most so many."""
    _append(unit_of_work, *(an_event(number) for number in range(5)))
    with unit_of_work.begin(write=False) as transaction:
        assert [r.sequence for r in transaction.audit.records(2, 2)] == [3, 4]
        assert transaction.audit.records(5) == []


def test_what_is_rolled_back_was_not_recorded(unit_of_work: UnitOfWork) -> None:
    """An event shares the fate of its transaction, and the chain goes on without a gap."""

    def fail_after_append() -> NoReturn:
        with unit_of_work.begin() as transaction:
            transaction.audit.append([an_event(1)])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after_append()
    _append(unit_of_work, an_event(2))
    records = _records(unit_of_work)
    assert [record.event.object_id for record in records] == ["job-2"]
    assert first_broken_link(records) is None


def test_concurrent_writers_share_one_chain(unit_of_work: UnitOfWork) -> None:
    """Writers at the same time neither fork the chain nor lose an event."""

    def write(writer: int) -> None:
        for number in range(5):
            _append(unit_of_work, an_event(writer * 10 + number), an_event(writer * 10 + 5))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(6)))
    records = _records(unit_of_work)
    assert len(records) == 60
    assert first_broken_link(records) is None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_events SET actor = 'nobody'",
        "UPDATE audit_events SET actor = 'nobody' WHERE sequence = 1",
        "DELETE FROM audit_events",
        "DELETE FROM audit_events WHERE sequence = 2",
    ],
)
def test_the_database_refuses_to_change_the_log(database_url: str, statement: str) -> None:
    """UPDATE and DELETE fail with a message that says why, and nothing has changed."""
    _refused(database_url, statement)


@pytest.mark.real
def test_postgresql_refuses_to_truncate_the_log(postgresql_url: str) -> None:
    """TRUNCATE, which fires no trigger for rows, fails too."""
    _refused(postgresql_url, "TRUNCATE audit_events")


def test_sqlite_refuses_to_replace_a_record(sqlite_url: str) -> None:
    """INSERT OR REPLACE, which deletes without firing the trigger for it, fails too."""
    _refused(
        sqlite_url,
        f"INSERT OR REPLACE INTO audit_events ({FORMER_COLUMNS}) SELECT sequence, at, 'nobody',"  # noqa: S608 - constants
        " action, object_type, object_id, request_id, details, previous_hash, hash"
        " FROM audit_events",
    )


def _refused(url: str, statement: str) -> None:
    engine = create_database_engine(url)
    unit_of_work = SqlUnitOfWork(engine)
    _append(unit_of_work, an_event(1), an_event(2))
    before = _records(unit_of_work)
    with pytest.raises(exc.IntegrityError, match="append-only"), engine.begin() as connection:
        connection.execute(sa.text(statement))
    assert _records(unit_of_work) == before
    engine.dispose()


@pytest.mark.parametrize(
    "change",
    ["actor = 'nobody'", "principal_kind = 'user'", "format = 3", "sequence = 9"],
)
def test_tampering_around_the_triggers_breaks_the_chain(database_url: str, change: str) -> None:
    """Who can drop the triggers can change a record, and the chain shows which."""
    engine = create_database_engine(database_url)
    unit_of_work = SqlUnitOfWork(engine)
    _append(unit_of_work, *(an_event(number) for number in range(4)))
    off = {
        "sqlite": "DROP TRIGGER refuse_audit_update",
        "postgresql": "ALTER TABLE audit_events DISABLE TRIGGER ALL",
    }
    with engine.begin() as connection:
        connection.exec_driver_sql(off[engine.dialect.name])
        connection.exec_driver_sql(f"UPDATE audit_events SET {change} WHERE sequence = 4")  # noqa: S608 - constants
    assert first_broken_link(_records(unit_of_work)) == (9 if change == "sequence = 9" else 4)
    engine.dispose()


def test_a_record_names_kind_and_id_of_who_acted(unit_of_work: UnitOfWork) -> None:
    """Of every kind, in a record of format 2."""
    actors = [Principal(kind, "a") for kind in PrincipalKind]
    _append(unit_of_work, *(replace(an_event(n), actor=actor) for n, actor in enumerate(actors)))
    records = _records(unit_of_work)
    assert [record.event.actor for record in records] == actors
    assert {record.format for record in records} == {2}
    assert first_broken_link(records) is None


def test_two_releases_write_one_chain(database_url: str) -> None:
    """This release verifies records of both formats, and so does the previous one."""
    engine = create_database_engine(database_url)
    unit_of_work = SqlUnitOfWork(engine)
    events = [replace(an_event(n, attempts=n), actor=worker("w")) for n in range(6)]
    for number, event in enumerate(events):
        if number % 2:
            _append(unit_of_work, event)
        else:
            former_audit.append(engine, event)
    records = _records(unit_of_work)
    assert [record.event for record in records] == events
    assert [record.format for record in records] == [1, 2] * 3
    assert first_broken_link(records) is None
    previous = GENESIS
    with engine.connect() as connection:
        rows = connection.execute(sa.select(former_audit.EVENTS).order_by(sa.text("sequence")))
        for row, event in zip(rows, events, strict=True):
            previous = chain_hash(previous, replace(event, details=json.loads(row.details)))
            assert previous == row.hash
    engine.dispose()
