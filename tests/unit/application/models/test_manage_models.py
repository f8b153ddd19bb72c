"""Promoting, taking back and adopting: what is refused, and what the log says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hilum.domain.errors import (
    InvalidRequest,
    LabelNotExperimental,
    NoShippedPoint,
    NotFound,
    NothingToRollBack,
    OperatingPointsMissing,
)
from hilum.domain.model import OperatingPoint, Rank
from hilum.domain.principal import ALL_SITES, DEFAULT_SITE, Principal, local_command
from hilum.domain.site_models import FIRST_START, Origin, labels_with_points
from tests.fakes.model_catalogue import small_chest
from tests.unit.application.models.test_models_of_site import OPERATOR, Installation


@pytest.fixture
def here() -> Installation:
    installation = Installation()
    installation.models.of_site(DEFAULT_SITE)
    installation.install("1.1.0")
    installation.later()
    return installation


def promote(here: Installation, version: str, site: str = "north", by: Principal = OPERATOR):
    here.manage.adopt_shipped("chest", version, site, by)
    return here.manage.promote("chest", version, site, by)


def test_a_version_without_operating_points_is_not_promoted(here):
    """The refusal names what is missing and both ways to mend it; nothing has changed."""
    before = here.actions()
    with pytest.raises(OperatingPointsMissing) as refusal:
        here.manage.promote("chest", "1.1.0", "north", OPERATOR)
    assert refusal.value.code == "operating_points_missing"
    for part in (
        "7 of 7 labels of chest 1.1.0",
        "pneumonia/normal",
        "and 3 more",
        "hilum thresholds fit FILMS.csv --site north --version 1.1.0 --save",
        "hilum thresholds adopt-defaults chest 1.1.0 --site north",
    ):
        assert part in refusal.value.detail
    assert here.actions() == before
    assert here.version("north") == "1.0.0"


def test_one_label_without_a_point_is_enough_to_refuse(here):
    """A fitted point for some of them does not let the others in."""
    here.set_point("north", "covid19", 0.5, version="1.1.0")
    with pytest.raises(OperatingPointsMissing, match="6 of 7"):
        here.manage.promote("chest", "1.1.0", "north", OPERATOR)


def test_the_points_of_another_site_or_version_do_not_count(here):
    """Not those of the site ``default`` either: they have to be taken over by a decision."""
    here.manage.adopt_shipped("chest", "1.1.0", DEFAULT_SITE, OPERATOR)
    here.manage.adopt_shipped("chest", "1.0.0", "north", OPERATOR)
    with pytest.raises(OperatingPointsMissing, match="7 of 7"):
        here.manage.promote("chest", "1.1.0", "north", OPERATOR)


def test_adopting_fills_in_what_is_missing_and_leaves_what_was_fitted(here):
    """And is in the log with every threshold; a second time there is nothing to adopt."""
    here.set_point("north", "covid19", 0.5, version="1.1.0")
    adopted = here.manage.adopt_shipped("chest", "1.1.0", "north", OPERATOR)
    assert len(adopted) == len(labels_with_points(small_chest())) - 1
    assert {point.origin for point in adopted} == {Origin.SHIPPED}
    points = {point.key: point for point in here.manage.points("north")}
    assert points["pneumonia", "covid19"].point.threshold == 0.5
    assert points["pathology", "nodule"].set_by == OPERATOR.id
    with here.unit_of_work.begin(write=False) as transaction:
        event = transaction.audit.records()[-1].event
    assert (event.actor, event.action) == (OPERATOR, "operating_points.set")
    assert event.details["pathology/nodule"] == 0.3
    assert not here.manage.adopt_shipped("chest", "1.1.0", "north", OPERATOR)


def test_a_promotion_is_in_the_log_with_its_version(here):
    """Who, when, where, which."""
    promotion = promote(here, "1.1.0")
    assert (promotion.number, promotion.promoted_at) == (1, here.clock.now())
    with here.unit_of_work.begin(write=False) as transaction:
        event = transaction.audit.records()[-1].event
    assert (event.actor, event.action, event.object_id) == (
        OPERATOR,
        "model.promoted",
        "north/chest",
    )
    assert event.details == {"version": "1.1.0", "number": 1}


def test_promoting_what_is_in_force_changes_nothing(here):
    """The promotion that stands is given; but what the first start did is made a decision."""
    assert promote(here, "1.1.0") == promote(here, "1.1.0", by=local_command("other"))
    assert len(here.manage.promotions("north")) == 1
    decided = here.manage.promote("chest", "1.0.0", DEFAULT_SITE, OPERATOR)
    assert (decided.number, decided.automatic) == (2, False)


def test_a_roll_back_goes_to_the_promotion_before(here):
    """Step by step, past those that were taken back before; then the site follows ``default``."""
    for version in ("1.0.0", "1.1.0", "1.0.0"):
        promote(here, version)
    taken_back, in_force = here.manage.roll_back("chest", "north", local_command("you"))
    assert (taken_back.number, in_force.version) == (3, "1.1.0")
    assert (taken_back.rolled_back_by, taken_back.rolled_back_at) == (
        "operator:you",
        here.clock.now(),
    )
    here.later()
    assert here.version("north") == "1.1.0"
    promote(here, "1.0.0")
    assert here.manage.roll_back("chest", "north", OPERATOR)[1].version == "1.1.0"
    assert here.manage.roll_back("chest", "north", OPERATOR)[1].version == "1.0.0"
    _, follows = here.manage.roll_back("chest", "north", OPERATOR)
    assert (follows.site, follows.promoted_by) == (DEFAULT_SITE, FIRST_START)
    with pytest.raises(NothingToRollBack):
        here.manage.roll_back("chest", "north", OPERATOR)
    actions = [action for action, subject in here.actions() if subject == "north/chest"]
    assert actions.count("model.promoted") == actions.count("model.rolled_back") == 4


def test_the_first_promotion_of_the_default_site_stays(here):
    """Without it no site would know what to read with."""
    with pytest.raises(NothingToRollBack):
        here.manage.roll_back("chest", DEFAULT_SITE, OPERATOR)
    promote(here, "1.1.0", DEFAULT_SITE)
    _, in_force = here.manage.roll_back("chest", DEFAULT_SITE, OPERATOR)
    assert in_force.version == "1.0.0"


def test_a_roll_back_to_what_is_not_installed_is_refused(here):
    """And the promotion stands."""
    promote(here, "1.0.0")
    promote(here, "1.1.0")
    here.catalogue.older = ()
    with pytest.raises(NotFound, match=r"1\.0\.0 is not installed"):
        here.manage.roll_back("chest", "north", OPERATOR)
    here.later()
    assert here.version("north") == "1.1.0"


@pytest.mark.parametrize(("model", "version"), [("chest", "9.9.9"), ("ribs", "1.0.0")])
def test_what_is_not_installed_is_neither_promoted_nor_adopted(here, model, version):
    """The refusal says what there is."""
    for ask in (here.manage.promote, here.manage.adopt_shipped):
        with pytest.raises(NotFound, match="installed"):
            ask(model, version, "north", OPERATOR)


@pytest.mark.parametrize("site", ["", ALL_SITES])
def test_what_is_no_site_promotes_nothing(here, site):
    """A key of all sites is bound to none of them."""
    for ask in (here.manage.promote, here.manage.adopt_shipped):
        with pytest.raises(InvalidRequest):
            ask("chest", "1.0.0", site, OPERATOR)


def test_every_installed_version_is_listed_as_the_site_sees_it(here):
    """In the order of the panels, the version in force marked, what is missing told."""
    promote(here, "1.1.0")
    here.set_point("north", "covid19", 0.5, version="1.1.0")
    here.later()
    listed = here.manage.at_site("north")
    assert [(one.manifest.name, one.manifest.version, one.in_force) for one in listed] == [
        ("gate", "1.0.0", True),
        ("chest", "1.0.0", False),
        ("chest", "1.1.0", True),
        ("lungs", "1.0.0", True),
    ]
    gate, old, new, lungs = listed
    assert gate.promotion is not None
    assert gate.promotion.site == DEFAULT_SITE
    assert (old.promotion, len(old.missing)) == (None, 7)
    assert (new.promotion.site, new.missing) == ("north", ())
    assert new.manifest.panel("pneumonia").operating_point("covid19").threshold == 0.5
    assert lungs.missing == ()
    assert new.shipped.panel("pneumonia").operating_point("covid19").threshold == 0.25


RANKS = {"cardiomegaly": Rank.EXPERIMENTAL, "nodule": Rank.EXPERIMENTAL, "effusion": Rank.NOT_SHOWN}


@pytest.fixture
def ranked(here) -> Installation:
    """``chest`` 1.1.0, promoted at north: nodule without a shipped point, cardiomegaly with one."""
    chest = next(model for model in here.catalogue.models if model.name == "chest")
    pneumonia, pathology = chest.panels
    labels = tuple(replace(label, rank=RANKS[label.name]) for label in pathology.labels)
    points = tuple(one for one in pathology.operating_points if one.label != "nodule")
    findings = replace(pathology, labels=labels, operating_points=points)
    others = [model for model in here.catalogue.models if model.name != "chest"]
    here.catalogue.models = (*others, replace(chest, panels=(pneumonia, findings)))
    promote(here, "1.1.0")
    here.later()
    return here


def point_in_force(here: Installation, label: str):
    here.later()
    found = here.models.of_site("north").panel("pathology")
    assert found is not None
    return found[1].operating_point(label)


def test_a_site_adopts_points_of_validated_labels_alone(ranked):
    """So that a promotion needs no decision about an experimental one."""
    assert {point.panel for point in ranked.manage.points("north")} == {"pneumonia"}
    assert point_in_force(ranked, "cardiomegaly") is None


@pytest.mark.parametrize("label", ["cardiomegaly", None])
def test_an_experimental_label_is_switched_on_and_off(ranked, label):
    """By a row of the site, each change in the log; the second time nothing changes."""
    chosen = ("chest", "1.1.0", "pathology", label, "north", OPERATOR)
    (adopted,) = ranked.manage.switch_on(*chosen)
    assert (adopted.key, adopted.origin) == (("pathology", "cardiomegaly"), Origin.SHIPPED)
    assert point_in_force(ranked, "cardiomegaly").threshold == 0.3
    assert ranked.manage.switch_on(*chosen) == []
    assert ranked.manage.switch_off(*chosen) == [adopted]
    assert point_in_force(ranked, "cardiomegaly") is None
    with pytest.raises(NotFound, match="it is off"):
        ranked.manage.switch_off(*chosen)
    with ranked.unit_of_work.begin(write=False) as transaction:
        put, removed = [record.event for record in transaction.audit.records()][-2:]
    assert (put.action, removed.action) == ("operating_points.set", "operating_points.removed")
    assert put.object_id == removed.object_id == "north/chest/1.1.0"
    assert removed.actor == OPERATOR
    assert removed.details == {"pathology/cardiomegaly": 0.3}


def test_a_fitted_point_stays_when_its_label_is_switched_on(ranked):
    """And it can be switched off like one that was shipped."""
    chosen = ("chest", "1.1.0", "pathology", "cardiomegaly", "north", OPERATOR)
    (shipped,) = ranked.manage.switch_on(*chosen)
    fitted = replace(shipped, point=OperatingPoint("cardiomegaly", 0.77), origin=Origin.FITTED)
    with ranked.unit_of_work.begin() as transaction:
        transaction.operating_points.put([fitted])
    assert ranked.manage.switch_on(*chosen) == []
    assert point_in_force(ranked, "cardiomegaly").threshold == 0.77
    assert ranked.manage.switch_off(*chosen) == [fitted]


@pytest.mark.parametrize(
    ("panel", "label", "error", "said"),
    [
        ("pathology", "nodule", NoShippedPoint, "ships no operating point for pathology/nodule"),
        ("pathology", "effusion", LabelNotExperimental, "effusion is not shown"),
        ("pneumonia", "covid19", LabelNotExperimental, "covid19 is validated"),
        ("pneumonia", None, LabelNotExperimental, "no experimental label"),
        ("pathology", "flu", NotFound, "no label flu"),
        ("ribs", None, NotFound, "no panel ribs"),
    ],
)
def test_what_cannot_be_switched_on_is_refused(ranked, panel, label, error, said):
    """With a code of its own; nothing has changed."""
    before = ranked.actions()
    with pytest.raises(error, match=said):
        ranked.manage.switch_on("chest", "1.1.0", panel, label, "north", OPERATOR)
    off = NotFound if error is NoShippedPoint else error
    with pytest.raises(off):
        ranked.manage.switch_off("chest", "1.1.0", panel, label, "north", OPERATOR)
    assert ranked.actions() == before


def test_labels_are_switched_on_for_one_site(ranked):
    """Not for all of them at once."""
    for change in (ranked.manage.switch_on, ranked.manage.switch_off):
        with pytest.raises(InvalidRequest):
            change("chest", "1.1.0", "pathology", None, ALL_SITES, OPERATOR)


def test_a_site_that_follows_default_shows_the_points_it_reads_with(here):
    """Its own rows for the version wait until it is promoted at the site."""
    promote(here, "1.1.0", site=DEFAULT_SITE)
    here.set_point(DEFAULT_SITE, "covid19", 0.61, version="1.1.0")
    here.set_point("north", "covid19", 0.5, version="1.1.0")
    here.later()
    found = [one for one in here.manage.at_site("north") if one.manifest.name == "chest"]
    (active,) = [one for one in found if one.in_force]
    shown = active.manifest.panel("pneumonia").operating_point("covid19")
    assert shown.threshold == 0.61
    _, panel = here.models.of_site("north").panel("pneumonia")
    assert panel.operating_point("covid19") == shown
