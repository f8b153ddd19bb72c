"""Keys: shown once, checked by digest, revoked at once."""

from __future__ import annotations

import pytest

from hilum.domain.access import parse_key
from hilum.domain.errors import NotAuthenticated, NotFound, NotPermitted
from hilum.domain.principal import ALL_SITES, Grant, PrincipalKind, Role, local_command
from tests.unit.application.stage import ME, Stage
from tests.unit.application.stage import key as by


@pytest.fixture
def stage() -> Stage:
    return Stage()


def make(stage: Stage, role: Role = Role.VIEWER, **more: object):
    return stage.keys.create("desk", role, ME, **more)


def test_a_key_that_was_made_authenticates(stage):
    """As what it was made for."""
    text = make(stage, Role.SUBMITTER, site="north")
    principal = stage.keys.authenticate(text)
    assert (principal.kind, principal.name) == (PrincipalKind.API_KEY, "desk")
    assert principal.grants == (Grant(Role.SUBMITTER, "north"),)


def test_the_database_and_the_log_hold_no_secret(stage):
    """A digest, a name, an id."""
    text = make(stage)
    key_id, secret = parse_key(text)
    held = repr(stage.keys.all(ME)) + repr(stage.events())
    assert key_id in held
    assert secret not in held
    event = stage.events()[-1]
    assert (event.actor, event.action, event.object_id) == (
        ME,
        "api_key.created",
        key_id,
    )
    assert event.details == {"name": "desk", "role": "viewer", "site": ALL_SITES}


def test_a_first_key_is_made_once(stage):
    """A second start of the same stack makes none."""
    assert make(stage, only_if_none=True)
    assert make(stage, only_if_none=True) is None
    assert len(stage.keys.all(ME)) == 1
    assert stage.actions() == ["api_key.created"]


def test_where_every_key_is_revoked_a_first_one_is_made_again(stage):
    """Otherwise nobody could get in."""
    first = stage.keys.authenticate(make(stage))
    stage.keys.revoke(first.id, ME)
    assert make(stage, only_if_none=True)


def test_wrong_malformed_unknown_and_revoked_keys_are_told_apart_by_nobody(stage):
    """One answer for all of them."""
    good = make(stage)
    revoked = make(stage)
    stage.keys.revoke(parse_key(revoked)[0], ME)
    unknown = f"hilum_{'0' * 12}.{parse_key(good)[1]}"
    told = set()
    for text in ("", "Bearer x", good + "x", unknown, revoked):
        with pytest.raises(NotAuthenticated) as refusal:
            stage.keys.authenticate(text)
        told.add(refusal.value.detail)
    assert len(told) == 1
    assert stage.keys.authenticate(good)


def test_a_revoked_key_stops_working_at_once(stage):
    """And the log has who did it."""
    text = make(stage)
    key = stage.keys.authenticate(text)
    assert stage.keys.revoke(key.id, local_command("you")).revoked_at == stage.clock.now()
    with pytest.raises(NotAuthenticated):
        stage.keys.authenticate(text)
    assert (stage.events()[-1].actor, stage.actions()[-1]) == (
        local_command("you"),
        "api_key.revoked",
    )


def test_a_key_is_revoked_once(stage):
    """Nor can one be that there is not."""
    key = stage.keys.authenticate(make(stage))
    stage.keys.revoke(key.id, ME)
    for key_id in (key.id, "nobody"):
        with pytest.raises(NotFound):
            stage.keys.revoke(key_id, ME)
    assert stage.actions().count("api_key.revoked") == 1


def test_every_key_is_listed_oldest_first(stage):
    """Revoked ones too."""
    made = []
    for _ in range(3):
        made.append(parse_key(make(stage))[0])
        stage.advance(1)
    stage.keys.revoke(made[1], ME)
    assert [key.id for key in stage.keys.all(ME)] == made


def test_who_manages_access_at_a_site_rules_over_its_keys_alone(stage):
    """Keys of other sites and of all sites are not made, seen or revoked."""
    north = by(Role.ADMIN, "north")
    others = [parse_key(make(stage, site=site))[0] for site in ("south", ALL_SITES)]
    own = stage.keys.create("x", Role.ADMIN, north, site="north")
    for site in ("south", ALL_SITES):
        with pytest.raises(NotPermitted):
            stage.keys.create("x", Role.VIEWER, north, site=site)
    assert [key.id for key in stage.keys.all(north)] == [parse_key(own)[0]]
    for key_id in others:
        with pytest.raises(NotFound):
            stage.keys.revoke(key_id, north)
    assert stage.keys.revoke(parse_key(own)[0], north)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
def test_who_does_not_manage_access_does_nothing_with_keys(stage, role):
    """Neither make, nor list, nor revoke."""
    key_id = parse_key(make(stage))[0]
    for ask in (
        lambda: stage.keys.create("x", Role.VIEWER, by(role)),
        lambda: stage.keys.all(by(role)),
        lambda: stage.keys.revoke(key_id, by(role)),
    ):
        with pytest.raises(NotPermitted):
            ask()
    assert stage.actions() == ["api_key.created"]
