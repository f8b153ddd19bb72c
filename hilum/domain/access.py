"""Who may do what: API keys, roles and sites."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from hilum.domain.errors import NotPermitted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

ALL_SITES: Final = "*"
"""Site of a key that is not bound to one."""

DEFAULT_SITE: Final = "default"
"""Site of a film that was submitted without one by a key that is not bound to one."""


class Role(StrEnum):
    """What a key is for. Each role may do all that the one before it may."""

    VIEWER = "viewer"
    SUBMITTER = "submitter"
    OPERATOR = "operator"
    ADMIN = "admin"


class Permission(StrEnum):
    """One thing that a request may need."""

    READ = "read"
    SUBMIT = "submit"
    OPERATE = "operate"
    ADMINISTER = "administer"


PERMISSIONS: Final[Mapping[Role, frozenset[Permission]]] = {
    Role.VIEWER: frozenset({Permission.READ}),
    Role.SUBMITTER: frozenset({Permission.READ, Permission.SUBMIT}),
    Role.OPERATOR: frozenset({Permission.READ, Permission.SUBMIT, Permission.OPERATE}),
    Role.ADMIN: frozenset(Permission),
}


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as stored: its digest, never the key itself.

    Attributes:
        id: Public identifier, the part of the key before the dot.
        name: For people.
        role: What it may do.
        site: Site it is bound to, or :data:`ALL_SITES`.
        digest: Hex SHA-256 of the secret part. The secret has 256 random bits, so a slow
            password hash would protect nothing (OWASP ASVS 2.10 asks that of passwords).
        created_at: UTC.
        revoked_at: UTC, or None.
    """

    id: str
    name: str
    role: Role
    site: str
    digest: str
    created_at: datetime
    revoked_at: datetime | None = None

    def matches(self, secret: str) -> bool:
        """Whether this is the key's secret, compared in constant time."""
        return self.revoked_at is None and hmac.compare_digest(self.digest, digest_secret(secret))

    def require(self, permission: Permission) -> None:
        """Demand a permission.

        Raises:
            NotPermitted: The role does not hold it.
        """
        if permission not in PERMISSIONS[self.role]:
            raise NotPermitted(f"a key of the role {self.role.value} may not {permission.value}")

    def sees(self, site: str) -> bool:
        """Whether things of this site exist for this key."""
        return self.site in (ALL_SITES, site)

    def site_for(self, asked: str | None) -> str:
        """The site of a new study.

        Raises:
            NotPermitted: Another site than the one the key is bound to.
        """
        if self.site == ALL_SITES:
            return asked or DEFAULT_SITE
        if asked not in (None, "", self.site):
            raise NotPermitted(f"this key submits for site {self.site} only")
        return self.site


def digest_secret(secret: str) -> str:
    """Hex SHA-256 of the secret part of a key."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_key_text() -> tuple[str, str]:
    """A fresh ``(id, secret)``; a client sends them as ``hilum_<id>.<secret>``."""
    return secrets.token_hex(6), secrets.token_urlsafe(32)


def format_key(key_id: str, secret: str) -> str:
    """The key as a client sends it."""
    return f"hilum_{key_id}.{secret}"


def parse_key(text: str) -> tuple[str, str] | None:
    """``(id, secret)`` of a key as sent, or None if it does not look like one."""
    prefix, _, rest = text.strip().partition("_")
    key_id, _, secret = rest.partition(".")
    # What is not a plain word never reaches the database.
    if prefix != "hilum" or not text.isascii() or not key_id.isalnum() or not secret:
        return None
    return key_id, secret
