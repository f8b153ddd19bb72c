"""Tables that a person and a program can read."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilum_cli.table import folded, plain_lines, print_table

LONG = "x" * 500


def test_no_cell_is_cut(capsys, monkeypatch):
    """Each row is one line, however long, whatever the width of the terminal is said to be."""
    monkeypatch.setenv("COLUMNS", "40")
    print_table(("a", "b"), [(LONG, "1"), ("y", LONG)])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert LONG in lines[1]
    assert LONG in lines[2]


def test_columns_stand_under_their_heads():
    """As wide as the widest cell."""
    assert plain_lines(("file", "p"), [("a.png", "0.5"), ("b", "")]) == [
        "file   p",
        "a.png  0.5",
        "b      -",
    ]


def test_a_name_cannot_forge_a_row_or_steer_a_terminal():
    """Line breaks and control characters are shown as replacements."""
    (_, line) = plain_lines(("file",), [("a\nb\x1b[31m\r\u202e",)])
    assert line == "a\ufffdb\ufffd[31m\ufffd\ufffd"


def test_what_looks_like_markup_is_text(capsys):
    """A file may be called so."""
    print_table(("file",), [("[red]a[/red].png",)])
    assert "[red]a[/red].png" in capsys.readouterr().out


@given(st.lists(st.tuples(st.text(), st.text()), max_size=5))
def test_any_rows_make_as_many_lines(rows):
    """Whatever stands in them."""
    lines = plain_lines(("one", "two"), rows)
    assert len(lines) == len(rows) + 1
    assert all(line.splitlines() in ([line], []) for line in lines)


JOB = "5d0cbb2e-7a53-4c0e-9d55-0d4a9b6f6f10"


@pytest.fixture
def on_terminal(monkeypatch, capsys):
    """Prints a table on a terminal of 100 columns; gives its lines."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")

    def lines(columns, rows) -> list[str]:
        print_table(columns, rows)
        return [re.sub(r"\x1b\[[0-9;]*m", "", one) for one in capsys.readouterr().out.splitlines()]

    return lines


def test_ids_stay_whole_on_a_terminal_of_100_columns(on_terminal):
    """What is text folds beside them."""
    shown = on_terminal(
        ("job", "state", "priority", "attempts", "file", "reason"),
        [(JOB, "failed", "routine", "3", f"{'1.2.840.' * 8}dcm", "internal_error: " + "why " * 40)],
    )
    assert all(len(line.rstrip()) <= 100 for line in shown)
    assert JOB in shown[1]
    assert "internal_error:" in shown[1]
    assert sum(line.count("why") for line in shown) == 40


def test_cells_of_one_word_stay_whole_where_there_is_room(on_terminal):
    """Otherwise they fold, and are not cut."""
    words = [f"{letter * 30}" for letter in "abcd"]
    shown = on_terminal(("a", "b", "c", "d"), [words])
    assert words[0] in shown[1]
    assert all("".join(shown[1:]).count(letter) == 30 for letter in "abcd")


def test_prose_is_folded_between_words():
    """A word longer than a line stays whole."""
    lines = folded(f"{JOB}: No finding. {'Looked for: effusion, ' * 8}{LONG}")
    assert lines[0].startswith(f"{JOB}: No finding.")
    assert all(line.startswith("  ") for line in lines[1:])
    assert lines[-1].strip() == LONG
    assert all(len(line) <= 100 for line in lines[:-1])
