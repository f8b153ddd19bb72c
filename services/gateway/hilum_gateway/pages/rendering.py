"""Templates, and how values are written for people."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from hilum_gateway import NOTICE
from hilum_gateway.advice import advice

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

NOT_STORED: Final = {"Cache-Control": "no-store"}
"""Pages and pictures show patients' films: nothing stays on a shared workstation's disk."""

STATIC_PATH: Final = "/static"

HTMX: Final = {
    # Both would write inline code or styles, which the content security policy forbids.
    "includeIndicatorStyles": False,
    "allowEval": False,
    # The history cache would keep pages, and so findings, in the browser's storage.
    "historyCacheSize": 0,
    "refreshOnHistoryMiss": True,
    "selfRequestsOnly": True,
    # An error's fragment is shown, too; the server says where (HX-Retarget).
    "responseHandling": [
        {"code": "204", "swap": False},
        {"code": "[23]..", "swap": True},
        {"code": "[45]..", "swap": True, "error": True},
    ],
}
"""Configuration of htmx, written into every page."""

_STAGES: Final = {
    "wait": "Waited",
    "fetch": "Fetched",
    "decode": "Decoded",
    "infer": "Analysed by the models",
    "total": "In all, from claim to result",
}
_MILLISECONDS_IN_WORDS: Final = 1000.0
_MEBIBYTE: Final = 1024 * 1024


def render(template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """A page or a fragment of one.

    Args:
        template: Path under ``templates/``.
        status: HTTP status.
        context: The template's values; ``principal`` is who is signed in.
    """
    known = {"principal": None, "status": status, **context}
    text = _ENVIRONMENT.get_template(template).render(known)
    return HTMLResponse(text, status, NOT_STORED)


@cache
def static_address(name: str) -> str:
    """Address of a static file, with its digest, so that an upgrade is never shown stale."""
    content = resources.files("hilum_gateway.pages").joinpath("static", name).read_bytes()
    return f"{STATIC_PATH}/{name}?v={hashlib.sha256(content).hexdigest()[:12]}"


def exact(probability: float) -> str:
    """A number in [0, 1] with three decimals."""
    return f"{probability:.3f}"


def short(probability: float) -> str:
    """A number in [0, 1] with two decimals."""
    return f"{probability:.2f}"


def percent(share: float) -> str:
    """A share in [0, 1] in per cent."""
    return f"{100 * share:.1f} %"


def measured(share: float | None) -> str:
    """A measured share with three decimals, or a dash where nothing was measured."""
    return "\N{EN DASH}" if share is None else exact(share)


def utc(moment: datetime) -> str:
    """A moment to the minute."""
    return f"{moment:%Y-%m-%d %H:%M}"


def mebibytes(number: int) -> str:
    """A limit on bytes; in MiB, rounded down, where it is at least one."""
    return f"{number // _MEBIBYTE} MiB" if number >= _MEBIBYTE else f"{number} bytes"


def duration(milliseconds: float) -> str:
    """Milliseconds, or seconds where that reads better."""
    if milliseconds < _MILLISECONDS_IN_WORDS:
        return f"{milliseconds:.0f} ms"
    return f"{milliseconds / _MILLISECONDS_IN_WORDS:.1f} s"


def sentence(text: str) -> str:
    """A detail as a sentence: capital letter, full stop."""
    text = text.strip()
    if not text:
        return ""
    return text[0].upper() + text[1:] + ("" if text[-1] in ".!?" else ".")


def heading(name: str) -> str:
    """A panel's name as a heading."""
    return name.replace("_", " ").capitalize()


def stages(timings_ms: Mapping[str, float]) -> Iterable[tuple[str, float]]:
    """Stages in the order in which they happen, in words; unknown ones last, as they are."""
    known = [(words, timings_ms[stage]) for stage, words in _STAGES.items() if stage in timings_ms]
    return known + [(stage, ms) for stage, ms in timings_ms.items() if stage not in _STAGES]


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("hilum_gateway.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "advice": advice,
        "bytes": mebibytes,
        "duration": duration,
        "exact": exact,
        "heading": heading,
        "measured": measured,
        "percent": percent,
        "sentence": sentence,
        "short": short,
        "stages": stages,
        "utc": utc,
    }
    environment.globals |= {
        "htmx_config": json.dumps(HTMX),
        "notice": NOTICE,
        "static": static_address,
    }
    return environment


_ENVIRONMENT: Final = _environment()
