"""A table of work: its items as rows, and its rows as items."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from hilum.adapters.postgres.tables import JOBS
from hilum.domain.job import ANALYSIS, Job
from hilum.domain.work import Priority, Reason, WorkItem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import sqlalchemy as sa

    from hilum.domain.work import LifeCycle

ItemT = TypeVar("ItemT", bound=WorkItem)

_REASON: Final = ("reason_code", "reason_detail")


@dataclass(frozen=True, eq=False)
class WorkTable(Generic[ItemT]):
    """A kind of work and the table that holds it.

    A field of an item is the column of its name.

    Attributes:
        table: Has the columns that every kind has, see :class:`hilum.domain.work.WorkItem`.
        life: The kind.
        item: Class of an item.
        flow: Name of the column whose value is the flow.
        limited: Whether its flows can be blocked and have a limit of running items.
        renamed: Column of a field that has another name.
        readers: What makes a field of a column's value, by field.
        writers: What makes a column's value of a field, by column.
    """

    table: sa.Table
    life: LifeCycle[Any]
    item: type[ItemT]
    flow: str = "site"
    limited: bool = False
    renamed: Mapping[str, str] = field(default_factory=dict)
    readers: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    writers: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)

    @property
    def flows_are_sites(self) -> bool:
        """Whether its flows have the weights of sites."""
        return self.flow == "site"

    def __post_init__(self) -> None:
        """Choose the columns."""
        own = [each.name for each in fields(self.item) if each.name != "reason"]
        names = [self.renamed.get(name, name) for name in own]
        states = type(next(iter(self.life.transitions.values())))
        readers = {"state": states, "priority": Priority, **self.readers}
        object.__setattr__(self, "columns", tuple(self.table.c[n] for n in (*names, *_REASON)))
        object.__setattr__(self, "_names", own)
        object.__setattr__(self, "_readers", tuple(readers.items()))
        object.__setattr__(self, "_filled", names)
        object.__setattr__(self, "_empty", dict.fromkeys(self.table.c.keys()))
        object.__setattr__(self, "_values", attrgetter(*own))

    columns: tuple[sa.Column[Any], ...] = field(init=False, repr=False)
    _names: list[str] = field(init=False, repr=False)
    _readers: tuple[tuple[str, Callable[[Any], Any]], ...] = field(init=False, repr=False)
    _filled: list[str] = field(init=False, repr=False)
    _empty: dict[str, object] = field(init=False, repr=False)
    _values: Callable[[ItemT], tuple[Any, ...]] = field(init=False, repr=False)

    def item_of(self, row: Sequence[Any]) -> ItemT:
        """Return the item that a row of :attr:`columns` holds."""
        values = dict(zip(self._names, row, strict=False))
        code, detail = row[-2:]
        values["reason"] = None if code is None else Reason(code, detail)
        for name, read in self._readers:
            values[name] = read(values[name])
        return self.item(**values)

    def row_of(self, item: ItemT) -> dict[str, object]:
        """Return the row of an item by column, with null in columns that no field has."""
        row = dict(self._empty)
        row |= zip(self._filled, self._values(item), strict=True)
        row |= {"state": item.state.value, "priority": item.priority.value}
        for column, write in self.writers.items():
            row[column] = write(row[column])
        if item.reason is not None:
            row |= {"reason_code": item.reason.code, "reason_detail": item.reason.detail}
        return row


JOB_WORK: Final = WorkTable(
    JOBS,
    ANALYSIS,
    Job,
    readers={"notes": lambda codes: tuple(codes or ())},
    writers={"notes": lambda codes: list(codes) or None},
)
