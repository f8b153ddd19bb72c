"""Which models read a site's films: after a first start, a promotion, an outage, an upgrade."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from hilum.application.models.manage_models import ManageModels
from hilum.application.models.models_of_site import KEPT, ModelsOfSite
from hilum.domain.audit import first_broken_link
from hilum.domain.errors import DatabaseUnavailable, InvalidManifest, ModelNotServed
from hilum.domain.model import Ensemble, OperatingPoint
from hilum.domain.principal import DEFAULT_SITE, local_command
from hilum.domain.site_models import FIRST_START, Origin, labels_with_points, shipped_points
from tests.fakes.clock import SettableClock
from tests.fakes.model_catalogue import InMemoryModelCatalogue, small_chest, whole_set
from tests.fakes.unit_of_work import InMemoryUnitOfWork

OPERATOR = local_command("me")


class Installation:
    """Models in a catalogue, rows, and the use cases over both."""

    def __init__(self) -> None:
        self.clock = SettableClock()
        self.unit_of_work = InMemoryUnitOfWork()
        self.catalogue = InMemoryModelCatalogue(whole_set())
        self.models = self.process()
        self.manage = ManageModels(
            models=self.models, unit_of_work=self.unit_of_work, clock=self.clock
        )

    def process(self, catalogue: InMemoryModelCatalogue | None = None) -> ModelsOfSite:
        """Another process on the same rows."""
        return ModelsOfSite(
            catalogue=catalogue or self.catalogue, unit_of_work=self.unit_of_work, clock=self.clock
        )

    def install(self, version: str, *, beside: bool = True) -> None:
        """A new version of the chest model: beside the old one or in its place."""
        old = next(model for model in self.catalogue.models if model.name == "chest")
        new = replace(old, version=version, serving_version=old.serving_version + int(beside))
        others = [model for model in self.catalogue.models if model.name != "chest"]
        self.catalogue.models = (*others, new)
        if beside:
            self.catalogue.older = (*self.catalogue.older, old)

    def version(self, site: str = DEFAULT_SITE) -> str:
        """The version of the chest model that a site reads with."""
        found = self.models.of_site(site).panel("pneumonia")
        assert found is not None
        return found[0].version

    def later(self, pause: timedelta = KEPT) -> None:
        self.clock.advance(pause)

    def set_point(self, site: str, label: str, threshold: float, version: str = "1.0.0") -> None:
        chest = replace(small_chest(), version=version)
        (point,) = [
            point
            for point in shipped_points(chest, site, OPERATOR.id, self.clock.now())
            if point.key == ("pneumonia", label)
        ]
        fitted = replace(point, point=OperatingPoint(label, threshold), origin=Origin.FITTED)
        with self.unit_of_work.begin() as transaction:
            transaction.operating_points.put([fitted])

    def threshold(self, site: str, label: str) -> float:
        found = self.models.of_site(site).panel("pneumonia")
        assert found is not None
        return found[1].operating_point(label).threshold

    def actions(self) -> list[tuple[str, str]]:
        with self.unit_of_work.begin(write=False) as transaction:
            records = transaction.audit.records()
        assert first_broken_link(records) is None
        return [(record.event.action, record.event.object_id) for record in records]


@pytest.fixture
def here() -> Installation:
    return Installation()


def test_a_first_start_reads_with_what_is_installed(here):
    """Whoever is asked for first: points and promotions are written once, for ``default``."""
    assert here.models.of_site("north").version == here.catalogue.current().version
    assert here.models.of_site(DEFAULT_SITE).version == here.catalogue.current().version
    assert {promotion.model for promotion in here.manage.promotions(None)} == {
        "gate",
        "chest",
        "lungs",
    }
    points = here.manage.points(None)
    assert {(point.site, point.origin, point.set_by) for point in points} == {
        (DEFAULT_SITE, Origin.SHIPPED, FIRST_START)
    }
    assert len(points) == sum(len(labels_with_points(model)) for model in whole_set())
    written = here.actions()
    assert ("operating_points.set", "default/chest/1.0.0") in written
    assert ("model.promoted", "default/lungs") in written
    here.later()
    assert here.process().of_site("south").version == here.catalogue.current().version
    assert here.actions() == written


def test_models_are_in_their_order_and_keep_their_ensemble(here):
    """One request reads them all where the versions are the ensemble's."""
    here.catalogue.ensemble = Ensemble("hilum", {"gate": 1, "chest": 1, "lungs": 1})
    models = here.models.of_site("north")
    assert [model.name for model in models.models] == ["gate", "chest", "lungs"]
    assert models.together == here.catalogue.ensemble
    here.install("1.1.0")
    here.later()
    here.catalogue.ensemble = Ensemble("hilum", {"gate": 1, "chest": 2, "lungs": 1})
    assert here.models.of_site("north").together is None


def test_a_newer_version_beside_the_old_one_waits_to_be_promoted(here):
    """And then it reads at the sites that promoted it, and at no other."""
    here.models.of_site(DEFAULT_SITE)
    here.install("1.1.0")
    here.later()
    assert here.version() == "1.0.0"
    here.manage.adopt_shipped("chest", "1.1.0", "north", OPERATOR)
    here.manage.promote("chest", "1.1.0", "north", OPERATOR)
    here.later()
    assert (here.version(), here.version("north"), here.version("south")) == (
        "1.0.0",
        "1.1.0",
        "1.0.0",
    )


def test_a_fitted_point_changes_the_model_set_of_its_site_alone(here):
    """So that the film is read again when it is sent again (ADR 0003)."""
    here.manage.adopt_shipped("chest", "1.0.0", "north", OPERATOR)
    here.manage.promote("chest", "1.0.0", "north", OPERATOR)
    before = here.models.of_site("north").version
    here.set_point("north", "covid19", 0.61)
    here.later()
    assert here.threshold("north", "covid19") == 0.61
    assert here.models.of_site("north").version != before
    assert here.threshold(DEFAULT_SITE, "covid19") == 0.25


def test_a_site_that_follows_default_reads_at_its_points(here):
    """Its own, of which it may have some, count once it promotes the version itself."""
    here.models.of_site("north")
    here.set_point("north", "covid19", 0.61)
    here.set_point(DEFAULT_SITE, "covid19", 0.42)
    here.later()
    assert here.threshold("north", "covid19") == 0.42


def test_a_change_reaches_a_process_after_a_moment(here):
    """Not before, so that a film costs no query; not much later either."""
    assert here.threshold(DEFAULT_SITE, "covid19") == 0.25
    here.set_point(DEFAULT_SITE, "covid19", 0.42)
    assert here.threshold(DEFAULT_SITE, "covid19") == 0.25
    here.later(KEPT - timedelta(milliseconds=1))
    assert here.threshold(DEFAULT_SITE, "covid19") == 0.25
    here.later(timedelta(milliseconds=1))
    assert here.threshold(DEFAULT_SITE, "covid19") == 0.42


def test_while_the_database_is_down_the_last_answer_holds(here):
    """A site that was never asked for has none."""
    version = here.models.of_site("north").version
    here.later()
    here.unit_of_work.available = False
    assert here.models.of_site("north").version == version
    with pytest.raises(DatabaseUnavailable):
        here.models.of_site("south")


def test_a_version_that_a_person_promoted_must_be_installed(here):
    """It says which is wanted and which there are."""
    here.manage.promote("chest", "1.0.0", DEFAULT_SITE, OPERATOR)
    here.install("1.1.0", beside=False)
    here.later()
    with pytest.raises(ModelNotServed, match=r"1\.0\.0.*installed: 1\.1\.0"):
        here.models.of_site("north")


def test_what_nobody_decided_follows_the_installation(here):
    """A release that brings a newer version in place of the old one is read with."""
    here.models.of_site("north")
    here.install("1.1.0", beside=False)
    here.later()
    assert here.version("north") == "1.1.0"
    numbers = [p.number for p in here.manage.promotions(DEFAULT_SITE) if p.model == "chest"]
    assert numbers == [1, 2]


def test_a_threshold_that_a_person_set_is_not_lost_with_its_version(here):
    """A newer version in its place would read at other thresholds, and nobody would know."""
    here.models.of_site(DEFAULT_SITE)
    here.set_point(DEFAULT_SITE, "covid19", 0.42)
    here.install("1.1.0", beside=False)
    here.later()
    with pytest.raises(ModelNotServed, match=r"1\.0\.0"):
        here.models.of_site("north")
    assert [(one.model, one.version) for one in here.manage.not_installed("north")] == [
        ("chest", "1.0.0")
    ]
    listed = {one.manifest.name: one.in_force for one in here.manage.at_site("north")}
    assert listed == {"gate": True, "chest": False, "lungs": True}
    here.manage.adopt_shipped("chest", "1.1.0", DEFAULT_SITE, OPERATOR)
    with pytest.raises(ModelNotServed):
        here.models.of_site(DEFAULT_SITE)
    here.manage.promote("chest", "1.1.0", DEFAULT_SITE, OPERATOR)
    assert here.version("north") == "1.1.0"
    assert here.manage.not_installed("north") == []


def test_during_an_upgrade_an_old_process_reads_with_what_it_has(here):
    """And leaves the promotion of the new release alone."""
    old = here.process(InMemoryModelCatalogue(whole_set()))
    old.of_site("north")
    here.install("1.1.0", beside=False)
    here.later()
    assert here.version("north") == "1.1.0"
    here.later()
    found = old.of_site("north").panel("pneumonia")
    assert found is not None
    assert found[0].version == "1.0.0"
    here.later()
    assert here.version("north") == "1.1.0"
    assert len(here.manage.promotions(DEFAULT_SITE)) == 4


def test_shipped_points_that_changed_are_taken_over_by_a_process_once(here):
    """When it starts; two processes whose files differ do not change them in turns for ever."""
    chest = small_chest()
    panels = tuple(
        replace(panel, operating_points=tuple(replace(p, threshold=0.6) for p in points))
        for panel in chest.panels
        for points in [panel.operating_points]
    )
    gate, _, lungs = whole_set()
    changed = InMemoryModelCatalogue([gate, replace(chest, panels=panels), lungs])
    other = here.process(changed)
    assert here.threshold(DEFAULT_SITE, "covid19") == 0.25
    other.of_site(DEFAULT_SITE)
    for _ in range(3):
        here.later()
        assert here.threshold(DEFAULT_SITE, "covid19") == 0.6
        other.of_site(DEFAULT_SITE)
    actions = [action for action, subject in here.actions() if subject == "default/chest/1.0.0"]
    assert actions == ["operating_points.set"] * 2


def test_a_label_that_was_added_to_a_promoted_version_is_noticed(here):
    """Its files were replaced under it; a shipped point does not slip in."""
    here.manage.promote("chest", "1.0.0", DEFAULT_SITE, OPERATOR)
    with here.unit_of_work.begin() as transaction:
        held = transaction._rows.operating_points  # noqa: SLF001 - as no code deletes one
        del held[DEFAULT_SITE, "chest", "1.0.0", "pathology", "nodule"]
    here.later()
    with pytest.raises(InvalidManifest, match="pathology/nodule"):
        here.models.of_site(DEFAULT_SITE)


def test_a_sender_that_names_endless_sites_fills_no_memory(here):
    """What is kept is bounded."""
    for number in range(600):
        here.models.of_site(f"site-{number}")
    assert len(here.models._kept) <= 256  # noqa: SLF001 - cannot be seen from outside


def test_an_empty_repository_is_a_wrong_installation(here):
    """As without sites."""
    here.catalogue.models = ()
    with pytest.raises(InvalidManifest):
        here.models.of_site("north")
