"""What a site reads with: the version of each model that it promoted, and its operating points.

A probability means the same everywhere; where to draw the line does not. It depends on who is
filmed, how, and what a missed or a needless finding costs, so it belongs to a site and to one
version of one model (docs/adr/0010).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from hilum.domain.model import OperatingPoint, PanelKind, Rank

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from hilum.domain.model import ModelManifest, Panel

FIRST_START: Final = "hilum:first-start"
"""Who promotes for the default site where nobody has yet, and adopts what is shipped."""


class Origin(StrEnum):
    """Where an operating point comes from."""

    SHIPPED = "shipped"
    FITTED = "fitted"


@dataclass(frozen=True, slots=True)
class SiteOperatingPoint:
    """An operating point in force at a site, for one version of one model.

    Attributes:
        site: Whose it is.
        model: Model name.
        version: Version of the trained weights.
        panel: Panel name.
        point: Label, threshold, and how well it did on the films that chose it.
        origin: Taken over from the manifest, or fitted on films of the site.
        set_by: Who, as in the audit log.
        set_at: UTC.
        evidence: How it was fitted: wanted value, films, patients, intervals. JSON-ready.
    """

    site: str
    model: str
    version: str
    panel: str
    point: OperatingPoint
    origin: Origin
    set_by: str
    set_at: datetime
    evidence: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str]:
        """``(panel, label)``."""
        return self.panel, self.point.label


@dataclass(frozen=True, slots=True)
class Promotion:
    """A decision that a site reads with a version of a model.

    In force is the one with the highest number that was not rolled back.

    Attributes:
        site: Whose decision.
        model: Model name.
        number: Counts the promotions of this model at this site from 1.
        version: Version of the trained weights.
        promoted_by: Who, as in the audit log.
        promoted_at: UTC.
        rolled_back_by: Who took it back, or None.
        rolled_back_at: UTC, or None.
    """

    site: str
    model: str
    number: int
    version: str
    promoted_by: str
    promoted_at: datetime
    rolled_back_by: str | None = None
    rolled_back_at: datetime | None = None

    @property
    def automatic(self) -> bool:
        """Nobody decided it: the first start did."""
        return self.promoted_by == FIRST_START


def labels_of(manifest: ModelManifest) -> list[tuple[str, str]]:
    """Return ``(panel, label)`` of all that may have an operating point at a site.

    Structures have none, and neither has what is not shown.
    """
    return [
        (panel.name, label.name)
        for panel in manifest.panels
        if panel.kind is not PanelKind.STRUCTURES
        for label in panel.labels
        if label.rank is not Rank.NOT_SHOWN
    ]


def labels_with_points(manifest: ModelManifest) -> list[tuple[str, str]]:
    """Return ``(panel, label)`` of all that a site needs an operating point for.

    These are the labels that are validated and for which the manifest ships one.
    """
    return [
        (panel.name, label.name)
        for panel in manifest.panels
        for label in panel.labels
        if label.rank is Rank.VALIDATED and panel.operating_point(label.name) is not None
    ]


def labels_without_points(
    manifest: ModelManifest, points: Iterable[SiteOperatingPoint]
) -> list[tuple[str, str]]:
    """Return ``(panel, label)`` of what a site needs and ``points``, one site's, do not cover."""
    covered = {
        point.key
        for point in points
        if (point.model, point.version) == (manifest.name, manifest.version)
    }
    return [key for key in labels_with_points(manifest) if key not in covered]


def at_site(manifest: ModelManifest, points: Iterable[SiteOperatingPoint]) -> ModelManifest:
    """Return the manifest with the active operating points of a site.

    A site's own points take the place of the shipped ones. Validated labels that ``points`` do not
    cover keep what is shipped: check with :func:`labels_without_points` first. A site switches an
    experimental label on by having a point of its own. Points of another model or version are left
    out.
    """
    ours = {
        point.key: point.point
        for point in points
        if (point.model, point.version) == (manifest.name, manifest.version)
    }
    return replace(manifest, panels=tuple(_at_site(panel, ours) for panel in manifest.panels))


def _at_site(panel: Panel, ours: Mapping[tuple[str, str], OperatingPoint]) -> Panel:
    points = []
    for label in panel.labels:
        shipped = panel.operating_point(label.name)
        default = shipped if label.rank is Rank.VALIDATED else None
        point = ours.get((panel.name, label.name), default)
        if point is not None and label.rank is not Rank.NOT_SHOWN:
            points.append(point)
    return replace(panel, operating_points=tuple(points))


def shipped_points(
    manifest: ModelManifest,
    site: str,
    by: str,
    at: datetime,
    *,
    rank: Rank = Rank.VALIDATED,
) -> tuple[SiteOperatingPoint, ...]:
    """Return what the manifest ships for labels of a rank, as rows of a site."""
    return tuple(
        SiteOperatingPoint(
            site=site,
            model=manifest.name,
            version=manifest.version,
            panel=panel.name,
            point=point,
            origin=Origin.SHIPPED,
            set_by=by,
            set_at=at,
        )
        for panel in manifest.panels
        for label in panel.labels
        if label.rank is rank and (point := panel.operating_point(label.name)) is not None
    )


def is_newer(version: str, than: str) -> bool:
    """Whether a semantic version is higher than another; False where one of them is none."""
    mine, other = _numbers(version), _numbers(than)
    return mine is not None and other is not None and mine > other


def _numbers(version: str) -> tuple[int, ...] | None:
    parts = version.split(".")
    return tuple(int(part) for part in parts) if all(part.isdecimal() for part in parts) else None
