"""A database after years: many ended jobs, and a deep queue of every site and priority."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import sqlalchemy as sa

from hilum.adapters.postgres.repositories.jobs import JOB_STATEMENTS
from hilum.adapters.postgres.tables import INSTANCES, STUDIES
from hilum.domain.job import Priority
from tests.contract.samples import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection, Engine

ID: Final = UUID(int=1)
"""Of the one study and the one instance that all these jobs have."""

_TOGETHER: Final = 100_000
_DIALECT: Final = {
    "postgresql": {
        "numbers": "generate_series({first}, {end} - 1) AS numbers(n)",
        "uuid": "gen_random_uuid()",
        "ago": "now() - make_interval(secs => {seconds})",
    },
    "sqlite": {
        "numbers": (
            "(WITH RECURSIVE counted(n) AS (SELECT {first} UNION ALL"
            " SELECT n + 1 FROM counted WHERE n + 1 < {end}) SELECT n FROM counted)"
        ),
        "uuid": "lower(hex(randomblob(16)))",
        "ago": "strftime('%Y-%m-%d %H:%M:%f000', 'now', '-' || ({seconds}) || ' seconds')",
    },
}
_FLOW: Final = sa.text(
    "INSERT INTO work_flows (kind, priority, flow, weight, last_tag, tag_offset, pause_reason)"
    " VALUES ('analysis', :priority, :site, 1, :tag, 0, '')"
    " ON CONFLICT (kind, priority, flow) DO UPDATE SET last_tag = excluded.last_tag"
)
_PRIORITY: Final = "CASE n / {sites} % 3 WHEN 0 THEN 'stat' WHEN 1 THEN 'routine' ELSE 'batch' END"
_JOBS: Final = (
    "INSERT INTO jobs (id, study_id, instance_id, site, filename, state, priority, model_set,"
    " idempotency_key, attempts, losses, timings_ms, created_at, updated_at, finished_at, fair_tag)"
    " SELECT {uuid}, '{id}', '{id}', 'site-' || (n % {sites}), 'thorax.dcm', '{state}', {priority},"
    " 'ms-1', '{state}-' || n, {attempts}, 0, '{{}}', {ago}, {ago}, {finished},"
    " n / {flows} + 1.0 FROM {numbers}"
)


def fill(engine: Engine, *, ended: int, waiting: int, sites: int) -> None:
    """Fill an empty database, and gather its statistics."""
    with engine.begin() as connection:
        study = {"id": ID, "site": "site-0", "priority": "routine", "submitted_by": "key-1"}
        connection.execute(sa.insert(STUDIES).values(**study, received_at=NOW))
        instance = {"filename": "thorax.dcm", "media_type": "image/png", "size_bytes": 1}
        named = {"sha256": "ab", "object_key": "films/a"}
        connection.execute(sa.insert(INSTANCES).values(id=ID, study_id=ID, **instance, **named))
    for first in range(0, ended, _TOGETHER):
        with engine.begin() as connection:
            numbers = first, min(ended, first + _TOGETHER)
            _insert(connection, "completed", numbers, sites)
    with engine.begin() as connection:
        more(connection, (0, waiting), sites)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(
            "VACUUM ANALYZE" if engine.dialect.name == "postgresql" else "ANALYZE"
        )


def more(connection: Connection, numbers: tuple[int, int], sites: int) -> None:
    """Queue jobs, in turns of every site and priority."""
    _insert(connection, "queued", numbers, sites)
    tag = numbers[1] / (3 * sites) + 1
    for priority in Priority:
        for site in range(sites):
            connection.execute(
                _FLOW, {"priority": priority.value, "site": f"site-{site}", "tag": tag}
            )


def _insert(connection: Connection, state: str, numbers: tuple[int, int], sites: int) -> None:
    first, end = numbers
    words = _DIALECT[connection.dialect.name]
    ended = state != "queued"
    seconds = f"{end} - n" + (" + 100000000" if ended else "")
    if connection.dialect.name == "sqlite":  # with its own clock, to the microsecond
        seconds = f"({seconds})"
    ago = words["ago"].format(seconds=seconds)
    connection.exec_driver_sql(
        _JOBS.format(
            id=ID if connection.dialect.name == "postgresql" else ID.hex,
            uuid=words["uuid"],
            sites=sites,
            flows=3 * sites,
            state=state,
            priority=_PRIORITY.format(sites=sites),
            attempts=int(ended),
            ago=ago,
            finished=ago if ended else "NULL",
            numbers=words["numbers"].format(first=first, end=end),
        ).replace("%", "%%" if connection.dialect.name == "postgresql" else "%")
    )


def claim_plan(engine: Engine) -> str:
    """Return the plan of a claim."""
    served = {f"served_{priority.value}": priority.value for priority in Priority}
    statement = JOB_STATEMENTS.claim[engine.dialect.name]._statement  # noqa: SLF001 - as it is run
    return plan(engine, statement, **served, owner="worker-1", lease_s=15.0)


def plan(engine: Engine, statement: sa.Executable, **values: Any) -> str:
    """Return a statement's plan: on PostgreSQL as it was run, with rows, as JSON."""
    compiled: Any = statement.compile(engine)  # type: ignore[attr-defined]
    parameters = {**compiled.params, **values}
    bound = tuple(parameters[name] for name in compiled.positiontup)
    asked = {"postgresql": "EXPLAIN (ANALYZE, FORMAT JSON)", "sqlite": "EXPLAIN QUERY PLAN"}
    with engine.connect() as connection, connection.begin() as undone:
        rows = connection.exec_driver_sql(f"{asked[engine.dialect.name]} {compiled}", bound).all()
        undone.rollback()
    if engine.dialect.name == "postgresql":
        return json.dumps(rows[0][0])
    return "\n".join(str(row[-1]) for row in rows)


def assert_heads_alone(engine: Engine, sites: int) -> None:
    """A claim finds jobs by the partial index alone, one of each flow, and locks one row."""
    found = claim_plan(engine)
    if engine.dialect.name == "sqlite":
        steps = [step for step in found.splitlines() if re.search(r"\b(jobs|head)\b", step)]
        by_key = ("(id=?)", "(rowid=?)")
        assert steps, found
        assert all("ix_jobs_claim" in step or step.endswith(by_key) for step in steps), found
        return
    of_jobs = scans_of_jobs(found)
    assert {node["Index Name"] for node in of_jobs} == {"ix_jobs_claim", "pk_jobs"}, found
    heads = [node for node in of_jobs if node["Index Name"] == "ix_jobs_claim"]
    assert sum(map(_rows, heads)) <= sites + 1, found
    assert not any(node.get("Rows Removed by Filter") for node in heads), found
    locks = [node for node in _nodes(json.loads(found)[0]["Plan"]) if _kind(node) == "LockRows"]
    assert sum(map(_rows, locks)) == 1, found


def scans_of_jobs(found: str) -> list[dict[str, Any]]:
    """Return the nodes of PostgreSQL's plan that read jobs; each by an index, or this fails."""
    nodes = _nodes(json.loads(found)[0]["Plan"])
    scans = [n for n in nodes if n.get("Relation Name") == "jobs" and _kind(n).endswith("Scan")]
    assert all("Index Name" in node for node in scans), found
    return scans


def _kind(node: dict[str, Any]) -> str:
    return str(node["Node Type"])


def _rows(node: dict[str, Any]) -> float:
    return float(node["Actual Rows"] * node["Actual Loops"])


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)
