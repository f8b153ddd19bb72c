"""A manifest says everything once, and its parts fit."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilum.domain.errors import InvalidManifest
from hilum.domain.model import (
    Artefact,
    CodedConcept,
    Label,
    ModelManifest,
    ModelSet,
    OperatingPoint,
    TensorSpec,
)

CODE = CodedConcept("SCT", "53084003", "Bacterial pneumonia")
FULL = ModelManifest(
    name="pneumonia",
    version="1.2.0",
    serving_version=3,
    panel="pneumonia",
    artefacts=(Artefact("1/model.onnx", "ab" * 32, 10), Artefact("labels.txt", "cd" * 32, 5)),
    onnx="1/model.onnx",
    inputs=(TensorSpec("film", (192, 192, 1), "uint8", "film"),),
    outputs=(
        TensorSpec("probabilities", (2,), "float32", "probabilities"),
        TensorSpec("heatmaps", (6, 6, 2), "float32", "heatmaps"),
    ),
    preprocessing="square-area-v1",
    labels=(
        Label("normal", "Normal", abnormal=False),
        Label("pneumonia_bacterial", "Bacterial pneumonia", code=CODE, weak=True),
    ),
    operating_points=(
        OperatingPoint("normal", 0.5),
        OperatingPoint("pneumonia_bacterial", 0.31, 0.9, 0.8, "validation"),
    ),
    calibration={"method": "temperature", "temperature": 1.25, "in_graph": True},
    training_data=({"source": "a", "films": 3, "licence": "CC BY 4.0"},),
    metrics={"auroc": {"value": 0.93, "interval": [0.9, 0.95]}},
    created="2026-11-21",
)


def test_a_manifest_survives_being_written_and_read():
    """Every field comes back equal, and writing again gives the same bytes."""
    text = FULL.to_json()
    read = ModelManifest.from_json(text)
    assert read == FULL
    assert read.to_json() == text
    assert text.endswith("}\n")


@given(
    threshold=st.floats(0, 1),
    name=st.text(min_size=1, max_size=20),
    metrics=st.dictionaries(st.text(), st.floats(allow_nan=False) | st.text() | st.none()),
)
def test_any_values_survive(threshold, name, metrics):
    """Also numbers to the last digit and text of every script."""
    points = (OperatingPoint("normal", threshold), *FULL.operating_points[1:])
    manifest = replace(FULL, name=name, operating_points=points, metrics=metrics)
    assert ModelManifest.from_json(manifest.to_json()) == manifest


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"labels": (FULL.labels[0], FULL.labels[0])}, "twice"),
        ({"operating_points": FULL.operating_points[:1]}, "operating points"),
        (
            {"operating_points": (*FULL.operating_points, FULL.operating_points[0])},
            "operating points",
        ),
        (
            {"operating_points": (OperatingPoint("normal", 1.5), FULL.operating_points[1])},
            "outside",
        ),
        (
            {
                "operating_points": (
                    OperatingPoint("normal", float("nan")),
                    FULL.operating_points[1],
                )
            },
            "outside",
        ),
        ({"onnx": "2/model.onnx"}, "not among the artefacts"),
        ({"inputs": ()}, "0 inputs"),
        ({"inputs": FULL.inputs * 2}, "2 inputs"),
        ({"outputs": FULL.outputs[:1]}, "no output means heatmaps"),
        ({"outputs": FULL.outputs[1:]}, "no output means probabilities"),
        (
            {"outputs": (replace(FULL.outputs[0], shape=(3,)), FULL.outputs[1])},
            "2 labels",
        ),
        (
            {"outputs": (FULL.outputs[0], replace(FULL.outputs[1], shape=(6, 6, 3)))},
            "2 labels",
        ),
    ],
)
def test_parts_that_do_not_fit_are_refused(change, told):
    """Serving relies on these, so a manifest without them does not exist."""
    with pytest.raises(InvalidManifest, match=told):
        replace(FULL, **change)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        "{}",
        json.dumps({**json.loads(FULL.to_json()), "schema_version": 2}),
        json.dumps({**json.loads(FULL.to_json()), "surprise": 1}),
        json.dumps({**json.loads(FULL.to_json()), "labels": None}),
        json.dumps({**json.loads(FULL.to_json()), "labels": [{"nom": "x"}]}),
        json.dumps(
            {
                **json.loads(FULL.to_json()),
                "operating_points": [
                    {"label": "normal", "threshold": "high"},
                    {"label": "pneumonia_bacterial", "threshold": 0.5},
                ],
            }
        ),
        json.dumps({k: v for k, v in json.loads(FULL.to_json()).items() if k != "onnx"}),
    ],
)
def test_a_file_that_is_no_manifest_is_refused(text):
    """Broken JSON, another schema, missing, unknown and malformed fields: one error."""
    with pytest.raises(InvalidManifest):
        ModelManifest.from_json(text)


def test_parts_are_found_by_meaning_and_by_label():
    """And what is not there is an error of the manifest, not a KeyError."""
    assert FULL.output("heatmaps").name == "heatmaps"
    assert FULL.operating_point("normal").threshold == 0.5
    assert FULL.film_input.shape == (192, 192, 1)
    with pytest.raises(InvalidManifest):
        FULL.operating_point("covid19")
    with pytest.raises(InvalidManifest):
        FULL.output("attention")


def test_the_version_of_a_set_does_not_depend_on_the_order_of_models():
    """The same models are the same set."""
    other = replace(FULL, name="mask", panel="lungs")
    assert ModelSet((FULL, other)).version == ModelSet((other, FULL)).version


@pytest.mark.parametrize(
    "change",
    [
        {"version": "1.2.1"},
        {"preprocessing": "square-area-v2"},
        {"artefacts": (Artefact("1/model.onnx", "ef" * 32, 10), FULL.artefacts[1])},
        {"operating_points": (OperatingPoint("normal", 0.51), FULL.operating_points[1])},
    ],
)
def test_the_version_of_a_set_changes_with_what_changes_a_reading(change):
    """Results are keyed by it: a new threshold reads films anew."""
    assert ModelSet((replace(FULL, **change),)).version != ModelSet((FULL,)).version


def test_the_version_of_a_set_stays_with_what_changes_no_reading():
    """A corrected name or a new metric reads no film again."""
    changed = replace(FULL, metrics={}, created="2026-11-22", training_data=())
    assert ModelSet((changed,)).version == ModelSet((FULL,)).version


def test_a_panel_finds_its_model():
    """Or None."""
    assert ModelSet((FULL,)).panel("pneumonia") is FULL
    assert ModelSet((FULL,)).panel("tuberculosis") is None
