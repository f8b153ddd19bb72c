"""A site: owner of images, and what its work weighs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LEAST_WEIGHT: Final = 0.1
MOST_WEIGHT: Final = 100.0


@dataclass(frozen=True, slots=True)
class Site:
    """A site whose name was used.

    Attributes:
        id: Its name.
        weight: Its share compared with other sites, see :mod:`hilum.domain.work_flow`.
    """

    id: str
    weight: float = 1.0
