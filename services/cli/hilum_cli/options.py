"""Options that several commands share, and what they lead to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import httpx

from hilum.domain.errors import NotFound
from hilum_cli.api_key import find_key
from hilum_cli.failure import USAGE, Failure
from hilum_cli.gateway import Gateway
from hilum_cli.settings import CliSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from hilum.domain.model import ModelManifest
    from hilum_cli.bootstrap import Database, Models

_URL = click.option("--url", help="Address of the gateway [HILUM_API_URL, http://127.0.0.1:8080].")
_API_KEY_FILE = click.option(
    "--api-key-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File that holds the API key [HILUM_API_KEY, .hilum/api-key].",
)

_MODEL_REPOSITORY = click.option(
    "--model-repository",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder of the installed models [HILUM_MODEL_REPOSITORY].",
)

_WHICH_DATABASE = (
    "which database? pass --database-url or set HILUM_DATABASE_URL; "
    "that of `make demo` is sqlite:///.hilum/demo/hilum.db"
)

database_options = click.option(
    "--database-url", help="Address of the database [HILUM_DATABASE_URL]."
)
"""``--database-url``."""


def gateway_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--url`` and ``--api-key-file``."""
    return _URL(_API_KEY_FILE(command))


def model_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--database-url`` and ``--model-repository``."""
    return database_options(_MODEL_REPOSITORY(command))


def gateway_of(url: str | None, api_key_file: Path | None) -> Gateway:
    """The gateway that the options, or else the environment, name.

    Raises:
        Failure: There is no API key, or the address is none.
    """
    opened = gateway_at(url)
    return opened(find_key(api_key_file, CliSettings()))


def gateway_at(url: str | None) -> Callable[[str], Gateway]:
    """Opens the gateway that the option, or else the environment, names, with a key.

    Raises:
        Failure: The address is none.
    """
    address = url or CliSettings().api.url
    wrong = Failure(f"{address} is no address of a gateway: http://host:port is", USAGE)
    if not address.startswith(("http://", "https://")):
        raise wrong

    def opened(key: str) -> Gateway:
        try:
            return Gateway(address, key)
        except httpx.InvalidURL:
            raise wrong from None

    return opened


def database_of(url: str | None) -> Database:
    """The database that the option, or else the environment, names.

    Raises:
        Failure: Neither does.
    """
    address = url or CliSettings().database.plain
    if not address:
        raise Failure(_WHICH_DATABASE, USAGE)
    # Loaded here: a command that talks to the gateway does not wait for SQLAlchemy and Alembic.
    from hilum_cli.bootstrap import open_database  # noqa: PLC0415

    return open_database(address)


def models_of(url: str | None, model_repository: Path | None) -> Models:
    """The installed models, and the database that the option, or else the environment, names.

    Raises:
        Failure: One of them is not named.
    """
    settings = CliSettings()
    address = url or settings.database.plain
    if not address:
        raise Failure(_WHICH_DATABASE, USAGE)
    folder = model_repository or settings.model.repository
    if folder is None:
        raise Failure(
            "which models? pass --model-repository or set HILUM_MODEL_REPOSITORY; "
            "those of `make demo` are in model_repository",
            USAGE,
        )
    from hilum_cli.bootstrap import open_models  # noqa: PLC0415

    return open_models(address, folder, settings.inference.url)


def version_of(opened: Models, site: str, panel: str, version: str | None) -> ModelManifest:
    """Return the version of the model that gives a panel: the one asked for, or that in force.

    Raises:
        NotFound: No model in force gives the panel, or the version is not installed.
    """
    found = opened.of_site.of_site(site).panel(panel)
    if found is None:
        raise NotFound(f"no model in force at site {site} reads a panel {panel}")
    return opened.manage.version(found[0].name, version) if version else found[0]
