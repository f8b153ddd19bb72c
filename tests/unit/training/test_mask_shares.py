"""The lungs learnt from a part of their films: as many steps, all test films, told beside Dice."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import pytest

from tests.unit.training.tiny_masks import SHIPPED, TINY, drawn_pack

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
pytest.importorskip("tensorflow", reason="needs the training environment: make test-training")

from hilum_training.evaluation.mask_shares import main, run_share, share_recipe
from hilum_training.segmentation.library import open_masks


@pytest.mark.parametrize(("share", "epochs", "warmup"), [(0.5, 20, 2), (0.25, 40, 4)])
def test_a_part_of_the_films_is_shown_as_many_times_more(share, epochs, warmup):
    """Steps and schedule are those of all films: only what is learnt from differs."""
    changed = share_recipe(SHIPPED, share)
    assert (changed.fit.epochs, changed.fit.warmup_epochs) == (epochs, warmup)
    assert replace(changed, fit=SHIPPED.fit) == SHIPPED
    assert replace(changed.fit, epochs=10, warmup_epochs=1) == SHIPPED.fit


def test_a_share_learns_from_its_films_and_is_asked_about_all_test_films(tmp_path):
    """Half of the films teach; the rows count the test films of the whole library."""
    pack = drawn_pack(tmp_path / "pack")
    library = open_masks(TINY, pack, tmp_path / "cache")
    places = {"pack": pack, "state": tmp_path / "state", "report": tmp_path / "report"}
    metrics = run_share(TINY, library, 0.5, **places)
    assert metrics["training_films"] == round(len(library.train.outlines) / 2)
    assert metrics["epochs"] == 2
    films = {(row["source"], row["structure"]): row["films"] for row in metrics["structures"]}
    kermany = [film for film in library.test.films.films if film.source == "kermany"]
    assert films["kermany", "lungs_with_heart"] == len(kermany) > 0
    assert all(0 <= row["dice"]["value"] <= 1 for row in metrics["structures"])
    assert json.loads((tmp_path / "report/metrics.json").read_text()) == metrics
    assert len((tmp_path / "report/epochs.csv").read_text().splitlines()) == 3


@pytest.mark.parametrize("share", ["0", "1", "1.5", "-0.5"])
def test_a_share_that_is_no_part_is_refused(share, capsys, tmp_path):
    """All of the films is the shipped run."""
    with pytest.raises(SystemExit):
        main([f"--runs={tmp_path}", "--", share])
    assert "no part of the films" in capsys.readouterr().err
