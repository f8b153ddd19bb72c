"""The kinds of work that have a table. A kind is registered here by its statements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from hilum.adapters.postgres.repositories.jobs import JOB_STATEMENTS
from hilum.adapters.postgres.repositories.operations import OPERATION_STATEMENTS
from hilum.adapters.postgres.repositories.work_flows import FlowStatements

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hilum.adapters.postgres.repositories.work import WorkStatements


class KindStatements(NamedTuple):
    """What one kind's repositories run."""

    work: WorkStatements[Any]
    flows: FlowStatements


KINDS: Final[Mapping[str, KindStatements]] = {
    statements.work.life.kind: KindStatements(statements, FlowStatements(statements.work))
    for statements in (JOB_STATEMENTS, OPERATION_STATEMENTS)
}
"""By name."""
