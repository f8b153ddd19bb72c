"""Normalise: bright bones, the head up and the patient's left on the right."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hilum.application.analysis.orientation import Flips
from hilum.imaging.polarity import looks_inverted, negative

if TYPE_CHECKING:
    from hilum.imaging.film import Film


@dataclass(frozen=True, slots=True)
class View:
    """An image as it is looked at.

    Attributes:
        film: Its pixels.
        inverted: The grey scale was inverted.
        flips: What was done to it so that it stands as the header says; None where nothing was.
    """

    film: Film
    inverted: bool = False
    flips: Flips | None = None

    def inverse(self) -> View:
        """Return the view with its grey scale inverted."""
        pixels = negative(self.film.pixels)
        return replace(self, film=replace(self.film, pixels=pixels), inverted=not self.inverted)


class Views:
    """The views of an image, the one that its header asks for first.

    Attributes:
        first: As the header says that the image is to be looked at.
    """

    def __init__(self, film: Film) -> None:
        """Make the first view."""
        self._film = film
        self._flips = Flips.of(film)
        flipped = self._flips.looked_at(film) if self._flips else film
        self.first = with_bright_bones(View(flipped, flips=self._flips))

    @property
    def stored(self) -> View | None:
        """The image as it is stored; None where that is the first view."""
        return with_bright_bones(View(self._film)) if self._flips else None


def with_bright_bones(view: View) -> View:
    """Return a view with bright bones.

    A reader obeys what a file says of itself. A file whose photometric interpretation is wrong is
    then displayed as its own negative, and no model was trained on negatives.
    """
    return view.inverse() if looks_inverted(view.film.pixels) else view
