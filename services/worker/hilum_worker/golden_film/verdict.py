"""What is known of a Triton after a look at it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

GIVE_UP_AFTER: Final = 3
"""So many wrong looks in a row, and a Triton should be started anew."""

GIVE_UP_WAITING_AFTER: Final = 12
"""So many looks that found nobody: minutes, in which a Triton that ended was long started again."""


class Finding(StrEnum):
    """What a look found.

    ``right``: every model gave what it must. ``wrong``: Triton says that it is ready, and answers
    wrongly, fails, or does not answer in time. ``down``: Triton is not there, or not ready.
    """

    RIGHT = "right"
    WRONG = "wrong"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known now.

    Attributes:
        finding: Of the last look; None before the first.
        reason: One sentence, empty where all is right.
        wrong_in_a_row: Looks that found something wrong since Triton was last right or down.
        down_in_a_row: Looks that found nobody.
    """

    finding: Finding | None = None
    reason: str = "no golden film has been read yet"
    wrong_in_a_row: int = 0
    down_in_a_row: int = 0

    @property
    def ready(self) -> bool:
        """Whether films should be sent to this Triton."""
        return self.finding is Finding.RIGHT

    @property
    def alive(self) -> bool:
        """False where only a new start can help.

        A Triton that is down begins with a clean sheet: one that has just been started would
        otherwise be ended again for what its predecessor answered. One that stays down has frozen,
        for whoever asks does so only once it has loaded (a startup probe).
        """
        return self.wrong_in_a_row < GIVE_UP_AFTER and self.down_in_a_row < GIVE_UP_WAITING_AFTER
