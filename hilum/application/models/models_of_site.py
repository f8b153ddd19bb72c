"""Which models read the films of a site, with the operating points in force there.

A site that has promoted no version of a model reads with what the site ``default`` reads with, and
at its operating points. For the site ``default`` the first start promotes what is installed and
takes over the shipped operating points, so that a fresh installation reads films without a step.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from hilum.application.models.model_events import points_events, promotion_events
from hilum.domain.errors import DatabaseUnavailable, InvalidManifest, ModelNotServed
from hilum.domain.model import ModelSet
from hilum.domain.models_in_force import Installed, SiteRows, first_start, version_in_force
from hilum.domain.principal import DEFAULT_SITE, system
from hilum.domain.site_models import FIRST_START, at_site, labels_without_points

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from hilum.application.ports.clock import Clock
    from hilum.application.ports.model_catalogue import ModelCatalogue
    from hilum.application.ports.unit_of_work import Transaction, UnitOfWork
    from hilum.domain.model import ModelManifest
    from hilum.domain.models_in_force import FirstStart

_LOG = logging.getLogger(__name__)

KEPT: Final = timedelta(seconds=2)
"""How long a promotion or a new operating point may take to reach every process."""

_MOST_KEPT: Final = 256
_LOCK: Final = "models: first start"
_FIRST_START: Final = system(FIRST_START)


@dataclass(frozen=True, slots=True)
class _Kept:
    models: ModelSet
    until: datetime


class ModelsOfSite:
    """A model catalogue that knows sites; see the port. Safe to call from several threads."""

    def __init__(
        self, *, catalogue: ModelCatalogue, unit_of_work: UnitOfWork, clock: Clock
    ) -> None:
        """Use what is installed, and the rows that say what of it is in force."""
        self._catalogue = catalogue
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._kept: dict[str, _Kept] = {}
        self._started = False

    def current(self) -> ModelSet:
        """The newest version of each model; see the port."""
        return self._catalogue.current()

    def installed(self) -> Sequence[ModelManifest]:
        """Every version; see the port."""
        return self._catalogue.installed()

    def card(self, model: ModelManifest) -> str:
        """The model's card; see the port."""
        return self._catalogue.card(model)

    def of_site(self, site: str) -> ModelSet:
        """The models that read the films of a site; at most :data:`KEPT` old.

        While the database is down, the answer that was given last for the site holds.

        Raises:
            InvalidManifest: The model repository is not in order, or a version in force has labels
                without operating points.
            ModelNotServed: A version in force is not installed here.
            DatabaseUnavailable: It is down, and the site was never asked for.
        """
        now = self._clock.now()
        kept = self._kept.get(site)
        if kept is not None and now < kept.until:
            return kept.models
        try:
            models = self._read(site)
        except DatabaseUnavailable as error:
            if kept is None:
                raise
            _LOG.warning("models.kept", extra={"site": site, "error": error.sentence})
            models = kept.models
        if len(self._kept) >= _MOST_KEPT:  # a sender may name any number of sites
            self._kept.clear()
        self._kept[site] = _Kept(models, now + KEPT)
        return models

    def rows(self, site: str) -> SiteRows:
        """What was decided for a site and for ``default``, after the first start.

        Raises:
            InvalidManifest: The model repository is not in order.
            DatabaseUnavailable: It is down.
        """
        newest = self._catalogue.current()
        installed = Installed.of(self._catalogue.installed())
        sites = {site, DEFAULT_SITE}
        with self._unit_of_work.begin(write=False) as transaction:
            rows = _rows(transaction, sites)
        take_over = not self._started
        if self._first_start(newest, installed, rows, take_over=take_over).needed:
            rows = self._start(newest, installed, sites, take_over=take_over) or rows
        self._started = True
        return rows

    def _read(self, site: str) -> ModelSet:
        rows = self.rows(site)
        newest = self._catalogue.current()
        installed = Installed.of(self._catalogue.installed())
        models = tuple(_of_site(model, installed, rows, site) for model in newest.models)
        return ModelSet(models, newest.ensemble)

    def _start(
        self, newest: ModelSet, installed: Installed, sites: set[str], *, take_over: bool
    ) -> SiteRows | None:
        """Write what the first start gives the site ``default``, unless another process does."""
        with self._unit_of_work.begin() as transaction:
            if not transaction.try_lock(_LOCK):
                return None
            held = _rows(transaction, sites)
            start = self._first_start(newest, installed, held, take_over=take_over)
            for promotion in start.promotions:
                transaction.promotions.add(promotion)
            transaction.operating_points.put(start.points)
            rows = _rows(transaction, sites)
            transaction.audit.append(
                [
                    *points_events(start.points, _FIRST_START),
                    *promotion_events(start.promotions, _FIRST_START),
                ]
            )
        for promotion in start.promotions:
            facts = {
                "site": DEFAULT_SITE,
                "model": promotion.model,
                "version": str(promotion.version),
            }
            _LOG.info("model.promoted", extra=facts)
        return rows

    def _first_start(
        self, newest: ModelSet, installed: Installed, rows: SiteRows, *, take_over: bool
    ) -> FirstStart:
        now = self._clock.now()
        return first_start(newest.models, installed, rows, now, take_over=take_over)


def _rows(transaction: Transaction, sites: set[str]) -> SiteRows:
    return SiteRows(
        tuple(transaction.promotions.of_sites(sites)),
        tuple(transaction.operating_points.of_sites(sites)),
    )


def _of_site(
    newest: ModelManifest, installed: Installed, rows: SiteRows, site: str
) -> ModelManifest:
    """The version of a model in force at a site, with the operating points in force there."""
    manifest, promotion = version_in_force(newest, installed, rows, site)
    if promotion is None:
        return at_site(newest, ())
    name, owner = newest.name, promotion.site
    if manifest is None:
        versions = installed.versions(name)
        raise ModelNotServed(
            f"site {site} reads with {name} {promotion.version}, which is not installed here; "
            f"installed: {', '.join(versions)}. Install it, or decide for another: "
            f"`hilum models promote {name} {versions[-1]} --site {owner}`"
        )
    points = rows.points_of(owner)
    missing = labels_without_points(manifest, points)
    if missing and rows.decided(promotion):
        raise InvalidManifest(
            f"{name} {manifest.version} is in force at site {site} without an operating point "
            f"for {'/'.join(missing[0])}: were its files replaced?"
        )
    return at_site(manifest, points)
