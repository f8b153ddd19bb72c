"""The address of a database, as operators write it."""

from __future__ import annotations

import logging
import re
from functools import cache
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
from sqlalchemy import exc

from hilum.domain.errors import InternalError

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

_LOG = logging.getLogger(__name__)
_POSTGRESQL: Final = "postgresql+psycopg"
_FORMER: Final = "postgresql+psycopg2"
_SETTING: Final = re.compile(r"(?:-c\s*|--)([\w.-]+)\s*=")


def read_address(text: str) -> URL:
    """Return the address of a database, with the driver that this release uses.

    ``postgresql://`` and ``postgresql+psycopg://`` mean the same. ``postgresql+psycopg2://``,
    which releases before 0.3 needed, is rewritten, and a warning is logged once.

    Raises:
        InternalError: The text is no address, or names another database or driver.
    """
    try:
        url = sa.make_url(text)
    except exc.ArgumentError:
        # The text of the error would show the URL, and the URL holds a password.
        raise InternalError("the database URL cannot be read") from None
    match url.drivername:
        case "sqlite" | "sqlite+pysqlite":
            return url
        case "postgresql" | "postgresql+psycopg":
            return url.set(drivername=_POSTGRESQL)
        case "postgresql+psycopg2":
            _warn_of_former_driver()
            return url.set(drivername=_POSTGRESQL)
        case other:
            raise InternalError(
                f"{other} is not supported: use PostgreSQL (postgresql://) or SQLite (sqlite:///)"
            )


def settings_in(url: URL) -> frozenset[str]:
    """Return the names of the server's settings that the address itself gives in ``options``."""
    options = url.query.get("options", ())
    given = [options] if isinstance(options, str) else options
    return frozenset(
        name.replace("-", "_").lower() for text in given for name in _SETTING.findall(text)
    )


@cache
def _warn_of_former_driver() -> None:
    facts = {"former": _FORMER, "detail": "write postgresql:// instead of the former driver"}
    _LOG.warning("address.rewritten", extra=facts)
