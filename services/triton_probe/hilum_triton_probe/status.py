"""What is known of a Triton after a run of the known-answer test."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

RESTART_AFTER_WRONG: Final = 3
"""So many wrong runs in a row, and a Triton should be restarted."""

RESTART_AFTER_DOWN: Final = 12
"""So many runs in a row that found it down: minutes, in which one that ended has long restarted."""


class Outcome(StrEnum):
    """How a run ended.

    ``right``: every model gave what it must. ``wrong``: Triton says that it is ready, and answers
    wrongly, fails, or does not answer in time. ``down``: Triton is not there, or not ready.
    """

    RIGHT = "right"
    WRONG = "wrong"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Status:
    """What is known now.

    Attributes:
        outcome: Of the last run; None before the first.
        reason: One sentence, empty where all is right.
        wrong_in_a_row: Runs that found something wrong since Triton was last right or down.
        down_in_a_row: Runs that found it down since it was last there.
    """

    outcome: Outcome | None = None
    reason: str = "no model has been asked yet"
    wrong_in_a_row: int = 0
    down_in_a_row: int = 0

    @property
    def ready(self) -> bool:
        """Whether images should be sent to this Triton."""
        return self.outcome is Outcome.RIGHT

    @property
    def alive(self) -> bool:
        """False where only a restart can help.

        A Triton that is down begins anew: one that has just been restarted would otherwise be
        ended again for what it answered before. One that stays down has frozen, since a startup
        probe lets nobody ask before it has loaded.
        """
        return self.wrong_in_a_row < RESTART_AFTER_WRONG and self.down_in_a_row < RESTART_AFTER_DOWN
