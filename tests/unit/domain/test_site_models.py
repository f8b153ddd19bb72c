"""Operating points of a site laid over a manifest, and which version is in force."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from hilum.domain.model import ModelSet, OperatingPoint, Rank, Scope
from hilum.domain.models_in_force import Installed, SiteRows, first_start
from hilum.domain.principal import DEFAULT_SITE
from hilum.domain.scope import AGE
from hilum.domain.site_models import (
    FIRST_START,
    Origin,
    Promotion,
    SiteOperatingPoint,
    at_site,
    is_newer,
    labels_of,
    labels_with_points,
    labels_without_points,
    shipped_points,
)
from tests.fakes.model_catalogue import small_chest, small_lungs

NOW = datetime(2026, 11, 21, tzinfo=UTC)
CHEST = small_chest()
NO_ROWS = SiteRows((), ())


def points(manifest=CHEST, site="north", **changes: Any):
    return [
        replace(point, **changes) for point in shipped_points(manifest, site, "operator:a", NOW)
    ]


def promotion(version="1.0.0", number=1, site=DEFAULT_SITE, by="operator:a", **fields: Any):
    return Promotion(site, "chest", number, version, by, NOW, **fields)


def version(text, number):
    return replace(CHEST, version=text, serving_version=number)


def test_a_site_s_points_take_the_place_of_the_shipped_ones():
    """And the model set of the site is another one than that of what is shipped."""
    ours = [
        replace(point, point=replace(point.point, threshold=0.77, fitted_on="ours"))
        for point in points()
        if point.key == ("pathology", "nodule")
    ]
    here = at_site(CHEST, ours)
    assert here.panel("pathology").operating_point("nodule").threshold == 0.77
    assert here.panel("pathology").operating_point("effusion").threshold == 0.3
    assert ModelSet((here,)).version != ModelSet((CHEST,)).version
    assert ModelSet((at_site(CHEST, points()),)).version == ModelSet((CHEST,)).version


@pytest.mark.parametrize("changes", [{"model": "other"}, {"version": "2.0.0"}])
def test_points_of_another_version_or_model_change_nothing(changes):
    """A threshold says something of the probabilities of one version alone."""
    foreign = [
        replace(point, point=OperatingPoint(point.point.label, 0.99)) for point in points(**changes)
    ]
    assert at_site(CHEST, foreign) == CHEST
    assert labels_without_points(CHEST, foreign) == labels_with_points(CHEST)


def test_what_is_missing_is_told_by_panel_and_label():
    """In the order of the manifest; structures need no point."""
    held = [point for point in points() if point.key != ("pathology", "effusion")]
    assert labels_without_points(CHEST, held) == [("pathology", "effusion")]
    assert labels_without_points(CHEST, points()) == []
    assert labels_with_points(small_lungs()) == []


def ranked(**ranks: Rank):
    """The manifest with other ranks of its findings."""
    pneumonia, pathology = CHEST.panels
    labels = tuple(
        replace(label, rank=ranks.get(label.name, label.rank)) for label in pathology.labels
    )
    return replace(CHEST, panels=(pneumonia, replace(pathology, labels=labels)))


RANKED = ranked(nodule=Rank.EXPERIMENTAL, effusion=Rank.NOT_SHOWN)


def test_an_experimental_label_has_no_point_until_a_site_has_one_of_its_own():
    """What the manifest ships for it is only offered; one that is not shown never has one."""
    shipped = at_site(RANKED, ())
    pathology = shipped.panel("pathology")
    assert [point.label for point in pathology.operating_points] == ["cardiomegaly"]
    (own,) = shipped_points(RANKED, "north", "operator:a", NOW, rank=Rank.EXPERIMENTAL)
    assert own.key == ("pathology", "nodule")
    switched_on = at_site(RANKED, [own])
    assert switched_on.panel("pathology").operating_point("nodule") == own.point
    assert ModelSet((switched_on,)).version != ModelSet((shipped,)).version


def test_a_site_needs_points_of_validated_labels_that_ship_one():
    """Of no experimental label, and of none that the evidence carries no point for."""
    findings = [key for key in labels_with_points(RANKED) if key[0] == "pathology"]
    assert findings == [("pathology", "cardiomegaly")]
    assert {point.key for point in shipped_points(RANKED, "north", "operator:a", NOW)} == set(
        labels_with_points(RANKED)
    )
    pneumonia, pathology = CHEST.panels
    without = replace(pathology, operating_points=pathology.operating_points[:1])
    needed = labels_with_points(replace(CHEST, panels=(pneumonia, without)))
    assert needed[-1] == ("pathology", "effusion")
    assert set(labels_of(CHEST)) - set(labels_of(RANKED)) == {("pathology", "effusion")}
    assert labels_of(small_lungs()) == []


def test_a_point_that_holds_beyond_the_scope_changes_the_version():
    """The same image has a verdict that it would not have without."""
    (own, *_) = points()
    wide = replace(own, point=replace(own.point, beyond_scope=(AGE,)))
    here, there = (at_site(CHEST, [one]) for one in (own, wide))
    assert there.panel("pneumonia").operating_point("normal").beyond_scope == (AGE,)
    assert ModelSet((here,)).version != ModelSet((there,)).version


def test_the_version_of_a_set_changes_with_a_scope():
    """A result of a wider scope is another result; words about it change nothing."""
    pneumonia, pathology = CHEST.panels
    bounded, named = (
        replace(CHEST, panels=(replace(pneumonia, scope=scope), pathology))
        for scope in (Scope(minimum_age=18), Scope(never_shown=("children",)))
    )
    assert ModelSet((bounded,)).version != ModelSet((CHEST,)).version
    assert ModelSet((named,)).version == ModelSet((CHEST,)).version


@pytest.mark.parametrize(
    ("one", "other", "newer"),
    [
        ("1.10.0", "1.9.9", True),
        ("1.0.0", "1.0.0", False),
        ("0.9.0", "1.0.0", False),
        ("2.0.0", "1.0.0-rc1", False),
    ],
)
def test_versions_are_compared_by_their_numbers(one, other, newer):
    """What is no triple of numbers is not newer, nor older."""
    assert is_newer(one, than=other) is newer


def test_the_last_promotion_that_stands_is_in_force():
    """A site without one follows the site ``default``, one whose own are all taken back too."""
    back = {"rolled_back_by": "operator:b", "rolled_back_at": NOW}
    ours = [
        promotion("1.0.0", 1, site="north"),
        promotion("2.0.0", 2, site="north", **back),
    ]
    rows = SiteRows((promotion("0.9.0"), *ours), ())
    assert rows.in_force("north", "chest") == ours[0]
    assert rows.in_force("south", "chest") == promotion("0.9.0")
    assert rows.next_number("north", "chest") == 3
    all_back = SiteRows((promotion("0.9.0"), replace(ours[0], **back), ours[1]), ())
    assert all_back.in_force("north", "chest") == promotion("0.9.0")
    assert NO_ROWS.in_force("north", "chest") is None


def start(installed, rows=NO_ROWS):
    newest = max(installed, key=lambda manifest: manifest.serving_version)
    return first_start([newest], Installed.of(installed), rows, NOW)


def test_a_first_start_promotes_the_newest_with_what_is_shipped():
    """For the site ``default`` alone."""
    given = start([version("1.0.0", 1), version("1.1.0", 2)])
    assert given.promotions == (promotion("1.1.0", by=FIRST_START),)
    assert [point.key for point in given.points] == labels_with_points(CHEST)
    assert {(point.site, point.version, point.set_by) for point in given.points} == {
        (DEFAULT_SITE, "1.1.0", FIRST_START)
    }


def rows_after(given):
    return SiteRows(given.promotions, given.points)


def test_a_second_start_changes_nothing():
    """Nor does one with a newer version beside the promoted one: that waits for a person."""
    old, new = version("1.0.0", 1), version("1.1.0", 2)
    rows = rows_after(start([old]))
    assert not start([old], rows).needed
    assert not start([old, new], rows).needed


def test_a_newer_version_that_took_the_place_is_promoted_where_nobody_decided():
    """Forward alone: a process of the release before, which still runs, does not turn it back."""
    old, new = version("1.0.0", 1), version("1.1.0", 1)
    given = start([new], rows_after(start([old])))
    assert given.promotions == (promotion("1.1.0", number=2, by=FIRST_START),)
    both = SiteRows((*start([old]).promotions, *given.promotions), given.points)
    assert not start([old], both).needed


def test_what_a_person_promoted_is_left_alone():
    """Also where it is not installed any more."""
    rows = SiteRows((promotion("0.5.0"),), ())
    assert not start([version("1.1.0", 1)], rows).needed


def test_shipped_points_that_changed_are_taken_over_until_a_person_sets_them():
    """A point of the first start follows the manifest; a fitted or adopted one stays."""
    rows = rows_after(start([CHEST]))
    panels = tuple(
        replace(
            panel,
            operating_points=tuple(
                replace(point, threshold=0.6) for point in panel.operating_points
            ),
        )
        for panel in CHEST.panels
    )
    changed = replace(CHEST, panels=panels)
    newest, installed = [changed], Installed.of([changed])
    assert not first_start(newest, installed, rows, NOW, take_over=False).needed
    given = start([changed], rows)
    assert {point.point.threshold for point in given.points} == {0.6}
    assert len(given.points) == len(labels_with_points(CHEST))
    decided = tuple(
        replace(point, set_by="operator:a", origin=Origin.FITTED) for point in rows.points
    )
    assert not start([changed], SiteRows(rows.promotions, decided)).needed


def test_a_row_knows_its_key():
    """Panel and label."""
    (first, *_) = points()
    assert isinstance(first, SiteOperatingPoint)
    assert first.key == ("pneumonia", "normal")
