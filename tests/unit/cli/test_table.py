"""Tables that a person and a program can read."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hilum_cli.table import plain_lines, print_table

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
