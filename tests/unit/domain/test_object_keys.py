"""Keys of films and previews are told from everything else."""

from __future__ import annotations

from uuid import uuid4

import pytest

from hilum.adapters.object_store.keys import require_valid_key
from hilum.domain.object_keys import (
    film_key,
    is_film_key,
    job_of_preview,
    keys_of,
    preview_key,
)


def test_a_film_and_its_preview_have_keys_that_a_store_takes():
    """Each is known again as what it is."""
    job, film = uuid4(), film_key(uuid4(), uuid4())
    assert keys_of(job, film) == (film, preview_key(job))
    for stored in keys_of(job, film):
        assert require_valid_key(stored) == stored
    assert is_film_key(film)
    assert not is_film_key(preview_key(job))
    assert job_of_preview(preview_key(job)) == job
    assert job_of_preview(film) is None


@pytest.mark.parametrize("around", ["x{}", "{}x", "a/{}", "{}/a", "{}\n"])
def test_what_only_holds_such_a_key_is_none(around):
    """The whole key counts."""
    assert not is_film_key(around.format(film_key(uuid4(), uuid4())))
    assert job_of_preview(around.format(preview_key(uuid4()))) is None
