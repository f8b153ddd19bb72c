"""What the previous release offers is still offered. New things may stand beside it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import SecretStr

from tests.previous import surface

FROZEN: dict[str, Any] = json.loads(surface.FROZEN.read_text(encoding="utf-8"))
# The changelog names these.
_CHANGED_DEFAULTS = {
    "HILUM_LEASE_SECONDS": 15.0,
    "HILUM_RECONCILE_SECONDS": 2.0,
    "HILUM_WORKER_QUEUES": "stat,routine,batch,delivery,operations",
}
# Prose may become clearer. Order says nothing.
_PROSE = frozenset({"description", "summary", "title", "example", "examples", "tags"})


def lost(before: object, now: object, place: str = "") -> list[str]:
    """Return the places of a JSON document at which something is gone or different."""
    if isinstance(before, dict):
        if not isinstance(now, dict):
            return [place]
        return [
            gone
            for name, value in before.items()
            if name not in _PROSE or place.endswith("/properties")
            for gone in (
                lost(value, now[name], f"{place}/{name}") if name in now else [f"{place}/{name}"]
            )
        ]
    if isinstance(before, list):
        if not isinstance(now, list):
            return [place]
        if all(isinstance(one, dict) and "name" in one for one in before):
            named = {one["name"]: one for one in now}
            return [
                gone
                for one in before
                for gone in lost(one, named.get(one["name"]), f"{place}/{one['name']}")
            ]
        return [f"{place}/{one}" for one in before if one not in now]
    return [] if before == now else [f"{place}: {before!r}, now {now!r}"]


@pytest.mark.parametrize(
    ("now", "gone"),
    [
        ({"a": 1, "b": [1, 2, 3]}, []),
        ({"a": 2, "b": [1, 2]}, ["/a: 1, now 2"]),
        ({"b": [2]}, ["/a", "/b/1"]),
        ({"a": {"c": 1}, "b": 3}, ["/a: 1, now {'c': 1}", "/b"]),
    ],
)
def test_lost_names_what_is_gone(now, gone):
    """An addition is no loss, a missing or changed value is one."""
    assert lost({"a": 1, "b": [1, 2]}, now) == gone


def test_the_api_keeps_every_route_field_and_status():
    """Documents of requests may ask nothing new, answers may hold more."""
    now = surface.openapi()
    assert lost(FROZEN["openapi"]["paths"], now["paths"], "/paths") == []
    assert lost(FROZEN["openapi"]["components"], now["components"], "/components") == []
    assert newly_required(FROZEN["openapi"], now) == []


def newly_required(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Return parameters that a client must send now and need not have sent before."""
    return [
        f"{method} {path}: {parameter['name']}"
        for path, methods in before["paths"].items()
        for method, operation in methods.items()
        for parameter in now["paths"][path][method].get("parameters", [])
        if parameter.get("required")
        and parameter["name"] not in {one["name"] for one in operation.get("parameters", [])}
    ]


def test_commands_keep_their_words_options_and_choices():
    """Every word and option of the previous release is taken."""
    assert lost(FROZEN["commands"], surface.commands()) == []


@pytest.mark.parametrize("kind", ["audit_actions", "metrics", "states", "priorities"])
def test_names_stay(kind):
    """A name that an archive, an alert or a client holds is not taken away."""
    assert lost(FROZEN[kind], surface.surface()[kind]) == []


def test_error_codes_keep_their_status():
    """A program matches on the code, a proxy on the status."""
    assert lost(FROZEN["error_codes"], surface.error_codes()) == []


@pytest.mark.parametrize(
    ("process", "name"),
    [(process, name) for process, names in FROZEN["settings"].items() for name in names],
)
def test_a_setting_is_heard_and_keeps_its_default(process, name, monkeypatch):
    """The variable changes the settings, and a default stays unless the changelog names it."""
    for needed, value in surface.NEEDED.items():
        monkeypatch.setenv(needed, value)
    kind = surface.settings_class(process)
    plain = values(kind())
    default = _CHANGED_DEFAULTS.get(name, FROZEN["settings"][process][name])
    if default is not None:
        assert default in plain.values()
    for variable, value in others(name, default).items():
        monkeypatch.setenv(variable, value)
    assert values(kind()) != plain


def others(name: str, default: object) -> dict[str, str]:
    """Return a value that differs from the default, and what it cannot be without."""
    together = {"HILUM_TLS_CERTIFICATE": "/other", "HILUM_TLS_KEY": "/other"}
    if name in together:
        return together
    particular = {
        "HILUM_LOG_LEVEL": "DEBUG",
        "HILUM_WORKER_QUEUES": "stat",
        "HILUM_METRICS_PORT": "9099",
    }
    if name in particular:
        return {name: particular[name]}
    if isinstance(default, bool):
        return {name: str(not default).lower()}
    if isinstance(default, (int, float)):
        return {name: str(default + 1)}
    return {name: f"{surface.NEEDED.get(name, '')}/other"}


def values(settings: object, place: str = "") -> dict[str, object]:
    """Return each value of settings, groups among them, by its place."""
    found: dict[str, object] = {}
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if hasattr(type(value), "model_fields"):
            found |= values(value, f"{place}{name}.")
        elif isinstance(value, SecretStr):
            found[place + name] = value.get_secret_value()
        else:
            found[place + name] = surface.plain(value)
    return found
