"""Which version of a model is in force at a site, and what the first start makes so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hilum.domain.principal import DEFAULT_SITE
from hilum.domain.site_models import (
    FIRST_START,
    Promotion,
    is_newer,
    labels_without_points,
    shipped_points,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from hilum.domain.model import ModelManifest
    from hilum.domain.site_models import SiteOperatingPoint


@dataclass(frozen=True, slots=True)
class Installed:
    """The versions of models that are installed.

    Attributes:
        by_version: Manifests by (model name, version).
    """

    by_version: Mapping[tuple[str, str], ModelManifest]

    @classmethod
    def of(cls, manifests: Iterable[ModelManifest]) -> Installed:
        """From manifests in the order in which versions are shown."""
        return cls({(manifest.name, manifest.version): manifest for manifest in manifests})

    def version(self, model: str, version: str) -> ModelManifest | None:
        """The manifest of a version, or None."""
        return self.by_version.get((model, version))

    def versions(self, model: str) -> list[str]:
        """The versions of a model."""
        return [version for name, version in self.by_version if name == model]


@dataclass(frozen=True, slots=True)
class SiteRows:
    """The rows of a site, and those of the site ``default``, which it follows where it has none.

    Attributes:
        promotions: By site, model and number.
        points: Operating points.
    """

    promotions: tuple[Promotion, ...]
    points: tuple[SiteOperatingPoint, ...]

    def standing(self, site: str, model: str) -> list[Promotion]:
        """A site's own promotions of a model that were not rolled back, the first one first."""
        return [
            promotion
            for promotion in self.promotions
            if (promotion.site, promotion.model) == (site, model)
            and promotion.rolled_back_at is None
        ]

    def in_force(self, site: str, model: str) -> Promotion | None:
        """The promotion that decides what a site reads with: its own, else that of ``default``."""
        for owner in (site, DEFAULT_SITE):
            if standing := self.standing(owner, model):
                return standing[-1]
        return None

    def next_number(self, site: str, model: str) -> int:
        """The number of the next promotion of a model at a site."""
        numbers = [
            promotion.number
            for promotion in self.promotions
            if (promotion.site, promotion.model) == (site, model)
        ]
        return max(numbers, default=0) + 1

    def decided(self, promotion: Promotion) -> bool:
        """Whether a person promoted the version, or set an operating point of it at that site."""
        return not promotion.automatic or any(
            point.set_by != FIRST_START
            for point in self.points_of(promotion.site)
            if (point.model, point.version) == (promotion.model, promotion.version)
        )

    def points_of(self, site: str) -> list[SiteOperatingPoint]:
        """A site's own operating points."""
        return [point for point in self.points if point.site == site]


def version_in_force(
    newest: ModelManifest, installed: Installed, rows: SiteRows, site: str
) -> tuple[ModelManifest | None, Promotion | None]:
    """The version of a model that a site reads with, and the promotion that made it so.

    What nobody decided and is not installed here gives way to the newest that is: during an upgrade
    this process may have another version than the one that took the place. It then reads with its
    own, and the result says so.

    Returns:
        The manifest as it ships, or None where a person's decision is not installed; and the
        promotion, or None where there is none yet.
    """
    promotion = rows.in_force(site, newest.name)
    if promotion is None:
        return newest, None
    manifest = installed.version(newest.name, promotion.version)
    if manifest is None and not rows.decided(promotion):
        return newest, promotion
    return manifest, promotion


@dataclass(frozen=True, slots=True)
class FirstStart:
    """What has to be written so that the site ``default`` reads with what is installed."""

    promotions: tuple[Promotion, ...]
    points: tuple[SiteOperatingPoint, ...]

    @property
    def needed(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.promotions or self.points)


def first_start(
    newest: Sequence[ModelManifest],
    installed: Installed,
    rows: SiteRows,
    now: datetime,
    *,
    take_over: bool = True,
) -> FirstStart:
    """What the site ``default`` is given without anybody's decision.

    A model that was never promoted there is, in its newest version, with the shipped operating
    points. What was given in that way follows the installation, as long as nobody decides: a newer
    version that took the place of the promoted one is promoted, and shipped points that changed are
    taken over. A newer version that lies beside the promoted one waits for a person.

    Args:
        newest: The newest version of each model.
        installed: All versions.
        rows: Of the site ``default``, at least.
        now: UTC.
        take_over: Whether to take over shipped points that changed under a version. Two processes
            whose files differ would otherwise do so in turns for as long as both run.
    """
    promotions: list[Promotion] = []
    points: list[SiteOperatingPoint] = []
    for model in newest:
        given = _given(model, installed, rows, now)
        if given is None:
            continue
        manifest, promotion = given
        if promotion is not None:
            promotions.append(promotion)
        points.extend(_lacking(manifest, rows, now, take_over=take_over))
    return FirstStart(tuple(promotions), tuple(points))


def _given(
    newest: ModelManifest, installed: Installed, rows: SiteRows, now: datetime
) -> tuple[ModelManifest, Promotion | None] | None:
    """The version that ``default`` has without a decision, and the promotion to write for it."""
    standing = rows.standing(DEFAULT_SITE, newest.name)
    if standing:
        last = standing[-1]
        if not last.automatic:
            return None
        manifest = installed.version(newest.name, last.version)
        if manifest is not None:
            return manifest, None
        if rows.decided(last) or not is_newer(newest.version, last.version):
            return None
    number = rows.next_number(DEFAULT_SITE, newest.name)
    return newest, Promotion(DEFAULT_SITE, newest.name, number, newest.version, FIRST_START, now)


def _lacking(
    manifest: ModelManifest, rows: SiteRows, now: datetime, *, take_over: bool
) -> list[SiteOperatingPoint]:
    """The shipped points that ``default`` lacks, or has from an earlier start with other values."""
    held = rows.points_of(DEFAULT_SITE)
    missing = set(labels_without_points(manifest, held))
    automatic = {
        point.key: point.point
        for point in held
        if (point.model, point.version) == (manifest.name, manifest.version)
        and point.set_by == FIRST_START
    }
    return [
        point
        for point in shipped_points(manifest, DEFAULT_SITE, FIRST_START, now)
        if point.key in missing
        or (take_over and automatic.get(point.key, point.point) != point.point)
    ]
