"""A backup store, a platform that is backed up, and an empty one to restore into."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hilum.adapters.postgres import migrate
from tests.unit.application.backup.platform import Backups, Platform

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to copy."""
    path = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    migrate.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def backups() -> Backups:
    return Backups()


@pytest.fixture
def platform(backups: Backups, tmp_path: Path, migrated: Path) -> Platform:
    """A platform without films."""
    return Platform(backups, tmp_path / "hilum.db", migrated)


@pytest.fixture
def fresh(backups: Backups, tmp_path: Path) -> Platform:
    """A second one, not even migrated."""
    return Platform(backups, tmp_path / "fresh.db")
