"""From a TOML file to the dataclasses of a recipe: every mistake is named with its file and key."""

from __future__ import annotations

import tomllib
from contextlib import contextmanager
from dataclasses import MISSING, fields
from types import UnionType
from typing import TYPE_CHECKING, Any, Final, TypeVar, Union, get_args, get_origin, get_type_hints

from hilum_training.recipe_errors import InvalidRecipe, RecipeMissing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Part = TypeVar("Part")
_WORDS: Final[dict[type, str]] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
}


def read_toml(path: Path) -> dict[str, Any]:
    """The document of a recipe's file.

    Raises:
        RecipeMissing: There is no such file.
        InvalidRecipe: It is no TOML; the message names file and line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise RecipeMissing(f"no recipe {path}") from error
    except UnicodeDecodeError as error:
        raise InvalidRecipe(f"{path}: no text in UTF-8: {error}") from error
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        last = f"at line {len(text.splitlines())}, the last"
        told = str(error).replace("at end of document", last)
        raise InvalidRecipe(f"{path}: {told}") from error


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Put the file's name before what is wrong in it."""
    try:
        yield
    except InvalidRecipe as error:
        raise InvalidRecipe(f"{path.name}: {error}") from error


def taken(
    document: dict[str, Any], key: str, kind: type[Part], default: Part | None = None
) -> Part:
    """Take a table or an array out of a document.

    Args:
        document: Of which it is taken.
        key: Its key.
        kind: ``dict`` or ``list``.
        default: Instead, where the key is absent; None: it may not be.

    Raises:
        InvalidRecipe: It is absent, or of another kind.
    """
    if key not in document and default is not None:
        return default
    if key not in document:
        raise InvalidRecipe(f"the key {key} is missing")
    value = document.pop(key)
    if not isinstance(value, kind):
        table = f"[{key}]" if kind is dict else f"[[{key}]]"
        raise InvalidRecipe(f"{key} is {value!r}, not a table {table}")
    return value


def built(kind: type[Part], table: Any, where: str = "") -> Part:
    """A dataclass from its table; arrays become tuples.

    Args:
        kind: The dataclass.
        table: Its fields by name.
        where: The table in the file, for the message: ``[fit]``; empty for the file's top.

    Raises:
        InvalidRecipe: A key is unknown, missing, or holds something of another type.
    """
    place = f"{where}: " if where else ""
    if not isinstance(table, dict):
        raise InvalidRecipe(f"{place}{table!r} is no table")
    asked = {item.name: item for item in fields(kind)}  # type: ignore[arg-type]
    if unknown := sorted(set(table) - set(asked)):
        raise InvalidRecipe(f"{place}unknown key {', '.join(unknown)}")
    for name, item in asked.items():
        if name not in table and item.default is MISSING and item.default_factory is MISSING:
            raise InvalidRecipe(f"{place}the key {name} is missing")
    hints = get_type_hints(kind)
    values = {key: tuple(v) if isinstance(v, list) else v for key, v in table.items()}
    for name, value in values.items():
        if wanted := _unlike(value, hints[name]):
            raise InvalidRecipe(f"{place}{name} is {table[name]!r}, not {wanted}")
    return kind(**values)


def _unlike(value: Any, hint: Any) -> str:
    """What the hint asks for, in words, where the value is something else; empty where it fits."""
    if hint in _WORDS:
        fits = (int, float) if hint is float else hint
        right = isinstance(value, fits) and (hint is bool or not isinstance(value, bool))
        return "" if right else _WORDS[hint]
    parts = get_args(hint)
    if get_origin(hint) in {Union, UnionType}:
        found = [_unlike(value, part) for part in parts if part is not type(None)]
        return "" if value is None or not all(found) else found[0]
    if get_origin(hint) is not tuple:
        return ""
    many = parts[-1] is Ellipsis
    said = _WORDS.get(parts[0], "a table")
    if not isinstance(value, tuple) or not (many or len(value) == len(parts)):
        return f"an array of {'' if many else f'{len(parts)} times '}{said}"
    return f"an array, each {said}" if any(_unlike(item, parts[0]) for item in value) else ""
