"""The audit log in partitions: the same chain, the same refusals, and always room for an event."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from sqlalchemy import exc

from hilum.adapters.postgres import migrate
from hilum.adapters.postgres.audit_partitions import (
    EVENTS,
    AuditPartitions,
    make_audit_partitions,
)
from hilum.adapters.postgres.engine import create_database_engine
from hilum.adapters.postgres.repositories.audit import CHAIN_LOCK
from hilum.adapters.postgres.unit_of_work import SqlUnitOfWork
from hilum.domain.audit import first_broken_link
from hilum.domain.errors import DatabaseUnavailable
from tests.contract import former_audit
from tests.contract.samples import an_event

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hilum.domain.audit import AuditRecord

pytestmark = pytest.mark.real

_FAR: dict[str, sa.ColumnElement[Any]] = {
    "sequence": sa.literal(2 * EVENTS),
    "hash": sa.literal("another"),
}
"""What tells an event far on from the first one."""


class Log:
    """A log whose first partition ends after nine events, and what one does with it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = create_database_engine(url, pool_size=8)
        self.unit_of_work = SqlUnitOfWork(self.engine)

    def append_before(self, events: int) -> None:
        """Append as a release before schema 0009."""
        former_audit.append(self.engine, *(an_event(number) for number in range(events)))

    def append(self, events: int) -> None:
        with self.unit_of_work.begin() as transaction:
            transaction.audit.append([an_event(number) for number in range(events)])

    def make(self, ahead: int) -> AuditPartitions:
        made = make_audit_partitions(self.url, ahead, events=10)
        assert made is not None
        return made

    def records(self) -> Sequence[AuditRecord]:
        with self.unit_of_work.begin(write=False) as transaction:
            return transaction.audit.records(limit=10_000)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.engine.begin() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(query)]

    def events_in(self) -> dict[str, int]:
        """Events by partition, of those that have any."""
        query = "SELECT tableoid::regclass::text, count(*) FROM audit_events GROUP BY 1"
        return {row[0]: row[1] for row in self.rows(query)}

    def change(self, *statements: str) -> None:
        with self.engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)


@pytest.fixture
def log(postgresql_url: str) -> Iterator[Log]:
    """An empty log."""
    log = Log(postgresql_url)
    log.change(
        "ALTER TABLE audit_events DETACH PARTITION audit_events_from_0",
        "ALTER TABLE audit_events ATTACH PARTITION audit_events_from_0 FOR VALUES FROM (0) TO (10)",
    )
    yield log
    log.engine.dispose()


def test_partitions_are_made_ahead_once(log: Log) -> None:
    """The second run has nothing to do; more are made as events come."""
    log.append(3)
    made = ("audit_events_from_10", "audit_events_from_20")
    assert log.make(2) == AuditPartitions(made, ahead=2, last_sequence=3, end=30)
    assert log.make(2) == AuditPartitions((), ahead=2, last_sequence=3, end=30)
    assert log.make(1).ahead == 2
    log.append(10)
    assert log.make(2).made == ("audit_events_from_30",)


def test_the_chain_goes_on_across_partitions(log: Log) -> None:
    """Events go where they belong, come back in order, and the chain is whole."""
    log.make(3)
    for _ in range(5):
        log.append(5)
    assert log.events_in() == {
        "audit_events_from_0": 9,
        "audit_events_from_10": 10,
        "audit_events_from_20": 6,
    }
    records = log.records()
    assert [record.sequence for record in records] == list(range(1, 26))
    assert first_broken_link(records) is None


def test_an_event_never_fails_for_want_of_a_partition(log: Log) -> None:
    """It goes to the default partition, which then becomes one of the others; no row is moved."""
    log.append(25)
    assert log.events_in() == {"audit_events_from_0": 9, "audit_events_default": 16}
    before = log.rows("SELECT ctid::text, sequence FROM audit_events_default ORDER BY 2")
    made = ("audit_events_from_10", "audit_events_from_30")
    assert log.make(1) == AuditPartitions(made, ahead=1, last_sequence=25, end=40)
    assert log.events_in() == {"audit_events_from_0": 9, "audit_events_from_10": 16}
    assert log.rows("SELECT ctid::text, sequence FROM audit_events_from_10 ORDER BY 2") == before
    log.append(30)
    assert log.events_in()["audit_events_default"] == 16
    assert log.make(0).made == ("audit_events_from_40",)
    assert first_broken_link(log.records()) is None


@pytest.mark.parametrize("table", ["audit_events", "from_0", "from_10", "from_20", "default"])
@pytest.mark.parametrize(
    "statement", ["UPDATE {} SET actor = 'nobody'", "DELETE FROM {}", "TRUNCATE {}"]
)
def test_every_partition_refuses_to_be_changed(log: Log, table: str, statement: str) -> None:
    """Also one that is named itself, one that was the default, and one without any event."""
    log.append(15)
    log.make(1)
    name = table if table == "audit_events" else f"audit_events_{table}"
    with pytest.raises(exc.IntegrityError, match="append-only"):
        log.change(statement.format(name))
    assert len(log.records()) == 15


def test_a_partition_made_by_hand_refuses_to_be_changed(log: Log) -> None:
    """Row by row, by the trigger that every partition is given by the log."""
    log.change("CREATE TABLE by_hand PARTITION OF audit_events FOR VALUES FROM (10) TO (20)")
    log.append(15)
    for statement in ("UPDATE by_hand SET actor = 'nobody'", "DELETE FROM by_hand"):
        with pytest.raises(exc.IntegrityError, match="append-only"):
            log.change(statement)


def test_the_chain_cannot_fork_over_partitions(log: Log) -> None:
    """One sequence number is used once, whatever partition it is in."""
    log.append(15)
    log.make(1)
    with pytest.raises(exc.IntegrityError, match="pk_audit_events"):
        log.change("INSERT INTO audit_events SELECT * FROM audit_events WHERE sequence = 12")


def test_tampering_in_a_partition_breaks_the_chain(log: Log) -> None:
    """Who can drop its triggers can change a record, and the chain shows which."""
    log.append(15)
    log.make(1)
    log.change(
        "ALTER TABLE audit_events_from_10 DISABLE TRIGGER ALL",
        "UPDATE audit_events_from_10 SET actor = 'nobody' WHERE sequence = 13",
    )
    assert first_broken_link(log.records()) == 13


def test_runs_at_once_and_writers_do_not_disturb_each_other(log: Log) -> None:
    """Every partition is made once, no append fails, and the chain is whole."""

    def write(_: int) -> None:
        for _ in range(5):
            log.append(2)

    with ThreadPoolExecutor(6) as pool:
        writers = [pool.submit(write, number) for number in range(3)]
        makers = [pool.submit(log.make, 2) for _ in range(3)]
        for done in writers:
            done.result()
        names = [name for done in makers for name in done.result().made]
    assert len(names) == len(set(names))
    assert log.make(2).ahead == 2
    assert len(log.records()) == 30
    assert first_broken_link(log.records()) is None


def test_a_log_that_is_being_written_is_waited_for(log: Log) -> None:
    """For some seconds; then the run says that it could not, and nothing has changed."""
    with log.engine.begin() as connection:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(CHAIN_LOCK)))
        with pytest.raises(DatabaseUnavailable, match="lock timeout"):
            log.make(1)
    assert log.make(1).made == ("audit_events_from_10",)


def test_an_upgrade_keeps_the_events_in_their_place(postgresql_url: str) -> None:
    """The former table is the first partition, as large as its events need."""
    migrate.downgrade(postgresql_url, "0004")
    log = Log(postgresql_url)
    log.append_before(3)
    table = "SELECT 'audit_events'::regclass::oid"
    former = log.rows(table)
    migrate.upgrade(postgresql_url)
    assert log.rows(table.replace("audit_events", "audit_events_from_0")) == former
    assert log.events_in() == {"audit_events_from_0": 3}
    last, size = 3, EVENTS
    assert make_audit_partitions(postgresql_url, 0) == AuditPartitions((), 0, last, size)
    log.append(2)
    assert first_broken_link(log.records()) is None
    log.engine.dispose()


def test_a_long_log_makes_a_long_first_partition(postgresql_url: str) -> None:
    """Its end is the first multiple of the size after the last event."""
    migrate.downgrade(postgresql_url, "0004")
    log = Log(postgresql_url)
    log.append_before(1)
    events = former_audit.EVENTS
    further = sa.select(*(_FAR.get(c.name, c) for c in events.c))
    with log.engine.begin() as connection:
        connection.execute(sa.insert(events).from_select(events.c.keys(), further))
    migrate.upgrade(postgresql_url)
    stand = make_audit_partitions(postgresql_url, 1)
    assert stand == AuditPartitions((f"audit_events_from_{3 * EVENTS}",), 1, 2 * EVENTS, 4 * EVENTS)
    log.engine.dispose()


def test_the_way_back_makes_one_table_again(log: Log) -> None:
    """With the events of every partition, and what it refused before."""
    log.append(15)
    log.make(1)
    log.append(20)
    assert len(log.events_in()) == 4
    hashes = "SELECT sequence, hash FROM audit_events ORDER BY 1"
    before = log.rows(hashes)
    migrate.downgrade(log.url, "0004")
    assert log.rows(hashes) == before
    kinds = "SELECT relname, relkind FROM pg_class WHERE starts_with(relname, 'audit_events')"
    assert log.rows(kinds) == [("audit_events", "r")]
    for statement in ("DELETE FROM audit_events", "TRUNCATE audit_events"):
        with pytest.raises(exc.IntegrityError, match="append-only"):
            log.change(statement)
    log.append_before(1)
    migrate.upgrade(log.url)
    assert len(log.records()) == 36
    assert first_broken_link(log.records()) is None


def test_a_database_that_is_behind_is_not_touched(postgresql_url: str) -> None:
    """The CronJob of a new release may run before its migration has."""
    migrate.downgrade(postgresql_url, "0004")
    with pytest.raises(DatabaseUnavailable, match="hilum db upgrade"):
        make_audit_partitions(postgresql_url, 1)


def test_sqlite_has_nothing_to_make(sqlite_url: str) -> None:
    """It keeps the log in one table."""
    assert make_audit_partitions(sqlite_url, 5) is None


def test_a_log_with_partitions_is_read_by_portions(log: Log) -> None:
    """Portions do not end where partitions do."""
    log.make(2)
    log.append(25)
    read: list[int] = []
    while True:
        with log.unit_of_work.begin(write=False) as transaction:
            portion = partial(transaction.audit.records, limit=4)(read[-1] if read else 0)
        if not portion:
            break
        read += [record.sequence for record in portion]
    assert read == list(range(1, 26))
