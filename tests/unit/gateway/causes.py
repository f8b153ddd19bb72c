"""Causes outside of an image. Each is brought about, and returns what ends it."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from hilum.application.queue.reconcile import Periods, Reconcile
from hilum.domain.errors import DatabaseUnavailable, SchemaIncompatible
from hilum.domain.job import ANALYSIS, Priority
from hilum.domain.retry_policy import RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.gateway.person import Person

HOUR: Final = timedelta(hours=1)


def store_away(person: Person) -> Callable[[], object]:
    store = person.gateway.store
    store.available = False
    return lambda: setattr(store, "available", True)


def engine_away(person: Person) -> Callable[[], object]:
    engine = person.gateway.engine
    engine.available = False
    return lambda: setattr(engine, "available", True)


def without_memory(person: Person) -> Callable[[], object]:
    reader = person.gateway.reader
    reader.failure = MemoryError()
    return lambda: setattr(reader, "failure", None)


def rows_away(error: type[DatabaseUnavailable]) -> Callable[[Person], Callable[[], object]]:
    """The database fails while the rule of the site is read, and is back for the outcome."""

    def begin_fails(person: Person) -> Callable[[], object]:
        rows = person.gateway.unit_of_work
        begin = rows.begin

        def begin_to_write(*, write: bool = True) -> Any:
            if not write:
                raise error("told to fail")
            return begin(write=write)

        rows.begin = begin_to_write
        return lambda: setattr(rows, "begin", begin)

    return begin_fails


def worker_dies(person: Person) -> Callable[[], object]:
    gateway = person.gateway
    with gateway.unit_of_work.begin() as transaction:
        assert transaction.jobs.claim(list(Priority), "worker:other", HOUR)
    reconcile = Reconcile(
        unit_of_work=gateway.unit_of_work,
        queue=gateway.queue,
        policies={ANALYSIS.kind: RetryPolicy()},
        chance=random.Random(1),  # noqa: S311 - a seed
        periods=Periods(ageing=100 * HOUR, lease=HOUR, attempts=100 * HOUR),
        clock=lambda: gateway.clock.now().timestamp(),
    )
    reconcile()  # no lease expires within one lease after the start
    gateway.clock.advance(2 * HOUR)
    reconcile()
    return lambda: None


CAUSES: Final = {
    "object_store_unavailable": store_away,
    "inference_unavailable": engine_away,
    "out_of_memory": without_memory,
    "database_unavailable": rows_away(DatabaseUnavailable),
    "schema_incompatible": rows_away(SchemaIncompatible),
    "worker_lost": worker_dies,
}
"""By the code of the reason."""
