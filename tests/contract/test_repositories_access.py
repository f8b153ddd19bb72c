"""What the repositories of keys and sessions promise, on every database and for two releases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from hilum.adapters.postgres.engine import create_database_engine
from hilum.adapters.postgres.unit_of_work import SqlUnitOfWork
from hilum.domain.access import FIRST_ROLES, ApiKey, Session
from hilum.domain.errors import InternalError
from hilum.domain.principal import PrincipalKind, Role
from tests.contract.samples import NOW, seconds

if TYPE_CHECKING:
    from hilum.application.ports.unit_of_work import Transaction, UnitOfWork


def _key(number: int, role: Role = Role.OPERATOR, site: str = "*") -> ApiKey:
    return ApiKey(f"key-{number}", "Reading room", role, site, "cd" * 32, NOW + seconds(number))


def _add(transaction: Transaction, key: ApiKey) -> None:
    transaction.api_keys.add(key, granted_by="operator:a")


def test_keys_come_back_oldest_first(unit_of_work: UnitOfWork) -> None:
    """One by its id, all by age; an unknown one is None."""
    with unit_of_work.begin() as transaction:
        for number in (2, 1, 3):
            _add(transaction, _key(number))
    with unit_of_work.begin(write=False) as transaction:
        assert transaction.api_keys.get("key-2") == _key(2)
        assert transaction.api_keys.get("key-9") is None
        assert transaction.api_keys.all() == [_key(1), _key(2), _key(3)]


def test_a_key_is_revoked_once(unit_of_work: UnitOfWork) -> None:
    """It stays readable; revoking it again, or one that is not there, gives None."""
    with unit_of_work.begin() as transaction:
        _add(transaction, _key(1, Role.AUDITOR))
        revoked = transaction.api_keys.revoke("key-1", NOW)
        assert revoked == replace(_key(1, Role.AUDITOR), revoked_at=NOW)
        assert transaction.api_keys.revoke("key-1", NOW + seconds(1)) is None
        assert transaction.api_keys.revoke("key-2", NOW) is None
    with unit_of_work.begin(write=False) as transaction:
        assert transaction.api_keys.get("key-1") == revoked


def test_a_key_id_is_used_once(unit_of_work: UnitOfWork) -> None:
    """The same id again is a defect."""
    with unit_of_work.begin() as transaction:
        _add(transaction, _key(1))
    with pytest.raises(InternalError), unit_of_work.begin() as transaction:
        _add(transaction, replace(_key(2), id="key-1"))


def test_a_key_of_each_role_comes_back_as_it_was(unit_of_work: UnitOfWork) -> None:
    """Also of a role that the previous release does not know, at a site or at all of them."""
    keys = [
        _key(number, role, site)
        for number, (role, site) in enumerate((r, s) for r in Role for s in ("*", "north"))
    ]
    with unit_of_work.begin() as transaction:
        for key in keys:
            _add(transaction, key)
    with unit_of_work.begin(write=False) as transaction:
        assert transaction.api_keys.all() == keys
        assert [transaction.api_keys.get(key.id) for key in keys] == keys


def test_the_previous_release_reads_every_key(database_url: str) -> None:
    """A role that it does not know is a viewer's to it, and the grant has the whole."""
    engine = create_database_engine(database_url)
    unit_of_work = SqlUnitOfWork(engine)
    with unit_of_work.begin() as transaction:
        for number, role in enumerate(Role):
            _add(transaction, _key(number, role, "north"))
    with engine.connect() as connection:
        stored = connection.exec_driver_sql("SELECT role FROM api_keys ORDER BY id").scalars().all()
        grants = connection.exec_driver_sql(
            "SELECT principal_kind, principal_id, role, site, granted_by, revoked_at"
            " FROM role_grants ORDER BY role"
        ).all()
    engine.dispose()
    assert stored == [role.value if role in FIRST_ROLES else "viewer" for role in Role]
    assert [tuple(grant) for grant in grants] == [
        ("api_key", "key-4", "auditor", "north", "operator:a", None),
        ("api_key", "key-1", "reader", "north", "operator:a", None),
    ]


def test_a_key_that_the_previous_release_made_or_revoked_is_read(database_url: str) -> None:
    """It names its own columns alone, and revokes a key of any role."""
    engine = create_database_engine(database_url)
    unit_of_work = SqlUnitOfWork(engine)
    with unit_of_work.begin() as transaction:
        _add(transaction, _key(1, Role.AUDITOR))
    with engine.begin() as connection:
        moment = NOW if engine.dialect.name == "postgresql" else NOW.astimezone(UTC).isoformat(" ")
        moment = moment if not isinstance(moment, str) else moment.removesuffix("+00:00")
        connection.execute(
            sa.text(
                "INSERT INTO api_keys (id, name, role, site, digest, created_at) VALUES"
                " ('key-2', 'Reading room', 'submitter', 'north', :digest, :moment)"
            ),
            {"digest": "cd" * 32, "moment": moment},
        )
        connection.execute(
            sa.text("UPDATE api_keys SET revoked_at = :moment WHERE id = 'key-1'"),
            {"moment": moment},
        )
    with unit_of_work.begin(write=False) as transaction:
        made, revoked = transaction.api_keys.get("key-2"), transaction.api_keys.get("key-1")
    engine.dispose()
    assert made == replace(_key(2, Role.SUBMITTER, "north"), created_at=NOW)
    assert revoked == replace(_key(1, Role.AUDITOR), revoked_at=NOW)


def _session(number: int, **changes: object) -> Session:
    one = Session(f"{number:064}", PrincipalKind.API_KEY, "key-1", NOW, NOW + seconds(number))
    return replace(one, **changes)  # type: ignore[arg-type]


def test_a_session_comes_back_as_it_was(unit_of_work: UnitOfWork) -> None:
    """By its digest, of every kind of principal; an unknown one is None."""
    kept = [_session(n, principal_kind=kind) for n, kind in enumerate(PrincipalKind, start=1)]
    with unit_of_work.begin() as transaction:
        for session in kept:
            transaction.sessions.add(session)
    with unit_of_work.begin(write=False) as transaction:
        assert [transaction.sessions.get(one.id_digest) for one in kept] == kept
        assert transaction.sessions.get("unknown") is None


def test_a_session_that_is_there_stays_as_it_is(unit_of_work: UnitOfWork) -> None:
    """Adding it again, as two sign-outs at once do, changes nothing."""
    with unit_of_work.begin() as transaction:
        transaction.sessions.add(_session(1, revoked_at=NOW))
        transaction.sessions.add(_session(1))
        assert transaction.sessions.get(_session(1).id_digest) == _session(1, revoked_at=NOW)


def test_a_session_is_ended_once(unit_of_work: UnitOfWork) -> None:
    """The first end stays; one that is not there is no error."""
    digest = _session(9).id_digest
    with unit_of_work.begin() as transaction:
        transaction.sessions.add(_session(9))
        for moment in (NOW, NOW + seconds(1)):
            transaction.sessions.revoke(digest, moment)
        transaction.sessions.revoke("unknown", NOW)
    with unit_of_work.begin(write=False) as transaction:
        assert transaction.sessions.get(digest) == _session(9, revoked_at=NOW)


def test_ended_and_expired_sessions_are_told_and_removed(unit_of_work: UnitOfWork) -> None:
    """At the moment of expiry a session has expired. One without a row is not among the ended."""
    kept = [_session(1), _session(2), _session(3, revoked_at=NOW), _session(4)]
    now = NOW + seconds(2)
    with unit_of_work.begin() as transaction:
        for session in kept:
            transaction.sessions.add(session)
        asked = [*(session.id_digest for session in kept), "unknown"]
        over = {session.id_digest for session in kept[:3]}
        assert transaction.sessions.ended(asked, now) == over
        assert transaction.sessions.ended([], now) == frozenset()
        transaction.sessions.remove_expired(now)
        left = [transaction.sessions.get(session.id_digest) for session in kept]
    assert left == [None, None, kept[2], kept[3]]
