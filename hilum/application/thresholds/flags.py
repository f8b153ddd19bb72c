"""What operating points flag on images whose truth is known: on the normal ones, and on the ill."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hilum.domain.model import PanelKind, Rank
from hilum.domain.verdict import named_labels

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hilum.application.thresholds.labelled_films import LabelledFilm, ScoredFilm
    from hilum.domain.model import ModelManifest, Panel


@dataclass(frozen=True, slots=True)
class Flags:
    """What is flagged on some images.

    Attributes:
        ill: Whether these are the images of ill people.
        source: Where they come from; empty for all sources together.
        images: How many.
        flags: Abnormal labels that are named, over all images.
        without: Images on which none is.
    """

    ill: bool
    source: str
    images: int
    flags: int
    without: int


def is_ill(film: LabelledFilm, manifest: ModelManifest) -> bool | None:
    """Return whether an image is known to show an abnormal label of a model.

    It does where an abnormal label is true, or a normal one is not. It is normal where nothing that
    is known says so.

    Returns:
        None where nothing is known of any label.
    """
    known = [
        label.abnormal is film.truth[panel.name, label.name]
        for panel in _judging(manifest)
        for label in panel.labels
        if (panel.name, label.name) in film.truth
    ]
    return any(known) if known else None


def flags_of(scored: Sequence[ScoredFilm], manifest: ModelManifest) -> list[Flags]:
    """Count what the operating points of a manifest flag.

    A panel whose scope does not hold an image names nothing on it, as in a result.

    Args:
        scored: Images with their truth and probabilities.
        manifest: With the operating points to ask.

    Returns:
        For normal images, then for ill ones: all sources together, then each source where there are
        several. What has no image is left out.
    """
    told = [(is_ill(item.film, manifest), item) for item in scored]
    sources = sorted({item.film.source for ill, item in told if ill is not None})
    found = []
    for ill in (False, True):
        counts = [
            (item.film.source, _named(item, manifest)) for of_kind, item in told if of_kind is ill
        ]
        found.append(_counted(ill, "", (count for _, count in counts)))
        if len(sources) > 1:
            found.extend(
                _counted(ill, source, (count for of, count in counts if of == source))
                for source in sources
            )
    return [flags for flags in found if flags.images]


def _counted(ill: bool, source: str, counts: Iterable[int]) -> Flags:  # noqa: FBT001 - a column
    held = list(counts)
    return Flags(ill, source, len(held), sum(held), held.count(0))


def _named(item: ScoredFilm, manifest: ModelManifest) -> int:
    """How many abnormal labels are named on an image."""
    return sum(len(_named_in(item, panel)) for panel in _judging(manifest))


def _named_in(item: ScoredFilm, panel: Panel) -> frozenset[str]:
    shown = {label.name for label in panel.labels if label.rank is not Rank.NOT_SHOWN}
    abnormal = {label.name for label in panel.labels if label.abnormal}
    given = {
        label: probability
        for (of, label), probability in item.probabilities.items()
        if of == panel.name
    }
    child = panel.name in item.child
    beyond = item.beyond.get(panel.name, "")
    thresholds = {
        point.label: point.threshold_for(child=child)
        for point in panel.operating_points
        if point.label in given and point.holds(beyond)
    }
    return named_labels(panel.kind, given, thresholds, abnormal) & abnormal & shown


def _judging(manifest: ModelManifest) -> list[Panel]:
    """The panels that judge an image behind the gate."""
    skipped = {PanelKind.GATE, PanelKind.STRUCTURES}
    return [panel for panel in manifest.panels if panel.kind not in skipped]
