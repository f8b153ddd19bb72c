"""Credentials: keys and sessions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilum.domain.access import (
    ApiKey,
    Session,
    digest_secret,
    format_key,
    new_key_text,
    parse_key,
)
from hilum.domain.principal import ALL_SITES, Grant, PrincipalKind, Role

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def key(role: Role = Role.ADMIN, site: str = ALL_SITES, **more: datetime) -> ApiKey:
    return ApiKey("abc", "n", role, site, digest_secret("secret"), created_at=NOW, **more)


def test_a_key_acts_as_its_role_at_its_site():
    """The principal of a key has the key's id, name and one grant."""
    principal = key(Role.OPERATOR, "north").principal
    assert (principal.kind, principal.id, principal.name) == (PrincipalKind.API_KEY, "abc", "n")
    assert principal.grants == (Grant(Role.OPERATOR, "north"),)


@pytest.mark.parametrize(
    ("seconds", "ended", "is_open"), [(9, False, True), (10, False, False), (9, True, False)]
)
def test_a_session_is_open_until_it_expires_or_is_ended(seconds, ended, is_open):
    """The moment of expiry is after its end."""
    until = NOW + timedelta(seconds=10)
    session = Session("d", PrincipalKind.API_KEY, "abc", NOW, until, NOW if ended else None)
    assert session.is_open(NOW + timedelta(seconds=seconds)) is is_open


def test_only_the_secret_of_a_key_that_is_not_revoked_matches():
    """Neither another secret nor a revoked key."""
    assert key().matches("secret")
    assert not key().matches("secret ")
    assert not key(revoked_at=NOW).matches("secret")


def test_a_new_key_reads_back_and_is_unlike_the_next():
    """What is shown once is what is understood later."""
    made = [new_key_text() for _ in range(50)]
    assert len(set(made)) == 50
    for key_id, secret in made:
        assert parse_key(f" {format_key(key_id, secret)}\n") == (key_id, secret)
        assert len(secret) >= 43  # 256 random bits in base64


@pytest.mark.parametrize(
    "text",
    [
        *("", "hilum", "hilum_", "hilum_a", "hilum_a.", "hilum_.b", "other_a.b", "Hilum_a.b"),
        *("hilum_a\0b.c", "hilum_a b.c", "hilum_ä.c", "hilum_a.\ud800", "hilum_a.é"),
    ],
)
def test_what_does_not_look_like_a_key_is_none(text):
    """Malformed text, among it what no database takes as text, is refused before one sees it."""
    assert parse_key(text) is None


@given(st.text())
def test_any_text_parses_or_not_without_an_error(text):
    """Whoever sends garbage gets a refusal, not a server error."""
    parsed = parse_key(text)
    if parsed is not None:
        assert key().matches(parsed[1]) == (parsed[1] == "secret")
