"""From a site's labelled films to operating points in force."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import numpy as np
import pytest

from hilum.application.thresholds.fit_thresholds import FitThresholds
from hilum.application.thresholds.labelled_films import LabelledFilm, ScoredFilm, Scores
from hilum.application.thresholds.resampling import Aim
from hilum.domain.errors import (
    InferenceUnavailable,
    InvalidRequest,
    LabelNotSeparable,
    TooFewFilms,
)
from hilum.domain.principal import DEFAULT_SITE, local_command
from hilum.domain.scope import AGE, UNLIKE_TRAINING
from hilum.domain.site_models import Origin, at_site
from tests.fakes.film_reader import graymap
from tests.fakes.model_catalogue import small_chest, small_gate, whole_set
from tests.unit.application.stage import MAX_FILES, Stage

if TYPE_CHECKING:
    from collections.abc import Callable

NORMAL = ("pneumonia", "normal")
EFFUSION = ("pathology", "effusion")
WHITE = 250


def banded(bright: float, number: int = 0) -> bytes:
    """A film whose upper quarter is so much brighter: the more, the more probable ``normal`` is."""
    pixels = np.random.default_rng(number).integers(20, 60, (64, 64)).astype(np.uint8)
    pixels[:16] += np.uint8(150 * bright)
    return graymap(pixels)


class Site:
    """A stage with the use case, and films of which some are positive."""

    def __init__(self) -> None:
        self.stage = Stage(models=whole_set())
        self.opened = 0
        self.fits = FitThresholds(
            unit_of_work=self.stage.unit_of_work, clock=self.stage.clock, reading=self._reading
        )
        self.models = self.stage.catalogue.current()
        self.chest = small_chest()

    def _reading(self):
        self.opened += 1
        return self.stage.reader, self.stage.engine

    def films(self, count: int = 60, **fields: object) -> list[LabelledFilm]:
        """Every other one is normal, and mostly looks so."""
        made = []
        for number in range(count):
            normal = number % 2 == 0
            bright = 0.15 + 0.2 * normal + 0.1 * np.sin(number)
            content = banded(max(bright, 0.0), number)
            film = LabelledFilm(
                f"film {number}",
                f"patient {number}",
                {NORMAL: normal},
                content=lambda content=content: content,
            )
            made.append(replace(film, **fields))  # type: ignore[arg-type]
        return made

    def scores(self, films, manifest=None, site=DEFAULT_SITE):
        return self.fits.scores(films, self.models, manifest or self.chest, site)

    def read(self, count: int = MAX_FILES) -> list[UUID]:
        """Jobs of the site ``default``, read by a worker."""
        contents = [banded(number / count, number) for number in range(count)]
        jobs = [file.job for file in self.stage.send(*contents).accepted]
        for job in jobs:
            self.stage.analyse(job.id)
        return [job.id for job in jobs]


@pytest.fixture
def site() -> Site:
    return Site()


def test_files_are_read_as_a_worker_reads_them(site):
    """The same film gives the same probabilities, whether it is sent or read from a file."""
    (job_id,) = site.read(1)
    by_job = LabelledFilm("a", "p", {NORMAL: True}, job_id=job_id)
    by_file = LabelledFilm("a", "p", {NORMAL: True}, content=lambda: banded(0.0, 0))
    (first,), (second,) = site.scores([by_job]).scored, site.scores([by_file]).scored
    assert first.probabilities == second.probabilities
    assert set(first.probabilities) >= {NORMAL, EFFUSION}
    assert site.opened == 1


def test_jobs_alone_need_neither_reader_nor_engine(site):
    """The database has their probabilities; a machine without decoders can fit."""
    films = [LabelledFilm("a", "p", {NORMAL: True}, job_id=job_id) for job_id in site.read()]
    assert len(site.scores(films).scored) == MAX_FILES
    assert site.opened == 0


def test_the_gate_is_fitted_on_films_that_it_stopped_too(site):
    """Their scores are kept, and nothing else of them is."""
    white = graymap(np.full((64, 64), WHITE, np.uint8))
    (file,) = site.stage.send(white).accepted
    site.stage.analyse(file.job.id)
    film = LabelledFilm("white", "p", {("gate", "frontal"): False}, job_id=file.job.id)
    as_file = replace(film, job_id=None, content=lambda: white)
    scored = site.scores([film, as_file], small_gate()).scored
    assert [item.probabilities["gate", "frontal"] < 0.5 for item in scored] == [True, True]
    left_out = site.scores([film, as_file]).left_out
    assert [reason for _, reason in left_out] == [
        "not read: stopped at the gate, or not finished"
    ] * 2


def test_what_cannot_count_is_left_out_with_its_reason(site):
    """A job of another site, an unknown one, one that waits, one of another version, no film."""
    done, other = site.read(2)
    waiting = site.stage.queued(banded(0.9, 77)).id
    films = [
        LabelledFilm("waits", "p", {}, job_id=waiting),
        LabelledFilm("unknown", "p", {}, job_id=uuid4()),
        LabelledFilm("no such uid", "p", {}, sop_instance_uid="1.2.3"),
        LabelledFilm("no film", "p", {}, content=lambda: b"text"),
        LabelledFilm("nothing", "p", {}),
        LabelledFilm("good", "p", {}, job_id=done),
    ]
    scores = site.scores(films)
    assert [item.film.name for item in scores.scored] == ["good"]
    reasons = dict(scores.left_out)
    assert set(reasons) == {"waits", "unknown", "no such uid", "no film", "nothing"}
    assert "no job" in reasons["unknown"]
    foreign = site.scores([LabelledFilm("theirs", "p", {}, job_id=other)], site="north")
    assert dict(foreign.left_out)["theirs"].endswith("at site north")
    newer = replace(site.chest, version="2.0.0")
    (reason,) = dict(site.scores([films[-1]], newer).left_out).values()
    assert reason == "read by chest 1.0.0, not by 2.0.0: send it again"


def test_an_engine_that_is_down_ends_it(site):
    """Half of the films would give another threshold."""
    site.stage.engine.available = False
    with pytest.raises(InferenceUnavailable):
        site.scores(site.films(2))


def test_each_label_that_is_told_is_fitted(site):
    """Panels and labels narrow it down; what the films say nothing of is not there."""
    films = [
        replace(film, truth={**film.truth, EFFUSION: number % 2 == 0})
        for number, film in enumerate(site.films())
    ]
    scores = site.scores(films)
    fits = site.fits.fit(scores, Aim.SENSITIVITY, 0.9)
    assert [(item.panel, item.label) for item in fits] == [NORMAL, EFFUSION]
    for narrowed in ({"panels": ["pathology"]}, {"labels": ["effusion"]}):
        fits = site.fits.fit(scores, Aim.SENSITIVITY, 0.9, **narrowed)
        assert [(item.panel, item.label) for item in fits] == [EFFUSION]
    assert site.fits.fit(scores, Aim.SENSITIVITY, 0.9, panels=["gate"]) == []


def test_a_label_with_too_few_films_is_told_and_the_others_are_fitted(site):
    """With the reason in place of a threshold."""
    films = [replace(film, truth={**film.truth, EFFUSION: False}) for film in site.films()]
    normal, effusion = site.fits.fit(site.scores(films), Aim.SENSITIVITY, 0.9)
    assert normal.fit.sensitivity.value >= 0.9
    assert normal.curve is not None
    assert (effusion.fit, effusion.curve) == (None, None)
    assert isinstance(effusion.refusal, TooFewFilms)
    assert "0 patients" in effusion.refusal.detail


def test_a_label_that_the_model_hardly_tells_apart_is_refused(site):
    """With its AUROC; the curve can still be looked at."""
    films = [replace(film, truth={NORMAL: n // 2 % 2 == 0}) for n, film in enumerate(site.films())]
    (item,) = site.fits.fit(site.scores(films), Aim.SPECIFICITY, 0.9)
    assert item.fit is None
    assert item.curve is not None
    assert isinstance(item.refusal, LabelNotSeparable)
    assert "must lie above 0.6" in item.refusal.detail


def test_what_cannot_be_wanted_is_refused(site):
    """Not told label by label."""
    with pytest.raises(InvalidRequest):
        site.fits.fit(site.scores(site.films(4)), Aim.SENSITIVITY, 1.0)


def test_the_order_of_the_films_changes_nothing(site):
    """Patients are drawn by their names."""
    films = site.films()
    forth, back = (
        site.fits.fit(site.scores(some), Aim.SENSITIVITY, 0.9)[0].fit
        for some in (films, films[::-1])
    )
    assert forth == back


def test_saved_points_are_in_force_with_their_evidence(site):
    """Who, when and on what; the log has the threshold and how it was found."""
    fits = site.fits.fit(site.scores(site.films()), Aim.SENSITIVITY, 0.9)
    before = site.stage.events()
    saved = site.fits.save(site.chest, fits, "north", local_command("me"), {"csv": "films.csv"})
    with site.stage.unit_of_work.begin(write=False) as transaction:
        (point,) = transaction.operating_points.of_sites({"north"})
    assert (point,) == tuple(saved)
    assert (point.key, point.origin, point.set_by) == (NORMAL, Origin.FITTED, "operator:me")
    assert (point.model, point.version) == ("chest", "1.0.0")
    assert point.point.threshold == fits[0].fit.threshold.value
    assert point.point.fitted_on == (
        "60 images of 60 patients of site north (30 images of 30 patients with the label, "
        "30 of 30 without it), for a sensitivity of 0.9"
    )
    assert point.evidence["csv"] == "films.csv"
    assert point.evidence["positives"] == 30
    (event,) = site.stage.events()[len(before) :]
    assert (event.actor, event.action) == (local_command("me"), "operating_points.set")
    assert event.object_id == "north/chest/1.0.0"
    assert event.details["pneumonia/normal"] == point.point.threshold
    assert "pneumonia/normal beyond_scope" not in event.details


def scored(
    *probabilities: tuple[bool, float],
    panel: str = "pathology",
    beyond: bool = False,
    child: Callable[[int], bool] = lambda _: False,
    **fields: object,
):
    """Images with and without an effusion, each of a patient of its own."""
    return [
        ScoredFilm(
            LabelledFilm(f"image {number}", f"patient {number}", {EFFUSION: truth}, **fields),
            {EFFUSION: value, ("pathology", "cardiomegaly"): 0.1, ("pathology", "nodule"): 0.9},
            {panel: AGE} if beyond and number % 2 else {},
            frozenset([panel] if child(number) else []),
        )
        for number, (truth, value) in enumerate(probabilities)
    ]


MIXED = [(number % 4 < 2, 0.3 + 0.4 * (number % 4 < 2) + number / 1000) for number in range(100)]


def test_saved_points_name_the_sources_that_were_counted(site):
    """The evidence has each source by itself, and the text which of them decided."""
    films = [
        *scored(*MIXED, source="ward"),
        *(replace(one, film=replace(one.film, patient=f"clinic {n}", source="clinic"))
          for n, one in enumerate(scored(*((truth, value / 2) for truth, value in MIXED)))),
    ]  # fmt: skip
    fits = site.fits.fit(Scores(site.chest, tuple(films), ()), Aim.SPECIFICITY, 0.9)
    (point,) = site.fits.save(site.chest, fits, "north", local_command("me"), {})
    assert point.point.fitted_on.endswith(
        "for a specificity of 0.9 at the worst source (ward) of clinic, ward"
    )
    assert point.evidence["by_source"]["ward"]["positives"] == 50
    assert point.evidence["by_source"]["ward"]["specificity"][0] == 0.9
    assert point.evidence["by_source"]["clinic"]["specificity"][0] == 1.0


def test_what_would_be_flagged_is_told_before_anything_is_saved(site):
    """On normal and on ill images, at the points as they are and with the fitted ones."""
    films = tuple(scored(*MIXED))
    scores = Scores(site.chest, films, ())
    fits = site.fits.fit(scores, Aim.SPECIFICITY, 0.9)
    flagged = site.fits.flagged(scores, fits)
    now = {flags.ill: flags for flags in flagged.now}
    then = {flags.ill: flags for flags in flagged.then}
    # A nodule of 0.9 is above its shipped 0.3 on every image.
    assert (now[False].images, now[False].flags, now[False].without) == (50, 100, 0)
    assert (then[False].flags, then[False].without) == (55, 0)
    assert then[True].flags == 100
    assert not site.stage.events()


def widened(site, *, panel: str = "pathology", **bounds: object):
    """A fit beyond the scope; every other image lies outside that of a panel."""
    films = tuple(scored(*MIXED, panel=panel, beyond=True))
    return site.fits.fit(
        Scores(site.chest, films, ()), Aim.SPECIFICITY, 0.9, beyond_scope=True, **bounds
    )


def test_an_image_outside_the_scope_has_no_part(site):
    """It has no verdict, so that it says nothing of a threshold. How many they are is told."""
    films = tuple(scored(*MIXED, beyond=True))
    (item,) = site.fits.fit(Scores(site.chest, films, ()), Aim.SPECIFICITY, 0.9)
    assert (item.fit.films, item.left_out) == (50, {AGE: 50})
    (point,) = site.fits.save(site.chest, [item], "north", local_command("me"), {})
    assert point.point.beyond_scope == ()
    assert point.evidence["left_out"] == {AGE: 50}


def test_a_scope_is_widened_by_images_from_outside_it(site):
    """For their cause alone; they count as a source, and the log names the cause."""
    (item,) = widened(site)
    assert (item.fit.films, dict(item.left_out)) == (100, {})
    (point,) = site.fits.save(site.chest, [item], "north", local_command("me"), {})
    assert point.point.beyond_scope == (AGE,)
    assert AGE in point.evidence["by_source"]
    assert site.stage.events()[-1].details["pathology/effusion beyond_scope"] == AGE
    active = at_site(site.chest, [point]).panel("pathology").operating_point("effusion")
    assert (active.holds(AGE), active.holds(UNLIKE_TRAINING)) == (True, False)


def test_a_scope_is_not_widened_without_images_from_outside_it(site):
    """Those of another panel do not help."""
    with pytest.raises(InvalidRequest, match="no image lies outside the scope"):
        widened(site, panel="pneumonia")


def test_a_scope_is_not_widened_by_a_handful_of_images(site):
    """The threshold inside the scope would be as good as before, and is not asked for."""
    few = tuple(
        replace(one, beyond={"pathology": AGE} if number < 8 else {})
        for number, one in enumerate(scored(*MIXED))
    )
    scores = Scores(site.chest, few, ())
    (inside,) = site.fits.fit(scores, Aim.SPECIFICITY, 0.9)
    assert (inside.fit.films, inside.left_out) == (92, {AGE: 8})
    with pytest.raises(InvalidRequest):
        site.fits.fit(scores, Aim.SPECIFICITY, 0.9, beyond_scope=True)


def with_child_threshold(manifest, value: float):
    """The manifest, whose effusion has a threshold of its own for small children."""
    pneumonia, pathology = manifest.panels
    points = tuple(
        replace(point, child_threshold=value) if point.label == "effusion" else point
        for point in pathology.operating_points
    )
    return replace(manifest, panels=(pneumonia, replace(pathology, operating_points=points)))


def test_a_threshold_for_everybody_else_is_not_fitted_on_children(site):
    """Which keep the one they have."""
    chest = with_child_threshold(site.chest, 0.77)
    films = tuple(scored(*MIXED, child=lambda number: number >= 60))
    (item,) = site.fits.fit(Scores(chest, films, ()), Aim.SPECIFICITY, 0.9)
    assert (item.fit.films, item.for_children) == (60, False)
    assert item.left_out == {"small_children": 40}
    assert (item.now, item.point("").child_threshold) == (0.3, 0.77)


def test_a_site_of_children_fits_their_threshold(site):
    """Everybody else keeps theirs."""
    chest = with_child_threshold(site.chest, 0.77)
    films = tuple(scored(*MIXED, child=lambda _: True))
    (item,) = site.fits.fit(Scores(chest, films, ()), Aim.SPECIFICITY, 0.9)
    assert (item.fit.films, item.for_children, item.now) == (100, True, 0.77)
    point = item.point("north")
    assert (point.threshold, point.child_threshold) == (0.3, item.fit.threshold.value)
    assert "For small children: 100 images" in point.fitted_on
    (saved,) = site.fits.save(chest, [item], "north", local_command("me"), {})
    assert saved.evidence["for_children"] is True
    details = site.stage.events()[-1].details
    assert details["pathology/effusion child_threshold"] == point.child_threshold
