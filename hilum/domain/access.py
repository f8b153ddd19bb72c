"""Credentials: what proves who acts. What they may do is said by their principal."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hilum.domain.principal import Grant, Principal, PrincipalKind, Role

if TYPE_CHECKING:
    from datetime import datetime

FIRST_ROLES: Final = (Role.VIEWER, Role.SUBMITTER, Role.OPERATOR, Role.ADMIN)
"""Roles that a row of ``api_keys`` may name: releases before schema 0009 know no others."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as stored: its digest, never the key itself.

    Attributes:
        id: Public identifier, the part of the key before the dot.
        name: For people.
        role: What it may do.
        site: Site it is bound to, or :data:`hilum.domain.principal.ALL_SITES`.
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

    @property
    def principal(self) -> Principal:
        """Who acts with this key."""
        grants = (Grant(self.role, self.site),)
        return Principal(PrincipalKind.API_KEY, self.id, self.name, grants)

    def matches(self, secret: str) -> bool:
        """Return whether this is the key's secret, compared in constant time."""
        return self.revoked_at is None and hmac.compare_digest(self.digest, digest_secret(secret))


@dataclass(frozen=True, slots=True)
class Session:
    """A session of a person, as stored.

    Attributes:
        id_digest: Hex SHA-256 of the random id in the cookie.
        principal_kind: Kind of who signed in.
        principal_id: Id of who signed in.
        created_at: UTC.
        expires_at: UTC.
        revoked_at: Time of the sign-out, UTC, or None.
    """

    id_digest: str
    principal_kind: PrincipalKind
    principal_id: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None

    def is_open(self, now: datetime) -> bool:
        """Return whether it has neither expired nor been ended."""
        return self.revoked_at is None and now < self.expires_at


def digest_secret(secret: str) -> str:
    """Return the hex SHA-256 of the secret part of a credential."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_key_text() -> tuple[str, str]:
    """Return a fresh ``(id, secret)``. A client sends them as ``hilum_<id>.<secret>``."""
    return secrets.token_hex(6), secrets.token_urlsafe(32)


def new_session_id() -> str:
    """Return a fresh id of a session, 256 random bits."""
    return secrets.token_urlsafe(32)


def format_key(key_id: str, secret: str) -> str:
    """Return a key as a client sends it."""
    return f"hilum_{key_id}.{secret}"


def parse_key(text: str) -> tuple[str, str] | None:
    """Return ``(id, secret)`` of a key as sent, or None if it does not look like one."""
    prefix, _, rest = text.strip().partition("_")
    key_id, _, secret = rest.partition(".")
    # What is not a plain word never reaches the database.
    if prefix != "hilum" or not text.isascii() or not key_id.isalnum() or not secret:
        return None
    return key_id, secret
