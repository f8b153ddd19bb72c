"""What the audit log promises, on every database: one chain, never changed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta, timezone
from typing import TYPE_CHECKING, NoReturn

import pytest
import sqlalchemy as sa
from sqlalchemy import exc

from hilum.adapters.postgres.engine import create_database_engine
from hilum.adapters.postgres.unit_of_work import SqlUnitOfWork
from hilum.domain.audit import GENESIS, AuditEvent, first_broken_link
from tests.contract.samples import NOW, an_event

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hilum.application.ports.unit_of_work import UnitOfWork
    from hilum.domain.audit import AuditRecord


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
        AuditEvent("a", "b", "c", "d", east),
        AuditEvent("a", "b", "c", "d", on_the_second),
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
        "INSERT OR REPLACE INTO audit_events SELECT sequence, at, 'nobody', action, object_type,"
        " object_id, request_id, details, previous_hash, hash FROM audit_events",
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


def test_tampering_around_the_triggers_breaks_the_chain(database_url: str) -> None:
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
        connection.exec_driver_sql("UPDATE audit_events SET actor = 'nobody' WHERE sequence = 3")
    assert first_broken_link(_records(unit_of_work)) == 3
    engine.dispose()
