"""A model's card, taken apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from hilum_gateway.pages.card_text import Span, card_blocks, spans

CARD = """# Model card: chest, version 1

**Research use only.** Reads `normal`
over two lines, see [the paper](https://example.org/a).

- one
- two, which goes
  on
1. three

| label | films |
| --- | ---: |
| normal | 12 |
| a\\b | **3** |

    python -m hilum_training train chest
    next line

```
fenced <b>
```
"""


def words(line) -> str:
    return "".join(span.text for span in line)


def test_a_card_is_read_as_its_parts():
    """Each part of Markdown that cards use is known, in its order."""
    blocks = card_blocks(CARD)
    kinds = [block.kind for block in blocks]
    assert kinds == ["heading", "paragraph", "list", "table", "code", "code"]
    heading, paragraph, items, table, code, fenced = blocks
    assert (heading.level, words(heading.lines[0])) == (1, "Model card: chest, version 1")
    assert words(paragraph.lines[0]) == (
        "Research use only. Reads normal over two lines, see the paper."
    )
    assert [words(item) for item in items.lines] == ["one", "two, which goes on", "three"]
    assert [[words(cell) for cell in row] for row in table.rows] == [
        ["label", "films"],
        ["normal", "12"],
        ["a\\b", "3"],
    ]
    assert code.code == "python -m hilum_training train chest\nnext line"
    assert fenced.code == "fenced <b>"


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("a **b** c", [("text", "a "), ("bold", "b"), ("text", " c")]),
        ("`x**y**`", [("code", "x**y**")]),
        ("[go](javascript:alert(1))", [("text", "[go](javascript:alert(1))")]),
        ("[go](https://example.org)", [("text", "go")]),
        ("2 * 3 * 4", [("text", "2 * 3 * 4")]),
        ("*so*", [("emphasis", "so")]),
        ("![plot](roc.svg)", [("text", "plot")]),
        ("", [("text", "")]),
    ],
)
def test_a_line_is_read_as_pieces(text, pieces):
    """Only what is marked is marked; addresses are never kept."""
    assert spans(text) == tuple(Span(kind, words) for kind, words in pieces)


@pytest.mark.parametrize(
    "text", ["", "\n\n", "|", "| a |", "```", "#", "# ", "- ", "    ", "|-|\n|-|"]
)
def test_any_text_is_read_to_its_end(text):
    """Malformed Markdown neither fails nor hangs."""
    assert all(block.kind for block in card_blocks(text))


def test_every_word_of_a_shipped_card_is_kept():
    """Nothing of the cards in the repository is lost on the page."""
    for path in Path(__file__).parents[4].glob("model_repository/*/MODEL_CARD.md"):
        shown = " ".join(
            " ".join(words(line) for row in ((), *block.rows) for line in row)
            + " ".join(words(line) for line in block.lines)
            + block.code
            for block in card_blocks(path.read_text(encoding="utf-8"))
        )
        for word in ("Research", "Intended", "Failure"):
            assert word in shown
