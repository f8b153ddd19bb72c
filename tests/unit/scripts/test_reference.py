"""The generated reference names what the code has."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hilum.runtime.metrics import OLD_NAMES
from hilum.runtime.setting_groups import known_names

if TYPE_CHECKING:
    from types import ModuleType

SCRIPT = Path(__file__).parents[3] / "scripts" / "reference.py"


@pytest.fixture
def script(monkeypatch, tmp_path) -> ModuleType:
    """The script, imported by its path, which writes into a folder of the test's own."""
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    spec = importlib.util.spec_from_file_location("reference", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "FOLDER", tmp_path / "reference")
    return module


def run(script: ModuleType, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["reference", *arguments])
    code: int = script.main()
    return code


def test_a_page_that_differs_from_the_code_is_shown(script, monkeypatch, capsys):
    """The check passes on what was written, and fails with the line that was changed."""
    assert run(script, monkeypatch, "--check") == 1
    assert run(script, monkeypatch) == 0
    assert run(script, monkeypatch, "--check") == 0
    page = script.FOLDER / "errors.md"
    page.write_text(page.read_text().replace("truncated_film", "torn_film"))
    capsys.readouterr()
    assert run(script, monkeypatch, "--check") == 1
    assert "+| `truncated_film`" in capsys.readouterr().out


def test_an_event_and_its_meaning_go_together(script, monkeypatch, capsys):
    """The check fails where one is without the other, and names it."""
    monkeypatch.setitem(script.MEANINGS, "moon.risen", "A night began")
    monkeypatch.delitem(script.MEANINGS, "wakeup.failed")
    assert run(script, monkeypatch, "--check") == 1
    told = capsys.readouterr().out
    assert "the event wakeup.failed has no meaning" in told
    assert "nothing logs the event moon.risen" in told


def test_every_setting_error_and_renamed_metric_is_on_its_page(script):
    """Each name stands there in code font, old ones too."""
    pages = script.pages()
    assert [name for name in known_names() if f"`{name}`" not in pages["configuration.md"]] == []
    codes = [kind.code for root in script.CAUSES for kind in script.classes_of(root)]
    assert len(codes) > 40
    assert [code for code in codes if f"| `{code}` |" not in pages["errors.md"]] == []
    names = [*OLD_NAMES, *OLD_NAMES.values()]
    assert [name for name in names if f"`{name}" not in pages["metrics.md"]] == []
