"""The queries that run all day find their rows by an index, whatever the number of jobs."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event, inspect

from hilum.adapters.postgres import migrate
from hilum.adapters.postgres.engine import create_database_engine
from hilum.adapters.postgres.repositories.film_retention import SqlFilmRetention
from hilum.adapters.postgres.repositories.jobs import JOB_STATEMENTS, SqlJobRepository
from hilum.adapters.postgres.repositories.kinds import KINDS
from hilum.adapters.postgres.repositories.work_flows import SqlWorkFlowRepository
from hilum.adapters.postgres.tables import METADATA
from hilum.application.ports.repositories import JobCursor, JobFilter
from hilum.domain.job import ANALYSIS, JobState, Priority
from tests.contract.samples import LEASE, NOW, a_film

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy.engine import Connection, Engine

JOB = a_film().job
AFTER = JobCursor(NOW, JOB.id)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A migrated SQLite database: it plans by the schema alone, whatever the tables hold."""
    path: Path = tmp_path_factory.mktemp("indices") / "hilum.db"
    migrate.upgrade(f"sqlite:///{path}")
    engine = create_database_engine(f"sqlite:///{path}")
    yield engine
    engine.dispose()


@pytest.mark.parametrize(
    ("ask", "index"),
    [
        # Without statistics SQLite takes the running jobs and sorts them: there are few.
        (lambda jobs: jobs.expired(9), "(state=?)"),
        (lambda jobs: jobs.claimable(Priority.STAT, 9), "ix_jobs_"),
        (lambda jobs: jobs.changed_since(NOW, None, 9), "ix_jobs_updated_at_id"),
        (lambda jobs: jobs.page(JobFilter(), AFTER, 9), "ix_jobs_created_at_id"),
        (
            lambda jobs: jobs.page(JobFilter(frozenset({"north"})), AFTER, 9),
            "ix_jobs_site_created_at_id",
        ),
        (
            lambda jobs: jobs.page(JobFilter(state=JobState.FAILED), AFTER, 9),
            "ix_jobs_state_created_at_id",
        ),
        (lambda jobs: jobs.depths(), "ix_jobs_state_created_at_id"),
        (lambda jobs: jobs.extend_leases("worker-1", [JOB.id], LEASE), "(id=?)"),
        (lambda jobs: jobs.newest_of_film("north", "1.2.3"), "instance_"),
    ],
)
def test_a_query_searches_by_its_index(
    engine: Engine, ask: Callable[[SqlJobRepository], object], index: str
) -> None:
    """No plan walks through the table."""
    _searches(engine, lambda connection: ask(SqlJobRepository(connection)), index)


@pytest.mark.parametrize(
    ("ask", "index"),
    [
        (lambda films: films.due(NOW, None), ("ix_jobs_with_film", "instances")),
        (lambda films: films.expire(NOW, None, NOW, 9), ("ix_jobs_with_film", "instances")),
        (lambda films: films.expire(NOW, "north", NOW, 9), ("ix_jobs_with_film", "instances")),
        (lambda films: films.named(["films/a"]), ("ix_instances_object_key", "instance_id")),
        (lambda films: films.shown([JOB.id]), ("(id=?)",)),
        (lambda films: films.removed(["films/a"]), ("(object_key=?)",)),
    ],
)
def test_retention_searches_by_its_indices(
    engine: Engine, ask: Callable[[SqlFilmRetention], object], index: tuple[str, ...]
) -> None:
    """Years of films that are gone cost a run nothing."""
    _searches(engine, lambda connection: ask(SqlFilmRetention(connection)), *index)


def test_jobs_without_a_tag_are_found_by_their_own_index(engine: Engine) -> None:
    """The reconciler looks for them every two seconds, whatever waits."""
    _searches(engine, lambda connection: _flows(connection).adopt(9), "untagged")


def test_aged_batch_jobs_are_found_by_the_index_of_what_waits(engine: Engine) -> None:
    """By priority and age."""
    hours = timedelta(hours=4)
    _searches(engine, lambda c: _flows(c).raise_aged(hours, 9), "ix_jobs_queued")


def _flows(connection: Connection) -> SqlWorkFlowRepository:
    return SqlWorkFlowRepository(connection, KINDS[ANALYSIS.kind].flows)


def test_what_refers_to_a_row_is_found_by_an_index(engine: Engine) -> None:
    """A study is inserted after its jobs: SQLite then looks for every row that waits for it."""
    inspector = inspect(engine)
    for table in METADATA.tables:
        found = [index["column_names"][0] for index in inspector.get_indexes(table)]
        found += inspector.get_pk_constraint(table)["constrained_columns"][:1]
        found += [unique["column_names"][0] for unique in inspector.get_unique_constraints(table)]
        for reference in inspector.get_foreign_keys(table):
            assert reference["constrained_columns"][0] in found, (table, reference)


def test_a_claim_takes_one_step_into_its_index_for_each_flow(engine: Engine) -> None:
    """The flows are walked through, the jobs are not."""
    sql = str(JOB_STATEMENTS.claim["sqlite"]._statement.compile(engine))  # noqa: SLF001 - as it is run
    with engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", (None,) * sql.count("?"))
        steps = [step for *_, step in plan]
    assert not any("SCAN jobs" in step or "SCAN head" in step for step in steps), steps
    assert any("ix_jobs_claim" in step for step in steps)
    assert not any("B-TREE" in step and "LAST" in step for step in steps)


def _searches(engine: Engine, ask: Callable[[Connection], object], *indices: str) -> None:
    asked: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, values: Any, *_: object) -> None:
        asked.append((statement, values))

    with engine.connect() as connection:
        event.listen(connection, "before_cursor_execute", note)
        ask(connection)
        statement, values = asked[-1]
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
    # A sort of what was found, names of parts, the clock, the few flows, and what was counted.
    beside = ("TEMP B-TREE", "SUBQUERY", "CONSTANT ROW", " work_flows", "anon_1")
    steps = [step for *_, step in plan if not any(words in step for words in beside)]
    assert steps
    for step in steps:
        assert step.startswith("SEARCH"), steps
        assert any(index in step for index in indices), steps
