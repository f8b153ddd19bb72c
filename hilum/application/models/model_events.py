"""Audit events of what sites read with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilum.domain.audit import AuditEvent

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from hilum.domain.principal import Principal
    from hilum.domain.site_models import Promotion, SiteOperatingPoint


def promotion_events(promotions: Iterable[Promotion], principal: Principal) -> list[AuditEvent]:
    """One for each promotion that was made."""
    return [
        AuditEvent(
            actor=principal,
            action="model.promoted",
            object_type="model",
            object_id=f"{promotion.site}/{promotion.model}",
            at=promotion.promoted_at,
            details={"version": promotion.version, "number": promotion.number},
        )
        for promotion in promotions
    ]


def roll_back_event(
    taken_back: Promotion, now_in_force: str | None, principal: Principal
) -> AuditEvent:
    """Of a promotion that was taken back; the version before it is in force again, if any is."""
    if taken_back.rolled_back_at is None:
        raise ValueError("this promotion stands")
    return AuditEvent(
        actor=principal,
        action="model.rolled_back",
        object_type="model",
        object_id=f"{taken_back.site}/{taken_back.model}",
        at=taken_back.rolled_back_at,
        details={
            "version": now_in_force,
            "taken_back": taken_back.version,
            "number": taken_back.number,
        },
    )


def points_events(points: Iterable[SiteOperatingPoint], principal: Principal) -> list[AuditEvent]:
    """Of operating points that were set: one for each site, model, version and origin."""
    groups: dict[tuple[str, str, str, str], list[SiteOperatingPoint]] = {}
    for point in points:
        key = (point.site, point.model, point.version, point.origin.value)
        groups.setdefault(key, []).append(point)
    return [
        AuditEvent(
            actor=principal,
            action="operating_points.set",
            object_type="operating_points",
            object_id=f"{site}/{model}/{version}",
            at=group[0].set_at,
            details={
                "origin": origin,
                **{"/".join(point.key): point.point.threshold for point in group},
                **_fitted(group),
            },
        )
        for (site, model, version, origin), group in groups.items()
    ]


def points_removed_events(
    points: Iterable[SiteOperatingPoint], principal: Principal, at: datetime
) -> list[AuditEvent]:
    """Return one event for each site, model and version whose operating points were removed."""
    groups: dict[tuple[str, str, str], list[SiteOperatingPoint]] = {}
    for point in points:
        groups.setdefault((point.site, point.model, point.version), []).append(point)
    return [
        AuditEvent(
            actor=principal,
            action="operating_points.removed",
            object_type="operating_points",
            object_id="/".join(key),
            at=at,
            details={"/".join(point.key): point.point.threshold for point in group},
        )
        for key, group in groups.items()
    ]


def _fitted(points: Iterable[SiteOperatingPoint]) -> dict[str, str | float]:
    """How each point was fitted, in one line, its threshold for children, and where it holds."""
    details: dict[str, str | float] = {}
    for point in points:
        name = "/".join(point.key)
        if point.evidence:
            details[f"{name} fitted_on"] = point.point.fitted_on
        if point.point.child_threshold is not None:
            details[f"{name} child_threshold"] = point.point.child_threshold
        if point.point.beyond_scope:
            details[f"{name} beyond_scope"] = ", ".join(point.point.beyond_scope)
    return details
