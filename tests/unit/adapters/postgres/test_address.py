"""Addresses of databases, as operators write them."""

from __future__ import annotations

import logging

import pytest

from hilum.adapters.postgres import address
from hilum.adapters.postgres.address import read_address, settings_in
from hilum.domain.errors import InternalError

SECRET = "hunter2"
PARAMETERS = "sslmode=require&connect_timeout=7&options=-c%20search_path%3Dhilum"


@pytest.fixture(autouse=True)
def unwarned() -> None:
    """Forget that this process has warned."""
    address._warn_of_former_driver.cache_clear()  # noqa: SLF001 - once a process, so once a test run


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg", "postgresql+psycopg2"])
def test_every_spelling_means_the_driver_of_this_release(scheme: str) -> None:
    """All parts but the driver stay as they are written."""
    rest = f"hilum:{SECRET}@db:6432/hilum?{PARAMETERS}"
    url = read_address(f"{scheme}://{rest}")
    assert url.render_as_string(hide_password=False) == read_address(
        f"postgresql+psycopg://{rest}"
    ).render_as_string(hide_password=False)
    assert (url.drivername, url.password, url.port) == ("postgresql+psycopg", SECRET, 6432)
    assert url.query == {
        "sslmode": "require",
        "connect_timeout": "7",
        "options": "-c search_path=hilum",
    }


def test_the_former_driver_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    """One line a process, without the password; the other spellings give none."""
    with caplog.at_level(logging.WARNING):
        read_address(f"postgresql://hilum:{SECRET}@db/hilum")
        assert caplog.messages == []
        for _ in range(3):
            read_address(f"postgresql+psycopg2://hilum:{SECRET}@db/hilum")
    (record,) = caplog.records
    assert (record.message, record.former) == ("address.rewritten", "postgresql+psycopg2")
    assert "postgresql://" in record.detail
    assert SECRET not in str(vars(record))


@pytest.mark.parametrize(
    "text",
    [
        f"postgresql+asyncpg://u:{SECRET}@h/d",
        f"mysql://u:{SECRET}@h/d",
        f"postgresql//u:{SECRET}@h",
        "",
    ],
)
def test_another_driver_or_database_is_refused(text: str) -> None:
    """The error holds no password."""
    with pytest.raises(InternalError) as caught:
        read_address(text)
    assert SECRET not in str(caught.value)


def test_sqlite_stays_as_it_is() -> None:
    """A file's address is not changed."""
    assert str(read_address("sqlite:////var/lib/hilum.db")) == "sqlite:////var/lib/hilum.db"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", set()),
        ("-c statement_timeout=5000", {"statement_timeout"}),
        ("-cstatement_timeout=5s -c  Lock_Timeout=1", {"statement_timeout", "lock_timeout"}),
        ("--lock-timeout=1 --search_path=hilum", {"lock_timeout", "search_path"}),
        ("-c my.setting=--x", {"my.setting"}),
    ],
)
def test_settings_in_the_options_are_found(options: str, expected: set[str]) -> None:
    """Each spelling that the server takes in ``options`` gives the name of its setting."""
    url = read_address("postgresql://h/d").update_query_dict({"options": options})
    assert settings_in(url) == expected
