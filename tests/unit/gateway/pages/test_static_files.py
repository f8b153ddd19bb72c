"""What the pages are made of."""

from __future__ import annotations

import hashlib
import re
from importlib import resources
from pathlib import Path

import pytest

from hilum.application.queue.operate_jobs import CANCELLED
from hilum.domain.errors import HilumError, Refused
from hilum_gateway.advice import ADVICE
from hilum_gateway.pages.rendering import static_address
from tests.unit.gateway.pages.browsing import FakeGateway

PAGES = Path(str(resources.files("hilum_gateway.pages")))
TEMPLATES = sorted(PAGES.glob("templates/**/*.html"))
OURS = [*TEMPLATES, PAGES / "static/hilum.css", PAGES / "static/hilum.js"]

# Text colour, and the ground on which it stands.
TEXTS = [
    ("text", "ground"),
    ("text", "surface"),
    ("muted", "ground"),
    ("muted", "surface"),
    ("link", "ground"),
    ("link", "surface"),
    ("on-primary", "primary"),
    ("on-strip", "strip"),
    ("bad", "surface"),
    ("bad", "bad-ground"),
    ("good", "surface"),
    ("busy", "surface"),
    ("wait", "surface"),
    ("on-chip", "chip"),
    ("text", "chip"),
    ("good", "good-ground"),
    ("text", "good-ground"),
    ("text", "quiet-ground"),
]


def test_vendored_files_are_the_published_ones():
    """Each vendored script has the digest that its README states, and its licence beside it."""
    vendor = PAGES / "static/vendor"
    stated = dict(
        re.findall(r"^\| `([\w.-]+)` .* `([0-9a-f]{64})` \|$", _readme(vendor), re.MULTILINE)
    )
    scripts = {path.name for path in vendor.glob("*.js")}
    assert set(stated) == scripts
    for name, digest in stated.items():
        assert hashlib.sha256((vendor / name).read_bytes()).hexdigest() == digest
        licence = vendor / name.replace(".min.js", ".LICENSE.txt")
        assert "Permission to use, copy, modify" in licence.read_text()


def _readme(folder: Path) -> str:
    return (folder / "README.md").read_text()


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_holds_no_script_and_no_style(path):
    """Everything that the content security policy forbids stays out of the templates."""
    text = path.read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"<style|\bstyle=|\bon[a-z]+=|javascript:|hx-on", text)


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_nothing_is_loaded_from_elsewhere(path):
    """No page needs another server."""
    assert not re.search(r"https?://|@import|src=\"//", path.read_text())


def test_a_static_file_is_served_under_an_address_with_its_digest():
    """An upgrade changes the address, so that no browser shows an old style with a new page."""
    browser = FakeGateway().visitor()
    for name in ("hilum.css", "hilum.js", "hilum.svg", "vendor/htmx.min.js"):
        address = static_address(name)
        answer = browser.get(address)
        assert answer.status_code == 200
        assert hashlib.sha256(answer.content).hexdigest().startswith(address.partition("?v=")[2])


def _codes(kind: type[HilumError]) -> set[str]:
    return {kind.code}.union(*(_codes(child) for child in kind.__subclasses__()))


def test_there_is_advice_for_every_reason_that_an_image_can_have():
    """Each code of the error tree but those that no image has, and the code of a cancel."""
    of_no_image = {
        *("rejected", "limit_exceeded", "transient", "dependency_unavailable", "attempt_failed"),
        *("permanent", "broker_unavailable", "backup_damaged", "database_copy_failed"),
        # Of deliveries.
        *("destination_unavailable", "destination_busy", "destination_refuses"),
        *("context_missing", "result_not_encodable"),
    }
    reasons = _codes(HilumError) - _codes(Refused) - {HilumError.code}
    assert set(ADVICE) == reasons - of_no_image | {CANCELLED}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), TEXTS)
def test_text_can_be_told_from_its_ground(scheme, text, ground):
    """Every text has a contrast of at least 4.5 : 1 (WCAG 2.2, criterion 1.4.3)."""
    colours = _palette(scheme)
    lighter, darker = sorted((_luminance(colours[text]), _luminance(colours[ground])), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def _palette(scheme: str) -> dict[str, str]:
    css = (PAGES / "static/hilum.css").read_text()
    blocks = re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", blocks[scheme == "dark"]))


def _luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
