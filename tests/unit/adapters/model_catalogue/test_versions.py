"""Several versions of one model in a repository folder."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hilum.adapters.model_catalogue.model_catalogue import CARD, MANIFEST, FilesystemModelCatalogue
from hilum.domain.errors import InvalidManifest
from hilum.domain.model import Artefact, TensorSpec
from tests.fakes.model_catalogue import small_model

FIRST = small_model()
SECOND = replace(
    FIRST,
    version="1.1.0",
    serving_version=2,
    artefacts=(Artefact("2/model.onnx", "0" * 64, 1),),
    onnx="2/model.onnx",
)


@pytest.fixture
def home(tmp_path):
    """A model's folder with its second version on top and its first in a folder."""
    folder = tmp_path / FIRST.name
    for number, model in ((1, FIRST), (2, SECOND)):
        (folder / str(number)).mkdir(parents=True)
        (folder / str(number) / "model.onnx").write_bytes(b"x")
        if model is FIRST:
            (folder / "1" / MANIFEST).write_text(model.to_json(), encoding="utf-8")
    (folder / MANIFEST).write_text(SECOND.to_json(), encoding="utf-8")
    return folder


def catalogue(home, *, verify_artefacts=False):
    return FilesystemModelCatalogue(home.parent, verify_artefacts=verify_artefacts)


def test_an_older_version_lies_in_its_numbered_folder(home):
    """As training leaves it when it publishes the next one; artefacts of both are checked."""
    both = catalogue(home, verify_artefacts=True)
    assert list(both.installed()) == [FIRST, SECOND]
    assert both.current().models == (SECOND,)
    (home / "1" / "model.onnx").unlink()
    with pytest.raises(InvalidManifest, match="missing"):
        catalogue(home, verify_artefacts=True).installed()


def test_a_version_that_was_put_beside_the_top_one_may_be_newer(home):
    """A folder that came from elsewhere is installed by copying it."""
    (home / "1" / MANIFEST).unlink()
    (home / MANIFEST).write_text(FIRST.to_json(), encoding="utf-8")
    (home / "2" / MANIFEST).write_text(SECOND.to_json(), encoding="utf-8")
    assert catalogue(home).current().models == (SECOND,)
    assert list(catalogue(home).installed()) == [FIRST, SECOND]


def test_each_version_has_a_card_of_its_own(home):
    """The top one is the newest's and is shown for no other."""
    (home / CARD).write_text("# new", encoding="utf-8")
    assert catalogue(home).card(SECOND) == "# new"
    assert catalogue(home).card(FIRST) == ""
    (home / "1" / CARD).write_text("# old", encoding="utf-8")
    assert catalogue(home).card(FIRST) == "# old"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (replace(FIRST, serving_version=3), "holds version 3"),
        (replace(FIRST, version="1.1.0"), "claim to be version 1.1.0"),
        (
            replace(FIRST, inputs=(TensorSpec("film", (64, 64, 1), "uint8", "film"),)),
            "other inputs",
        ),
        (replace(FIRST, name="else"), "holds a model named else"),
    ],
)
def test_versions_that_contradict_one_another_are_refused(home, wrong, said):
    """A decision names a version: it must be one thing, and served under one configuration."""
    (home / "1" / MANIFEST).write_text(wrong.to_json(), encoding="utf-8")
    with pytest.raises(InvalidManifest, match=said):
        catalogue(home).current()
