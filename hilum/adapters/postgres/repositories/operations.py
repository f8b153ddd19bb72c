"""Operations, and how far they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from hilum.adapters.postgres.execution import Statement
from hilum.adapters.postgres.repositories.work import SqlWorkRepository, WorkStatements
from hilum.adapters.postgres.repositories.work_table import WorkTable
from hilum.adapters.postgres.tables import OPERATIONS
from hilum.domain.operation import OPERATION, Operation, OperationState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection

OPERATION_STATEMENTS: Final = WorkStatements(
    WorkTable(OPERATIONS, OPERATION, Operation, renamed={"does": "kind", "purpose": "reason"})
)
_COLUMNS: Final = OPERATION_STATEMENTS.work.columns
# Stopped too: what a chunk did counts where somebody stopped the operation meanwhile.
_CLAIMED: Final = (OperationState.RUNNING.value, OperationState.STOPPED.value)
_PROGRESS: Final = Statement(
    sa.update(OPERATIONS)
    .where(
        OPERATIONS.c.id == sa.bindparam("wanted_id"),
        OPERATIONS.c.started_at == sa.bindparam("claimed_at", type_=OPERATIONS.c.started_at.type),
        OPERATIONS.c.state.in_([sa.literal_column(f"'{state}'") for state in _CLAIMED]),
    )
    .values(
        cursor=sa.bindparam("next_cursor", type_=sa.Text),
        done=OPERATIONS.c.done + sa.bindparam("more_done", type_=sa.Integer),
        failed=OPERATIONS.c.failed + sa.bindparam("more_failed", type_=sa.Integer),
    )
    .returning(OPERATIONS.c.id)
)


class SqlOperationRepository(SqlWorkRepository[Operation]):
    """See :class:`hilum.application.ports.operations.OperationRepository`."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, OPERATION_STATEMENTS)

    def progress(self, operation: Operation, cursor: str | None, *, done: int, failed: int) -> bool:
        """Store what a chunk did; False if the claim does not stand any more."""
        values = {
            "wanted_id": operation.id,
            "claimed_at": operation.started_at,
            "next_cursor": cursor,
            "more_done": done,
            "more_failed": failed,
        }
        return _PROGRESS.first(self._connection, values) is not None

    def newest(self, sites: frozenset[str] | None, limit: int) -> Sequence[Operation]:
        """Return operations, newest first."""
        query = sa.select(*_COLUMNS)
        if sites is not None:
            query = query.where(OPERATIONS.c.site.in_(sorted(sites)))
        order = (OPERATIONS.c.created_at.desc(), OPERATIONS.c.id.desc())
        return self._some(query.order_by(*order).limit(limit))
