"""What sites read with: show it, promote a version, take a promotion back, take over points."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hilum.application.models.model_events import (
    points_events,
    points_removed_events,
    promotion_events,
    roll_back_event,
)
from hilum.domain.errors import (
    InvalidRequest,
    LabelNotExperimental,
    NoShippedPoint,
    NotFound,
    NothingToRollBack,
    OperatingPointsMissing,
    TransitionNotAllowed,
)
from hilum.domain.model import Rank
from hilum.domain.models_in_force import Installed, SiteRows, version_in_force
from hilum.domain.principal import ALL_SITES, DEFAULT_SITE, Permission
from hilum.domain.site_models import (
    Promotion,
    at_site,
    labels_with_points,
    labels_without_points,
    shipped_points,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hilum.application.models.models_of_site import ModelsOfSite
    from hilum.application.ports.clock import Clock
    from hilum.application.ports.unit_of_work import Transaction, UnitOfWork
    from hilum.domain.model import ModelManifest
    from hilum.domain.principal import Principal
    from hilum.domain.site_models import SiteOperatingPoint

_NAMED_LABELS = 4


@dataclass(frozen=True, slots=True)
class VersionAtSite:
    """An installed version of a model, as a site sees it.

    Attributes:
        manifest: With the operating points that are active at the site; with the site's own where
            it does not analyse with the version.
        shipped: As it was installed.
        in_force: The site reads with it.
        promotion: Why, if it is in force; of the site ``default`` where the site follows it.
        missing: ``(panel, label)`` of what the site has no operating point of its own for.
    """

    manifest: ModelManifest
    shipped: ModelManifest
    in_force: bool
    promotion: Promotion | None
    missing: tuple[tuple[str, str], ...]


class ManageModels:
    """Decisions about models and operating points, each in the audit log."""

    def __init__(self, *, models: ModelsOfSite, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._models = models
        self._unit_of_work = unit_of_work
        self._clock = clock

    def at_site(self, site: str) -> Sequence[VersionAtSite]:
        """Every installed version, by model in the order of its panels, then by version.

        Raises:
            InvalidManifest: The model repository is not in order.
        """
        rows = self._models.rows(site)
        installed = Installed.of(self._models.installed())
        own = rows.points_of(site)
        found = []
        for newest in self._models.current().models:
            in_force, promotion = version_in_force(newest, installed, rows, site)
            for version in installed.versions(newest.name):
                manifest = installed.by_version[newest.name, version]
                active = manifest == in_force
                owner = promotion.site if active and promotion else site
                found.append(
                    VersionAtSite(
                        manifest=at_site(manifest, rows.points_of(owner)),
                        shipped=manifest,
                        in_force=active,
                        promotion=promotion if active else None,
                        missing=tuple(labels_without_points(manifest, own)),
                    )
                )
        return found

    def not_installed(self, site: str) -> Sequence[Promotion]:
        """What a site reads with by a person's decision, and cannot: its version is not installed.

        Raises:
            InvalidManifest: The model repository is not in order.
        """
        rows = self._models.rows(site)
        installed = Installed.of(self._models.installed())
        stated = [
            version_in_force(newest, installed, rows, site)
            for newest in self._models.current().models
        ]
        return [
            promotion
            for manifest, promotion in stated
            if manifest is None and promotion is not None
        ]

    def version(self, model: str, version: str) -> ModelManifest:
        """An installed version.

        Raises:
            NotFound: It is not installed.
        """
        installed = Installed.of(self._models.installed())
        manifest = installed.version(model, version)
        if manifest is not None:
            return manifest
        versions = installed.versions(model)
        if not versions:
            raise NotFound(f"no model {model} is installed")
        raise NotFound(f"{model} {version} is not installed; installed: {', '.join(versions)}")

    def promote(self, model: str, version: str, site: str, principal: Principal) -> Promotion:
        """Let a site read with a version from now on.

        Promoting what is in force at the site already changes nothing.

        Raises:
            InvalidRequest: The site is none.
            NotPermitted: The principal does not manage the models of the site.
            NotFound: The version is not installed.
            OperatingPointsMissing: The site has not an operating point of its own for each label.
            TransitionNotAllowed: Somebody promoted the model at the same moment.
        """
        _require_site(site, principal)
        manifest = self.version(model, version)
        self._models.rows(site)  # a first start is written before a decision, not after
        with self._unit_of_work.begin() as transaction:
            rows = _rows(transaction, site)
            standing = rows.standing(site, model)
            if standing and standing[-1].version == version and not standing[-1].automatic:
                return standing[-1]
            if missing := labels_without_points(manifest, rows.points_of(site)):
                raise OperatingPointsMissing(_missing_text(manifest, site, missing))
            promotion = Promotion(
                site, model, rows.next_number(site, model), version, principal.id, self._clock.now()
            )
            if not transaction.promotions.add(promotion):
                raise TransitionNotAllowed(f"{model} was promoted at site {site} just now")
            transaction.audit.append(promotion_events([promotion], principal))
        return promotion

    def roll_back(
        self, model: str, site: str, principal: Principal
    ) -> tuple[Promotion, Promotion | None]:
        """Take back what a site promoted last.

        Returns:
            The promotion that was taken back, and the one that is in force again: an earlier one of
            the site, or that of the site ``default``, which it then follows; None without one.

        Raises:
            NotPermitted: The principal does not manage the models of the site.
            NothingToRollBack: The site promoted nothing of the model, or it is the site ``default``
                and there is nothing before.
            NotFound: The version that would be in force again is not installed any more.
        """
        principal.require(Permission.MANAGE_MODELS, site)
        with self._unit_of_work.begin() as transaction:
            rows = _rows(transaction, site)
            standing = rows.standing(site, model)
            if not standing or (site == DEFAULT_SITE and len(standing) == 1):
                raise NothingToRollBack(f"site {site} has no earlier promotion of {model}")
            taken_back = transaction.promotions.roll_back(
                standing[-1], principal.id, self._clock.now()
            )
            if taken_back is None:
                raise NothingToRollBack(f"{model} was rolled back at site {site} just now")
            left = replace(rows, promotions=tuple(transaction.promotions.of_sites(_both(site))))
            in_force = left.in_force(site, model)
            if in_force is not None:
                self.version(model, in_force.version)
            transaction.audit.append(
                [roll_back_event(taken_back, in_force.version if in_force else None, principal)]
            )
        return taken_back, in_force

    def adopt_shipped(
        self, model: str, version: str, site: str, principal: Principal
    ) -> Sequence[SiteOperatingPoint]:
        """Take over the shipped operating points for what a site has none of its own for.

        Raises:
            InvalidRequest: The site is none.
            NotPermitted: The principal does not manage the models of the site.
            NotFound: The version is not installed.
        """
        _require_site(site, principal)
        manifest = self.version(model, version)
        with self._unit_of_work.begin() as transaction:
            own = transaction.operating_points.of_sites({site})
            missing = set(labels_without_points(manifest, own))
            shipped = shipped_points(manifest, site, principal.id, self._clock.now())
            adopted = [point for point in shipped if point.key in missing]
            transaction.operating_points.put(adopted)
            transaction.audit.append(points_events(adopted, principal))
        return adopted

    def switch_on(
        self,
        model: str,
        version: str,
        panel: str,
        label: str | None,
        site: str,
        principal: Principal,
    ) -> Sequence[SiteOperatingPoint]:
        """Take over the shipped operating points of experimental labels for a site.

        A point that the site has already stays as it is.

        Args:
            model: Model name.
            version: Version of the model.
            panel: Panel name.
            label: Label name; None for every experimental label of the panel with a shipped point.
            site: The site.
            principal: Who decides, for the audit log.

        Returns:
            What was taken over; empty where every label was on before.

        Raises:
            InvalidRequest: The site is none.
            NotPermitted: The principal does not manage the models of the site.
            NotFound: The version is not installed, or it has no such panel or label.
            LabelNotExperimental: The label is of another rank, or the panel has no such label.
            NoShippedPoint: The manifest has no operating point for it.
        """
        _require_site(site, principal)
        manifest = self.version(model, version)
        labels = set(experimental_labels(manifest, panel, label))
        shipped = [
            point
            for point in shipped_points(
                manifest, site, principal.id, self._clock.now(), rank=Rank.EXPERIMENTAL
            )
            if point.key in labels
        ]
        if not shipped:
            raise NoShippedPoint(
                f"{manifest.name} {manifest.version} ships no operating point for "
                f"{panel}{f'/{label}' if label else ''}: fit one on images of the site with "
                f"`hilum thresholds fit IMAGES.csv --site {site} --save`"
            )
        with self._unit_of_work.begin() as transaction:
            own = _points_of(transaction, site, manifest)
            adopted = [point for point in shipped if point.key not in own]
            transaction.operating_points.put(adopted)
            transaction.audit.append(points_events(adopted, principal))
        return adopted

    def switch_off(
        self,
        model: str,
        version: str,
        panel: str,
        label: str | None,
        site: str,
        principal: Principal,
    ) -> Sequence[SiteOperatingPoint]:
        """Remove a site's operating points of experimental labels, which then have no verdict.

        Args:
            model: Model name.
            version: Version of the model.
            panel: Panel name.
            label: Label name; None for every experimental label of the panel.
            site: The site.
            principal: Who decides, for the audit log.

        Returns:
            What was removed.

        Raises:
            InvalidRequest: The site is none.
            NotPermitted: The principal does not manage the models of the site.
            NotFound: There is nothing to remove, or no such version, panel or label.
            LabelNotExperimental: The label is of another rank, or the panel has no such label.
        """
        _require_site(site, principal)
        manifest = self.version(model, version)
        labels = experimental_labels(manifest, panel, label)
        with self._unit_of_work.begin() as transaction:
            own = _points_of(transaction, site, manifest)
            removed = [own[key] for key in labels if key in own]
            if not removed:
                raise NotFound(
                    f"site {site} has no operating point of its own for "
                    f"{panel}{f'/{label}' if label else ''}: it is off"
                )
            transaction.operating_points.remove(removed)
            transaction.audit.append(points_removed_events(removed, principal, self._clock.now()))
        return removed

    def points(self, site: str | None) -> Sequence[SiteOperatingPoint]:
        """The operating points of a site, or of all of them."""
        with self._unit_of_work.begin(write=False) as transaction:
            points = transaction.operating_points
            return points.all() if site is None else points.of_sites({site})

    def promotions(self, site: str | None) -> Sequence[Promotion]:
        """What a site, or any, ever promoted, by site, model and number."""
        with self._unit_of_work.begin(write=False) as transaction:
            promotions = transaction.promotions
            return promotions.all() if site is None else promotions.of_sites({site})


def experimental_labels(
    manifest: ModelManifest, panel: str, label: str | None
) -> list[tuple[str, str]]:
    """Return ``(panel, label)`` of an experimental label, or of all of a panel.

    Raises:
        NotFound: The model has no such panel or label.
        LabelNotExperimental: The label is of another rank, or the panel has no experimental one.
    """
    found = manifest.panel(panel)
    if found is None:
        raise NotFound(f"{manifest.name} {manifest.version} has no panel {panel}")
    ranks = {one.name: one.rank for one in found.labels}
    if label is not None and label not in ranks:
        raise NotFound(f"{panel} has no label {label}; it has {', '.join(ranks)}")
    if label is not None and ranks[label] is not Rank.EXPERIMENTAL:
        raise LabelNotExperimental(
            f"{panel}/{label} is {ranks[label].value.replace('_', ' ')}: "
            "only experimental labels are switched on and off"
        )
    names = [name for name, rank in ranks.items() if rank is Rank.EXPERIMENTAL]
    if not names:
        raise LabelNotExperimental(f"{panel} has no experimental label")
    return [(panel, name) for name in names if label in (None, name)]


def _points_of(
    transaction: Transaction, site: str, manifest: ModelManifest
) -> dict[tuple[str, str], SiteOperatingPoint]:
    """A site's own operating points for a version, by (panel, label)."""
    return {
        point.key: point
        for point in transaction.operating_points.of_sites({site})
        if (point.model, point.version) == (manifest.name, manifest.version)
    }


def _both(site: str) -> set[str]:
    return {site, DEFAULT_SITE}


def _rows(transaction: Transaction, site: str) -> SiteRows:
    return SiteRows(
        tuple(transaction.promotions.of_sites(_both(site))),
        tuple(transaction.operating_points.of_sites(_both(site))),
    )


def _require_site(site: str, principal: Principal) -> None:
    if not site or site == ALL_SITES:
        raise InvalidRequest("name one site: what it reads with is decided site by site")
    principal.require(Permission.MANAGE_MODELS, site)


def _missing_text(manifest: ModelManifest, site: str, missing: Sequence[tuple[str, str]]) -> str:
    """What is missing, and the two commands that mend it."""
    named = ", ".join("/".join(key) for key in missing[:_NAMED_LABELS])
    more = f" and {len(missing) - _NAMED_LABELS} more" if len(missing) > _NAMED_LABELS else ""
    return (
        f"site {site} has no operating point for {len(missing)} of "
        f"{len(labels_with_points(manifest))} labels of {manifest.name} {manifest.version} "
        f"({named}{more}); fit them on films of the site with `hilum thresholds fit FILMS.csv "
        f"--site {site} --version {manifest.version} --save`, or take over what is shipped with "
        f"`hilum thresholds adopt-defaults {manifest.name} {manifest.version} --site {site}`"
    )
