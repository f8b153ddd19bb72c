"""A real gateway and a real worker on the embedded adapters, and the command to talk to them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from hilum_cli.main import hilum
from hilum_stack.embedded import EmbeddedStack
from tests.grey_networks import write_grey_repository

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from click.testing import Result


@dataclass
class Command:
    """The ``hilum`` command in a folder of its own."""

    folder: Path

    def __call__(self, *arguments: object, **environment: str) -> Result:
        """Run it as a person would, without a terminal."""
        runner = CliRunner(env={**dict.fromkeys(_OURS), **environment})
        return runner.invoke(hilum, [str(argument) for argument in arguments])


_OURS = [name for name in os.environ if name.startswith("HILUM_")]


@pytest.fixture
def command(tmp_path, monkeypatch) -> Command:
    monkeypatch.chdir(tmp_path)
    return Command(tmp_path)


@pytest.fixture
def database(tmp_path) -> str:
    """Address of a database that does not exist yet."""
    return f"sqlite:///{tmp_path}/hilum.db"


@pytest.fixture(scope="session")
def stack(tmp_path_factory) -> Iterator[EmbeddedStack]:
    """Gateway and worker; small limits, so that a test can go over them."""
    limits = {"HILUM_UPLOAD_MAX_FILES": "3", "HILUM_IMAGE_MAX_BYTES": str(4 * 1024 * 1024)}
    folder = tmp_path_factory.mktemp("stack")
    models = write_grey_repository(tmp_path_factory.mktemp("models"))
    with EmbeddedStack(folder, env=limits, model_repository=models) as running:
        yield running


@pytest.fixture
def client(command, stack):
    """The command with the running gateway's address and admin key."""

    def run(*arguments: object, **environment: str) -> Result:
        known = {"HILUM_API_URL": stack.url, "HILUM_API_KEY": stack.api_key}
        return command(*arguments, **{**known, **environment})

    return run
