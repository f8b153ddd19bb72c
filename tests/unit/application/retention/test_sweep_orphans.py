"""Objects that no row names go; everything else stays."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from hilum.application.retention.expire_films import ExpireFilms, RetentionRule
from hilum.application.retention.sweep_orphans import SweepOrphans, Swept
from hilum.domain.errors import DatabaseUnavailable, ObjectStoreUnavailable
from hilum.domain.object_keys import film_key, preview_key
from tests.unit.application.stage import ME, Stage, film, key

SOME_ID = "5d0c6c0a-8c3b-4a53-9d1e-0f1f6f0f7a10"


class Store(Stage):
    """A stage whose object store is swept."""

    def __init__(self) -> None:
        super().__init__()
        self.sweep = SweepOrphans(
            unit_of_work=self.unit_of_work, store=self.store, clock=self.clock
        )

    def leave(self, name: str, *, hours_ago: float = 25, content: bytes = b"1234") -> str:
        """An object that was stored so many hours ago."""
        self.store.put(name, [content], media_type="image/png")
        self.store.stored_at[name] = self.clock.now() - timedelta(hours=hours_ago)
        return name

    def grow_old(self) -> None:
        """Everything that is stored was stored long ago."""
        long_ago = self.clock.now() - timedelta(days=99)
        self.store.stored_at = dict.fromkeys(self.store.objects, long_ago)


@pytest.fixture
def stage() -> Store:
    return Store()


def test_what_no_row_names_is_removed(stage):
    """Films and previews; counted with their bytes, and audited."""
    stage.leave(film_key(uuid4(), uuid4()))
    stage.leave(preview_key(uuid4()), content=b"12")
    assert stage.sweep(ME) == Swept(2, 6)
    assert stage.store.objects == {}
    (event,) = stage.events()
    assert (event.actor, event.action) == (ME, "films.orphans_removed")
    assert dict(event.details) == {"objects": 2, "size_bytes": 6}


def test_what_a_row_names_stays(stage):
    """A film that waits, one that was read, and its preview."""
    stage.queued(film(1))
    job = stage.queued(film(2))
    stage.analyse(job.id)
    stage.show.preview(job.id, key())
    stage.grow_old()
    before = dict(stage.store.objects)
    assert stage.sweep(ME) == Swept()
    assert stage.store.objects == before
    assert "films.orphans_removed" not in stage.actions()


def test_what_is_young_stays(stage):
    """Its rows may be about to be written."""
    stage.leave(film_key(uuid4(), uuid4()), hours_ago=23.9)
    assert stage.sweep(ME) == Swept()
    stage.advance(3600)
    assert stage.sweep(ME).objects == 1


@pytest.mark.parametrize(
    "name",
    [
        "films/readme.txt",
        "films/notes/of/somebody",
        f"films/{SOME_ID}",
        f"films/{SOME_ID}/{SOME_ID}/more",
        f"previews/{SOME_ID}.png",
        "previews/x.jpg",
        "models/chest/1/model.onnx",
        f"{SOME_ID}/{SOME_ID}",
    ],
)
def test_what_hilum_never_wrote_is_left_alone(stage, name):
    """A bucket may hold other things."""
    stage.leave(name)
    assert stage.sweep(ME) == Swept()
    assert name in stage.store.objects


def test_a_dry_run_only_counts(stage):
    """Nothing is removed, nothing audited."""
    stage.leave(film_key(uuid4(), uuid4()))
    assert stage.sweep(ME, dry_run=True) == Swept(1, 4)
    assert len(stage.store.objects) == 1
    assert stage.events() == []


def test_a_preview_made_in_the_moment_of_expiry_is_an_orphan(stage):
    """Somebody looked while the film went."""
    job = stage.queued()
    stage.analyse(job.id)
    stage.advance(31 * 24 * 3600)
    expire = ExpireFilms(unit_of_work=stage.unit_of_work, store=stage.store, clock=stage.clock)
    expire(RetentionRule(30), ME)
    stage.leave(preview_key(job.id))
    assert stage.sweep(ME) == Swept(1, 4)
    assert stage.store.objects == {}


def test_many_orphans_among_many_films(stage, monkeypatch):
    """Each of them, across the borders of batches."""
    monkeypatch.setattr("hilum.application.retention.sweep_orphans._BATCH", 3)
    for shade in range(7):
        stage.queued(film(shade))
    stage.grow_old()
    kept = dict(stage.store.objects)
    for _ in range(8):
        stage.leave(film_key(uuid4(), uuid4()))
    assert stage.sweep(ME) == Swept(8, 32)
    assert stage.store.objects == kept


def test_an_outage_in_the_middle_is_gone_on_from(stage):
    """What is left is swept by the next run."""
    for _ in range(3):
        stage.leave(film_key(uuid4(), uuid4()))
    delete, deleted = stage.store.delete, []

    def fail_after_one(name: str) -> None:
        if deleted:
            raise ObjectStoreUnavailable("told to fail")
        deleted.append(name)
        delete(name)

    stage.store.delete = fail_after_one
    with pytest.raises(ObjectStoreUnavailable):
        stage.sweep(ME)
    stage.store.delete = delete
    assert stage.sweep(ME).objects == 2
    assert stage.store.objects == {}


def test_without_the_database_nothing_is_taken_for_an_orphan(stage):
    """Not knowing is not the same as nobody naming it."""
    stage.queued()
    stage.grow_old()
    stage.unit_of_work.available = False
    with pytest.raises(DatabaseUnavailable):
        stage.sweep(ME)
    assert len(stage.store.objects) == 1
