"""Sessions end on the server."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hilum.application.access.manage_sessions import SESSION_LENGTH, ManageSessions
from hilum.domain.access import digest_secret, parse_key
from hilum.domain.errors import NotAuthenticated
from hilum.domain.principal import Principal, PrincipalKind, Role
from tests.unit.application.stage import ME, Stage


class Desk(Stage):
    """A stage at which people sign in."""

    def __init__(self) -> None:
        super().__init__()
        self.sessions = ManageSessions(unit_of_work=self.unit_of_work, clock=self.clock)
        self.text = self.keys.create("desk", Role.VIEWER, ME)
        self.person = self.keys.authenticate(self.text)

    def kept(self) -> set[str]:
        return set(self.unit_of_work._rows.sessions)  # noqa: SLF001 - what is stored


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_session_is_of_who_signed_in(desk):
    """The role is looked up with every request, and the id itself is not stored."""
    session_id, ends = desk.sessions.open(desk.person)
    found = desk.sessions.principal(session_id)
    assert (found, found.grants) == (desk.person, desk.person.grants)
    assert ends == desk.clock.now() + SESSION_LENGTH
    assert desk.kept() == {digest_secret(session_id)}


@pytest.mark.parametrize("end", ["close", "expire", "revoke"])
def test_a_session_that_has_ended_opens_nothing(desk, end):
    """After the sign-out, after its time, and after its key was revoked."""
    session_id, _ = desk.sessions.open(desk.person)
    other, _ = desk.sessions.open(desk.person)
    if end == "close":
        desk.sessions.close(session_id)
        assert desk.sessions.principal(other) == desk.person
    elif end == "expire":
        desk.clock.advance(SESSION_LENGTH)
    else:
        desk.keys.revoke(desk.person.id, ME)
    with pytest.raises(NotAuthenticated):
        desk.sessions.principal(session_id)


def test_an_unknown_session_opens_nothing(desk):
    """Nor does the digest of one, which who reads the database has."""
    session_id, _ = desk.sessions.open(desk.person)
    for unknown in ("", "x", digest_secret(session_id)):
        with pytest.raises(NotAuthenticated):
            desk.sessions.principal(unknown)


def test_a_session_of_the_previous_release_has_a_row_once_it_is_ended(desk):
    """Until then the key that its cookie names is enough."""
    key_id, _ = parse_key(desk.text)
    assert desk.sessions.principal("former", key_id) == desk.person
    assert desk.kept() == set()
    desk.sessions.close_former("former", key_id, desk.clock.now() + timedelta(hours=1))
    desk.sessions.close_former("former", key_id, desk.clock.now() + timedelta(hours=1))
    with pytest.raises(NotAuthenticated):
        desk.sessions.principal("former", key_id)
    assert desk.sessions.principal("another", key_id) == desk.person


def test_a_session_of_another_kind_is_not_taken_for_a_keys(desk):
    """Ids are unique within a kind only."""
    session_id, _ = desk.sessions.open(Principal(PrincipalKind.USER, desk.person.id))
    with pytest.raises(NotAuthenticated):
        desk.sessions.principal(session_id)


def test_expired_sessions_are_removed_at_the_next_sign_in(desk):
    """The table holds a day's sign-ins, not those of years."""
    desk.sessions.open(desk.person)
    desk.clock.advance(SESSION_LENGTH)
    later, _ = desk.sessions.open(desk.person)
    assert desk.kept() == {digest_secret(later)}


def test_what_a_stream_was_opened_with_ends(desk):
    """By key or session: revoked, signed out and expired; a session without a row goes on."""
    gone, _ = desk.sessions.open(desk.person)
    open_, _ = desk.sessions.open(desk.person)
    desk.sessions.close(gone)
    key = desk.person.id
    held = {(key, ""), (key, digest_secret(gone)), (key, digest_secret(open_)), (key, "former")}
    assert desk.sessions.ended(held) == {(key, digest_secret(gone))}
    assert desk.sessions.ended([("nobody", "")]) == {("nobody", "")}
    desk.clock.advance(SESSION_LENGTH)
    assert (key, digest_secret(open_)) in desk.sessions.ended(held)
    desk.keys.revoke(key, ME)
    assert desk.sessions.ended(held) == held
