"""Who acts, and what they may do at which site."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from hilum.domain.errors import NotPermitted

if TYPE_CHECKING:
    from collections.abc import Mapping

ALL_SITES: Final = "*"
"""Site of a grant that is not bound to one."""

DEFAULT_SITE: Final = "default"
"""Site of an image that was submitted without one by a principal that is not bound to one."""


class Permission(StrEnum):
    """One thing that an act may need."""

    READ_JOBS = "jobs:read"
    READ_IMAGES = "images:read"
    READ_RESULTS = "results:read"
    REVIEW_RESULTS = "results:review"
    SUBMIT_IMAGES = "images:submit"
    OPERATE_QUEUE = "queue:operate"
    MANAGE_MODELS = "models:manage"
    MANAGE_SITE = "site:manage"
    MANAGE_ACCESS = "access:manage"
    READ_AUDIT = "audit:read"


_VERBS: Final[Mapping[Permission, tuple[str, str]]] = {
    Permission.READ_JOBS: ("read", "jobs"),
    Permission.READ_IMAGES: ("read", "images"),
    Permission.READ_RESULTS: ("read", "results"),
    Permission.REVIEW_RESULTS: ("review", "results"),
    Permission.SUBMIT_IMAGES: ("submit", ""),
    Permission.OPERATE_QUEUE: ("operate", ""),
    Permission.MANAGE_MODELS: ("manage", "models"),
    Permission.MANAGE_SITE: ("manage", "the site"),
    Permission.MANAGE_ACCESS: ("administer", ""),
    Permission.READ_AUDIT: ("read", "the audit log"),
}


class Role(StrEnum):
    """What a grant is for."""

    VIEWER = "viewer"
    READER = "reader"
    SUBMITTER = "submitter"
    OPERATOR = "operator"
    AUDITOR = "auditor"
    ADMIN = "admin"


_LOOK: Final = frozenset({Permission.READ_JOBS, Permission.READ_IMAGES, Permission.READ_RESULTS})

PERMISSIONS: Final[Mapping[Role, frozenset[Permission]]] = {
    Role.VIEWER: _LOOK,
    Role.READER: _LOOK | {Permission.REVIEW_RESULTS},
    Role.SUBMITTER: _LOOK | {Permission.SUBMIT_IMAGES},
    Role.OPERATOR: _LOOK | {Permission.SUBMIT_IMAGES, Permission.OPERATE_QUEUE},
    Role.AUDITOR: frozenset({Permission.READ_JOBS, Permission.READ_AUDIT}),
    Role.ADMIN: frozenset(Permission),
}
"""A table, not a ladder: an auditor sees no image, and a reader submits none."""


class PrincipalKind(StrEnum):
    """What a principal is."""

    USER = "user"
    API_KEY = "api_key"
    AE_TITLE = "ae_title"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Grant:
    """A role at a site, or at every site (:data:`ALL_SITES`)."""

    role: Role
    site: str


@dataclass(frozen=True, slots=True)
class Principal:
    """Who acts, whichever credential proved it.

    Attributes:
        kind: What it is.
        id: Unique within the kind. The audit log names both.
        name: For people.
        grants: They add up.
    """

    kind: PrincipalKind
    id: str
    name: str = field(default="", compare=False)
    grants: tuple[Grant, ...] = field(default=(), compare=False)

    @property
    def _word(self) -> str:
        return "key" if self.kind is PrincipalKind.API_KEY else self.kind.value.replace("_", " ")

    def sites(self, permission: Permission) -> frozenset[str] | None:
        """Return the sites at which the principal holds a permission; None means every site."""
        held = frozenset(
            grant.site for grant in self.grants if permission in PERMISSIONS[grant.role]
        )
        return None if ALL_SITES in held else held

    def holds(self, permission: Permission, site: str | None = None) -> bool:
        """Return whether the principal has a permission at a site; without one, at any."""
        sites = self.sites(permission)
        return sites is None or (bool(sites) if site is None else site in sites)

    def require(self, permission: Permission, site: str | None = None) -> None:
        """Demand a permission at a site; without a site, at any.

        Raises:
            NotPermitted: No grant holds it there.
        """
        if not self.holds(permission):
            roles = ", ".join(dict.fromkeys(grant.role.value for grant in self.grants))
            act = " ".join(_VERBS[permission]).rstrip()
            raise NotPermitted(f"a {self._word} of the role {roles or 'none'} may not {act}")
        if site is not None and not self.holds(permission, site):
            held = ", ".join(sorted(self.sites(permission) or ()))
            verb, what = _VERBS[permission]
            act = f"{verb}s {what}".rstrip()
            raise NotPermitted(f"this {self._word} {act} for site {held} only")

    def site_for(self, permission: Permission, asked: str | None) -> str:
        """Return the site that a request is about.

        Args:
            permission: What the request needs.
            asked: The site that it names, if any.

        Raises:
            NotPermitted: The permission is not held there, or it is held at several sites and none
                was named.
        """
        sites = self.sites(permission)
        if not asked and sites:
            if len(sites) > 1:
                raise NotPermitted(f"name one of the sites {', '.join(sorted(sites))}")
            return next(iter(sites))
        site = asked or DEFAULT_SITE
        self.require(permission, site)
        return site


def system(name: str, *roles: Role) -> Principal:
    """Return a part of Hilum itself, which holds fixed roles at every site."""
    grants = tuple(Grant(role, ALL_SITES) for role in roles)
    return Principal(PrincipalKind.SYSTEM, name, name, grants)


def worker(name: str) -> Principal:
    """Return the worker of a name. It acts on what it claimed and needs no permission."""
    return system(f"worker:{name}")


def local_command(user: str) -> Principal:
    """Return who runs ``hilum`` beside the database, with all that an administrator may do."""
    return system(f"operator:{user}", Role.ADMIN)


RECONCILER: Final = system("reconciler")
JOB_CHANGES: Final = system("job-changes", Role.VIEWER)
"""The watcher of job changes. Each listener is told only of what it may see."""
