"""Keys: shown once, checked by digest, revoked at once."""

from __future__ import annotations

import pytest

from hilum.domain.access import ALL_SITES, Role, parse_key
from hilum.domain.errors import NotAuthenticated, NotFound
from tests.unit.application.stage import Stage


@pytest.fixture
def stage() -> Stage:
    return Stage()


def make(stage: Stage, role: Role = Role.VIEWER, **more: object):
    return stage.keys.create("desk", role, "operator:me", **more)


def test_a_key_that_was_made_authenticates(stage):
    """As what it was made for."""
    text = make(stage, Role.SUBMITTER, site="north")
    key = stage.keys.authenticate(text)
    assert (key.name, key.role, key.site) == ("desk", Role.SUBMITTER, "north")
    assert stage.keys.by_id(key.id) == key


def test_the_database_and_the_log_hold_no_secret(stage):
    """A digest, a name, an id."""
    text = make(stage)
    key_id, secret = parse_key(text)
    held = repr(stage.keys.all()) + repr(stage.events())
    assert key_id in held
    assert secret not in held
    event = stage.events()[-1]
    assert (event.actor, event.action, event.object_id) == (
        "operator:me",
        "api_key.created",
        key_id,
    )
    assert event.details == {"name": "desk", "role": "viewer", "site": ALL_SITES}


def test_a_first_key_is_made_once(stage):
    """A second start of the same stack makes none."""
    assert make(stage, only_if_none=True)
    assert make(stage, only_if_none=True) is None
    assert len(stage.keys.all()) == 1
    assert stage.actions() == ["api_key.created"]


def test_where_every_key_is_revoked_a_first_one_is_made_again(stage):
    """Otherwise nobody could get in."""
    first = stage.keys.authenticate(make(stage))
    stage.keys.revoke(first.id, "operator:me")
    assert make(stage, only_if_none=True)


def test_wrong_malformed_unknown_and_revoked_keys_are_told_apart_by_nobody(stage):
    """One answer for all of them."""
    good = make(stage)
    revoked = make(stage)
    stage.keys.revoke(parse_key(revoked)[0], "operator:me")
    unknown = f"hilum_{'0' * 12}.{parse_key(good)[1]}"
    told = set()
    for text in ("", "Bearer x", good + "x", unknown, revoked):
        with pytest.raises(NotAuthenticated) as refusal:
            stage.keys.authenticate(text)
        told.add(refusal.value.detail)
    assert len(told) == 1
    assert stage.keys.authenticate(good)


def test_a_revoked_key_stops_working_at_once(stage):
    """For requests and for sessions, and the log has who did it."""
    text = make(stage)
    key = stage.keys.authenticate(text)
    assert stage.keys.revoke(key.id, "operator:you").revoked_at == stage.clock.now()
    with pytest.raises(NotAuthenticated):
        stage.keys.authenticate(text)
    with pytest.raises(NotAuthenticated):
        stage.keys.by_id(key.id)
    assert (stage.events()[-1].actor, stage.actions()[-1]) == ("operator:you", "api_key.revoked")


def test_a_key_is_revoked_once(stage):
    """Nor can one be that there is not."""
    key = stage.keys.authenticate(make(stage))
    stage.keys.revoke(key.id, "operator:me")
    for key_id in (key.id, "nobody"):
        with pytest.raises(NotFound):
            stage.keys.revoke(key_id, "operator:me")
    assert stage.actions().count("api_key.revoked") == 1


def test_every_key_is_listed_oldest_first(stage):
    """Revoked ones too."""
    made = []
    for _ in range(3):
        made.append(parse_key(make(stage))[0])
        stage.advance(1)
    stage.keys.revoke(made[1], "operator:me")
    assert [key.id for key in stage.keys.all()] == made
