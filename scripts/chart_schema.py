# ruff: noqa: INP001 - a script that is run by its path
"""Write the chart's ``values.schema.json`` from the comments of its ``values.yaml``.

Each value has the type of its default. A ``# --`` comment is its description (helm-docs reads the
same one), and the YAML between two lines ``# @schema`` is merged over what was inferred. An object
takes no other keys than those it has, so that a misspelt one is refused instead of ignored; one
with keys of the site's choosing says so with ``additionalProperties``. The notation is that of
`helm-schema <https://github.com/dadav/helm-schema>`_, of which this reads the part that is used.

Usage: ``python scripts/chart_schema.py helm/hilum/values.yaml > helm/hilum/values.schema.json``
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

import yaml

MARK: Final = "# @schema"
_TYPES: Final = {
    "tag:yaml.org,2002:str": "string",
    "tag:yaml.org,2002:int": "integer",
    "tag:yaml.org,2002:float": "number",
    "tag:yaml.org,2002:bool": "boolean",
    "tag:yaml.org,2002:seq": "array",
    "tag:yaml.org,2002:map": "object",
}
_REFERENCES: Final = ("$ref", "oneOf", "anyOf", "allOf")

Schema = dict[str, Any]


class UndescribedValueError(Exception):
    """A value of which the source does not say what may stand there."""


def comment_above(lines: list[str], line: int) -> list[str]:
    """The comment that stands directly above a line, without its indentation."""
    first = line
    while first > 0 and lines[first - 1].lstrip().startswith("#"):
        first -= 1
    return [text.strip() for text in lines[first:line]]


def annotation(comment: list[str]) -> Schema:
    """What the comment says about a value: the block between the marks, and the description."""
    found: Schema = {}
    marks = [number for number, text in enumerate(comment) if text == MARK]
    for start, end in zip(marks[::2], marks[1::2], strict=True):
        found |= yaml.safe_load("\n".join(text[2:] for text in comment[start + 1 : end])) or {}
    told = [number for number, text in enumerate(comment) if text.startswith("# -- ")]
    if told:
        after = [text for text in comment[told[-1] :] if not text.startswith(MARK)]
        found["description"] = " ".join(text.removeprefix("# -- ").lstrip("# ") for text in after)
    return found


def schema_of(node: yaml.Node, said: Schema, lines: list[str], path: str) -> Schema:
    """The schema of one value.

    Args:
        node: The default.
        said: What its comment says.
        lines: The source.
        path: Where the value stands, for the error.

    Raises:
        UndescribedValueError: The default does not tell what may stand there, and neither does
            the comment.
    """
    if any(key in said for key in _REFERENCES):
        return said
    schema: Schema = {} if node.tag not in _TYPES else {"type": _TYPES[node.tag]}
    if isinstance(node, yaml.MappingNode):
        schema |= {"additionalProperties": False, "properties": _properties(node, lines, path)}
        if not schema["properties"]:
            del schema["properties"]
            if "additionalProperties" not in said:
                raise UndescribedValueError(f"{path}: say additionalProperties of an empty object")
    elif isinstance(node, yaml.SequenceNode):
        if "items" not in said:
            raise UndescribedValueError(f"{path}: say what the items of a list are")
    elif isinstance(node, yaml.ScalarNode) and "type" not in schema | said:
        raise UndescribedValueError(f"{path}: say the type of a value without a default")
    return schema | said


def _properties(node: yaml.MappingNode, lines: list[str], path: str) -> Schema:
    found: Schema = {}
    for key, value in node.value:
        above = comment_above(lines, key.start_mark.line)
        inline = lines[key.start_mark.line][: key.start_mark.column].strip()
        said = {} if inline else annotation(above)
        found[key.value] = schema_of(value, said, lines, f"{path}.{key.value}".lstrip("."))
    return found


def chart_schema(source: str) -> Schema:
    """The schema of a whole ``values.yaml``.

    Args:
        source: Its text.

    Returns:
        A JSON schema, draft 7.

    Raises:
        UndescribedValueError: As :func:`schema_of`.
    """
    root = yaml.compose(source)
    if not isinstance(root, yaml.MappingNode):
        raise UndescribedValueError("the values are no mapping")
    schema = schema_of(root, {}, source.splitlines(), "")
    # Helm itself adds this one to every chart.
    schema["properties"]["global"] = {"type": "object", "description": "Of Helm; not used"}
    return {"$schema": "http://json-schema.org/draft-07/schema#", "title": "Hilum"} | schema


def main() -> int:
    """Read the file named on the command line, print its schema."""
    try:
        schema = chart_schema(Path(sys.argv[1]).read_text())
    except UndescribedValueError as error:
        sys.stderr.write(f"{sys.argv[1]}: {error}\n")
        return 1
    sys.stdout.write(json.dumps(schema, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
