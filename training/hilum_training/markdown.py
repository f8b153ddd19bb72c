"""Values of a report as Markdown: figures with their intervals, and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

_INTERVAL: Final = "interval"
_NOTHING: Final = "-"
_DECIMALS: Final = 4


def markdown(value: Any) -> str:
    """A value of a report as Markdown; text stays as it is.

    ``{"value": v, "interval": [a, b]}`` is a figure with its interval, a list of mappings is a
    table of rows, a mapping of mappings is a table whose first column is the key, any other mapping
    is a table of two columns, a list is a list with commas.
    """
    if isinstance(value, Mapping):
        if _is_figure(value):
            return _cell(value)
        if value and all(_is_row(row) for row in value.values()):
            return _table([{"": key, **row} for key, row in value.items()])
        return _table([{"": _words(str(key)), " ": row} for key, row in value.items()])
    if _is_list(value) and value and all(isinstance(row, Mapping) for row in value):
        return _table(value)
    return value if isinstance(value, str) else _cell(value)


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows of one table; a figure's interval joins it, a mapping in a cell becomes columns.

    A table in a cell is left out.
    """
    flat = [_flat(row) for row in rows]
    head = list(dict.fromkeys(key for row in flat for key in row))
    lines = [[_words(key) for key in head], ["---"] * len(head)]
    lines += [[_cell(row.get(key)) for key in head] for row in flat]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    measured = ""
    for key, value in row.items():
        if key == _INTERVAL and measured:
            flat[measured] = {"value": flat[measured], _INTERVAL: value}
        elif isinstance(value, Mapping) and not _is_figure(value):
            flat.update({f"{key}_{below}": cell for below, cell in value.items()})
        elif _is_list(value) and any(isinstance(item, Mapping) for item in value):
            continue
        else:
            flat[key] = value
            measured = key if isinstance(value, float) else measured
    return flat


def _cell(value: Any) -> str:
    if value is None:
        return _NOTHING
    if isinstance(value, Mapping) and _is_figure(value):
        figure = _cell(value["value"])
        return figure if value[_INTERVAL] is None else f"{figure} ({_span(value[_INTERVAL])})"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.{_DECIMALS}f}".rstrip("0").rstrip(".")
    if _is_list(value):
        return ", ".join(_cell(item) for item in value)
    return str(value).replace("|", "\\|")


def _span(ends: Sequence[float]) -> str:
    return " to ".join(_cell(end) for end in ends)


def _is_row(value: Any) -> bool:
    return isinstance(value, Mapping) and not _is_figure(value)


def _is_figure(value: Mapping[str, Any]) -> bool:
    return value.keys() == {"value", _INTERVAL}


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _words(key: str) -> str:
    """Write a report's key for people; what it calls a film is an image on a page."""
    return key.replace("_", " ").replace("film", "image")
