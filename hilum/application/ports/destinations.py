"""Rows: destinations of results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hilum.domain.destination import Destination


class DestinationRepository(Protocol):
    """Destinations of all sites."""

    def add(self, destination: Destination) -> bool:
        """Add a destination; False if its site has one of that name."""
        ...

    def change(self, destination: Destination) -> bool:
        """Write a destination anew; False if it is not there."""
        ...

    def remove(self, destination_id: str) -> bool:
        """Remove a destination to which nothing was ever delivered; False if it is not there."""
        ...

    def get(self, destination_id: str) -> Destination | None:
        """Return a destination."""
        ...

    def all(self) -> Sequence[Destination]:
        """Return every destination, by site and name."""
        ...

    def of_site(self, site: str) -> Sequence[Destination]:
        """Return the destinations of a site to which results are sent, by name."""
        ...
