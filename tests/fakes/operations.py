"""Operations in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hilum.domain.operation import OPERATION, OperationState
from tests.fakes.work import InMemoryWork

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hilum.domain.operation import Operation
    from tests.fakes.repositories import Rows


class InMemoryOperations(InMemoryWork):
    def __init__(self, rows: Rows) -> None:
        super().__init__(rows, OPERATION)

    def progress(self, operation: Operation, cursor: str | None, *, done: int, failed: int) -> bool:
        self._rows.require_writable()
        known = self._rows.operations.get(operation.id)
        claimed = {OperationState.RUNNING, OperationState.STOPPED}
        if known is None or known.started_at != operation.started_at or known.state not in claimed:
            return False
        self._rows.operations[known.id] = replace(
            known, cursor=cursor, done=known.done + done, failed=known.failed + failed
        )
        return True

    def newest(self, sites: frozenset[str] | None, limit: int) -> Sequence[Operation]:
        found = [
            one for one in self._rows.operations.values() if sites is None or one.site in sites
        ]
        return sorted(found, key=lambda one: (one.created_at, one.id), reverse=True)[:limit]
