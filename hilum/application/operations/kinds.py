"""What operations do, by name. A new one is registered here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hilum.application.operations.retry_jobs import RetryJobs

if TYPE_CHECKING:
    from hilum.application.operations.run_operation import OperationKind

OPERATIONS: Final[dict[str, OperationKind]] = {"retry_jobs": RetryJobs()}
