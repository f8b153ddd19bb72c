"""What clients, operators and administrators hold on to: ``python -m tests.previous.surface``.

The command writes what this checkout offers to ``surface.json``. That file is of the previous
release. Write it anew when a release is made, never to make a test pass.
"""

from __future__ import annotations

import ast
import importlib
import json
import re
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from hilum.domain.errors import HilumError
from hilum.domain.job import JobEvent, JobState, Priority
from hilum_cli.main import hilum
from hilum_gateway.http.problems import status_of
from hilum_stack.paths import ROOT
from tests.unit.gateway.api import FakeGateway

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic_settings import BaseSettings

FROZEN: Final = Path(__file__).with_name("surface.json")
SETTINGS: Final = {
    "gateway": "hilum_gateway.wiring.settings:Settings",
    "worker": "hilum_worker.settings:WorkerSettings",
    "command": "hilum_cli.settings:CliSettings",
}
NEEDED: Final = {
    "HILUM_DATABASE_URL": "sqlite:////hilum.db",
    "HILUM_OBJECT_STORE_URL": "file:///objects",
    "HILUM_BROKER_URL": "filesystem:///broker",
    "HILUM_INFERENCE_URL": "onnx://",
    "HILUM_MODEL_REPOSITORY": "/models",
    "HILUM_SESSION_SECRET": "s" * 48,
}
_ACTION: Final = re.compile(r"(job|study|api_key|model|operating_points|site_rule|films)\.[a-z_]+")
_METRIC: Final = re.compile(r"hilum_[a-z_]+")


def openapi() -> dict[str, Any]:
    """Return the OpenAPI document of the gateway."""
    document: dict[str, Any] = FakeGateway().app.openapi()
    return document


def commands() -> dict[str, dict[str, list[str]]]:
    """Return options, arguments and choices of each command, by its words."""
    return dict(_commands(hilum, "hilum"))


def _commands(command: click.Command, words: str) -> Iterator[tuple[str, dict[str, list[str]]]]:
    offered: dict[str, list[str]] = {}
    for parameter in command.params:
        for name in [*parameter.opts, *parameter.secondary_opts]:
            kind = parameter.type
            offered[name] = list(kind.choices) if isinstance(kind, click.Choice) else []
    yield words, offered
    if isinstance(command, click.Group):
        for name, child in sorted(command.commands.items()):
            yield from _commands(child, f"{words} {name}")


def settings_class(process: str) -> type[BaseSettings]:
    """Return the settings of a process."""
    module, _, name = SETTINGS[process].partition(":")
    found: type[BaseSettings] = getattr(importlib.import_module(module), name)
    return found


def settings() -> dict[str, dict[str, Any]]:
    """Return the defaults of each process's settings, by the name of the variable."""
    return {
        process: {
            f"HILUM_{name.upper()}": None if field.is_required() else plain(field.default)
            for name, field in settings_class(process).model_fields.items()
        }
        for process in SETTINGS
    }


def plain(value: object) -> object:
    """Return a value as JSON has it. A default that each process makes anew is null."""
    if isinstance(value, tuple):
        return ",".join(str(getattr(one, "value", one)) for one in value)
    if isinstance(value, Path):
        return str(value)
    return value if isinstance(value, (str, int, float, bool)) else None


@cache
def constants() -> frozenset[str]:
    """Return every text constant of the product's code."""
    files = [*(ROOT / "hilum").rglob("*.py"), *(ROOT / "services").rglob("*.py")]
    return frozenset(
        node.value
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def audit_actions() -> list[str]:
    """Return what the audit log may say."""
    derived = {f"job.{one.value}" for kind in (JobEvent, JobState) for one in kind}
    return sorted(derived | {one for one in constants() if _ACTION.fullmatch(one)})


def metrics() -> list[str]:
    """Return the names of metrics, as the code has them."""
    packages = {"hilum_gateway", "hilum_worker", "hilum_cli", "hilum_engine", "hilum_stack"}
    return sorted(one for one in constants() - packages if _METRIC.fullmatch(one))


def error_codes() -> dict[str, int]:
    """Return the HTTP status of each error code."""
    return {kind.code: status_of(kind("")) for kind in sorted(_kinds(HilumError), key=_code)}


def _code(kind: type[HilumError]) -> str:
    return kind.code


def _kinds(kind: type[HilumError]) -> Iterator[type[HilumError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _kinds(child)


def surface() -> Mapping[str, Any]:
    """Return everything above."""
    return {
        "openapi": openapi(),
        "commands": commands(),
        "settings": settings(),
        "audit_actions": audit_actions(),
        "metrics": metrics(),
        "error_codes": error_codes(),
        "states": [state.value for state in JobState],
        "priorities": [priority.value for priority in Priority],
    }


if __name__ == "__main__":
    FROZEN.write_text(json.dumps(surface(), indent=1, sort_keys=True) + "\n", encoding="utf-8")
    sys.stdout.write(f"wrote {FROZEN}\n")
