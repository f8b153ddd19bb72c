"""The schema of the chart's values, written from their comments."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType

SCRIPT = Path(__file__).parents[3] / "scripts" / "chart_schema.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """The script, imported by its path: it belongs to no package."""
    spec = importlib.util.spec_from_file_location("chart_schema", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_value_has_the_type_of_its_default(script: ModuleType) -> None:
    """Text, whole numbers, fractions and switches are told apart."""
    schema = script.chart_schema("a: x\nb: 3\nc: 0.5\nd: true\n")

    types = {name: value["type"] for name, value in schema["properties"].items()}
    assert types == {
        "a": "string",
        "b": "integer",
        "c": "number",
        "d": "boolean",
        "global": "object",
    }


def test_an_object_takes_no_other_keys(script: ModuleType) -> None:
    """A misspelt key is refused at every level."""
    schema = script.chart_schema("outer:\n  inner:\n    key: 1\n")

    assert schema["additionalProperties"] is False
    assert schema["properties"]["outer"]["additionalProperties"] is False
    assert schema["properties"]["outer"]["properties"]["inner"]["additionalProperties"] is False


def test_the_block_is_merged_and_the_text_describes(script: ModuleType) -> None:
    """What stands between the marks adds to the type, the other comment is the description."""
    source = "# @schema\n# minimum: 1\n# @schema\n# -- How many,\n# at least\nreplicas: 2\n"

    replicas = script.chart_schema(source)["properties"]["replicas"]

    assert replicas == {"type": "integer", "minimum": 1, "description": "How many, at least"}


def test_a_heading_is_no_description(script: ModuleType) -> None:
    """A line that parts sections says nothing about the next key."""
    source = "# ======== images\n\n# a remark\nimage: x\n"

    assert script.chart_schema(source)["properties"]["image"] == {"type": "string"}


def test_an_object_may_take_keys_of_the_sites_choosing(script: ModuleType) -> None:
    """A map says what its values are; its defaults do not limit its keys."""
    source = '# @schema\n# additionalProperties: {$ref: "#/properties/a"}\n# @schema\nb: {}\na: 1\n'

    assert script.chart_schema(source)["properties"]["b"] == {
        "type": "object",
        "additionalProperties": {"$ref": "#/properties/a"},
    }


@pytest.mark.parametrize(
    ("source", "asked"),
    [
        ("a: {}\n", "a: say additionalProperties"),
        ("a: {b: []}\n", "a.b: say what the items"),
        ("a: null\n", "a: say the type"),
    ],
)
def test_what_a_default_does_not_tell_must_be_said(
    script: ModuleType, source: str, asked: str
) -> None:
    """An empty default without a word about it ends the run, instead of allowing anything."""
    with pytest.raises(script.UndescribedValueError, match=asked):
        script.chart_schema(source)
