"""Who may do what."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilum.domain.access import (
    ALL_SITES,
    DEFAULT_SITE,
    PERMISSIONS,
    ApiKey,
    Permission,
    Role,
    digest_secret,
    format_key,
    new_key_text,
    parse_key,
)
from hilum.domain.errors import NotPermitted

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def key(role: Role = Role.ADMIN, site: str = ALL_SITES, **more: datetime) -> ApiKey:
    return ApiKey("abc", "n", role, site, digest_secret("secret"), created_at=NOW, **more)


def test_each_role_may_do_all_that_the_one_before_it_may():
    """Viewer, submitter, operator, admin: a ladder."""
    ladder = [PERMISSIONS[role] for role in Role]
    assert all(lower < higher for lower, higher in pairwise(ladder))
    assert ladder[-1] == set(Permission)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("permission", Permission)
def test_a_key_does_what_its_role_permits_and_nothing_else(role, permission):
    """A missing permission raises, and says which role lacked which."""
    if permission in PERMISSIONS[role]:
        key(role).require(permission)
    else:
        told = f"of the role {role.value} may not {permission.value}"
        with pytest.raises(NotPermitted, match=told):
            key(role).require(permission)


def test_a_key_sees_its_own_site_or_all():
    """A key that is bound to a site sees that one alone."""
    assert key(site="north").sees("north")
    assert not key(site="north").sees("south")
    assert key(site=ALL_SITES).sees("south")


def test_a_bound_key_submits_for_its_site_alone():
    """Asked for nothing or for its own site it gives its own; for another it refuses."""
    bound = key(site="north")
    assert [bound.site_for(asked) for asked in (None, "", "north")] == ["north"] * 3
    with pytest.raises(NotPermitted, match="north"):
        bound.site_for("south")
    with pytest.raises(NotPermitted):
        bound.site_for(ALL_SITES)


def test_an_unbound_key_submits_for_the_site_it_names_or_the_default():
    """No site asked for is the default site."""
    assert key().site_for("south") == "south"
    assert key().site_for(None) == DEFAULT_SITE


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
