"""The kinds of work that have a table. A kind is registered here by its statements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from hilum.adapters.postgres.repositories.deliveries import DELIVERY_STATEMENTS
from hilum.adapters.postgres.repositories.jobs import JOB_STATEMENTS
from hilum.adapters.postgres.repositories.operations import OPERATION_STATEMENTS
from hilum.adapters.postgres.repositories.work_flows import FlowStatements

if TYPE_CHECKING:
    from hilum.adapters.postgres.repositories.work import WorkStatements


class KindStatements(NamedTuple):
    """What one kind's repositories run."""

    work: WorkStatements[Any]
    flows: FlowStatements


KINDS: Final[dict[str, KindStatements]] = {}
"""By name."""


def register(statements: WorkStatements[Any]) -> None:
    """Add a kind, so that a transaction knows its items and flows."""
    work = statements.work
    KINDS[work.life.kind] = KindStatements(statements, FlowStatements(work))


for known in (JOB_STATEMENTS, DELIVERY_STATEMENTS, OPERATION_STATEMENTS):
    register(known)
