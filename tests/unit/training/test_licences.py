"""Which films may be shown again, and who is named."""

from __future__ import annotations

import pytest

from hilum_training.films.licences import credit, may_be_shown


@pytest.mark.parametrize("licence", ["CC BY", "CC BY 2.0", "CC BY 3.0", "CC-BY-4.0", "CC0 1.0"])
def test_films_that_ask_for_credit_alone_may_be_shown(licence):
    """Whatever the version."""
    assert may_be_shown(licence)
    assert may_be_shown("Public domain")


@pytest.mark.parametrize(
    ("licence", "flags"),
    [
        ("CC BY 4.0", ("unverified-upstream",)),
        ("CC BY-NC-SA", ("NC", "SA")),
        ("CC BY-NC-SA 4.0", ()),
        ("CC BY-SA 4.0", ()),
        ("CC BY-ND 4.0", ()),
        ("NLM-open (attribution requested)", ("no-explicit-licence-text",)),
        ("NIH-CC terms (believed unrestricted with attribution; text not seen here)", ()),
        ("not stated", ()),
        ("local", ()),
        ("", ()),
    ],
)
def test_films_that_ask_for_more_or_leave_it_open_may_not(licence, flags):
    """A licence that nobody verified is not an open one."""
    assert not may_be_shown(licence, flags)


def test_every_source_is_named_with_its_licences():
    """A source of one's own goes by its name."""
    films = [("kermany", "CC BY 4.0"), ("cohen", "CC BY 3.0"), ("cohen", "CC BY"), ("local", "CC0")]
    assert credit(films) == (
        "Cohen et al., github.com/ieee8023/covid-chestxray-dataset, CC BY, CC BY 3.0; "
        "Kermany et al., doi:10.17632/rscbjbr9sj, CC BY 4.0; local, CC0"
    )
