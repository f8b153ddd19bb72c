"""What can go wrong with an engine; each of these costs one model its engine, never the server."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why there is no engine; a label of the metric ``hilum_engine_fallback``."""

    TENSORRT_MISSING = "tensorrt_missing"
    CONVERSION_FAILED = "conversion_failed"
    BUILD_FAILED = "build_failed"
    RUN_FAILED = "run_failed"
    CHECK_FAILED = "check_failed"
    CACHE_UNUSABLE = "cache_unusable"
    UNEXPECTED = "unexpected"


class EngineNotBuilt(RuntimeError):
    """There is no engine that may be served.

    Attributes:
        reason: For the metric.
    """

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(text)
        self.reason = reason
