"""What is known of a Triton after a look at it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

GIVE_UP_AFTER: Final = 3
"""So many wrong looks in a row, and a Triton should be started anew."""


class Finding(StrEnum):
    """What a look found.

    ``right``: every model gave what it must. ``wrong``: Triton says that it is ready, and answers
    wrongly, fails, or does not answer in time. ``down``: Triton is not there, or not ready; its own
    probes deal with that.
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
    """

    finding: Finding | None = None
    reason: str = "no golden film has been read yet"
    wrong_in_a_row: int = 0

    @property
    def ready(self) -> bool:
        """Whether films should be sent to this Triton."""
        return self.finding is Finding.RIGHT

    @property
    def alive(self) -> bool:
        """False where only a new start can help.

        A Triton that is down counts for nothing: one that has just been started would otherwise be
        ended again for what its predecessor answered.
        """
        return self.wrong_in_a_row < GIVE_UP_AFTER
