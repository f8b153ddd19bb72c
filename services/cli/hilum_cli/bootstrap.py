"""What the commands work with; the only module here that knows adapters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hilum.adapters.clock.clock import SystemClock
from hilum.adapters.object_store.object_store import open_object_store
from hilum.adapters.postgres import migrate
from hilum.adapters.postgres.engine import create_database_engine
from hilum.adapters.postgres.unit_of_work import SqlUnitOfWork
from hilum.application.use_cases.manage_keys import ManageKeys

if TYPE_CHECKING:
    from hilum.application.ports.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Database:
    """The database itself, for the commands that need no gateway."""

    url: str
    unit_of_work: UnitOfWork
    keys: ManageKeys

    def upgrade(self) -> None:
        """Run the migrations that are missing."""
        migrate.upgrade(self.url)

    def current(self) -> str | None:
        """The revision that the database has."""
        return migrate.current(self.url)

    def check(self) -> None:
        """Return if the schema is this release's.

        Raises:
            DatabaseUnavailable: It is not.
        """
        migrate.check(self.url)


def open_database(url: str) -> Database:
    """Wire the database; connects to nothing yet."""
    unit_of_work = SqlUnitOfWork(create_database_engine(url, pool_size=1))
    return Database(url, unit_of_work, ManageKeys(unit_of_work=unit_of_work, clock=SystemClock()))


def prepare_object_store(url: str) -> None:
    """Make the bucket or folder if it is missing.

    Raises:
        ObjectStoreUnavailable: The store does not answer, or refuses.
        ValueError: The address is none of an object store.
    """
    open_object_store(url, create=True).check()
