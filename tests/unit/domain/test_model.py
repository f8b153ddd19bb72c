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
    Ensemble,
    Label,
    ModelManifest,
    ModelSet,
    OperatingPoint,
    Panel,
    PanelKind,
    Rank,
    Scope,
    ScopeLimit,
    TensorSpec,
)

CODE = CodedConcept("SCT", "53084003", "Bacterial pneumonia")
PNEUMONIA = Panel(
    name="pneumonia",
    display="Pneumonia",
    kind=PanelKind.SINGLE_LABEL,
    labels=(
        Label("normal", "Normal", abnormal=False),
        Label("pneumonia_bacterial", "Bacterial pneumonia", code=CODE, weak=True),
    ),
    operating_points=(
        OperatingPoint("normal", 0.5),
        OperatingPoint("pneumonia_bacterial", 0.31, 0.9, 0.8, "validation"),
    ),
    calibration={"method": "temperature", "temperature": 1.25, "in_graph": True},
    metrics={"auroc": {"value": 0.93, "interval": [0.9, 0.95]}},
    caution="Films of children only.",
)
LUNGS = Panel(
    "lungs", "Lungs", PanelKind.STRUCTURES, (Label("right_lung", "Right lung", abnormal=False),)
)
GATE = Panel(
    "gate",
    "Gate",
    PanelKind.GATE,
    (Label("frontal", "Frontal", abnormal=False), Label("lateral", "Lateral", abnormal=False)),
    (OperatingPoint("frontal", 0.5), OperatingPoint("lateral", 0.5)),
)
OUTPUTS = (
    TensorSpec("p", (2,), "float32", "probabilities", "pneumonia"),
    TensorSpec("h", (6, 6, 2), "float32", "heatmaps", "pneumonia"),
    TensorSpec("m", (8, 8, 1), "uint8", "masks", "lungs"),
)
FULL = ModelManifest(
    name="chest",
    version="1.2.0",
    serving_version=3,
    artefacts=(Artefact("1/model.onnx", "ab" * 32, 10), Artefact("labels.txt", "cd" * 32, 5)),
    onnx="1/model.onnx",
    inputs=(TensorSpec("film", (192, 192, 1), "uint8", "film"),),
    outputs=OUTPUTS,
    preprocessing="square-area-v1",
    panels=(PNEUMONIA, LUNGS),
    training_data=({"source": "a", "films": 3, "licence": "CC BY 4.0"},),
    created="2026-11-21",
)


def with_points(*points: OperatingPoint) -> tuple[Panel, ...]:
    """The panels with other operating points."""
    return (replace(PNEUMONIA, operating_points=points), LUNGS)


def document(**changes: object) -> dict:
    """The manifest as JSON, with changes at its top."""
    return {**json.loads(FULL.to_json()), **changes}


def of_panel(**changes: object) -> str:
    """The manifest as text, with changes in its first panel."""
    written = document()
    written["panels"][0] |= changes
    return json.dumps(written)


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
    points = (OperatingPoint("normal", threshold), *PNEUMONIA.operating_points[1:])
    panel = replace(PNEUMONIA, operating_points=points, metrics=metrics)
    manifest = replace(FULL, name=name, panels=(panel, LUNGS))
    assert ModelManifest.from_json(manifest.to_json()) == manifest


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"labels": (PNEUMONIA.labels[0], PNEUMONIA.labels[0])}, "twice"),
        ({"labels": (), "operating_points": ()}, "no label"),
        ({"operating_points": (OperatingPoint("covid19", 0.5),)}, "operating points"),
        ({"operating_points": PNEUMONIA.operating_points * 2}, "operating points"),
        (
            {"operating_points": (OperatingPoint("normal", 1.5), PNEUMONIA.operating_points[1])},
            "outside",
        ),
        (
            {
                "operating_points": (
                    OperatingPoint("normal", float("nan")),
                    PNEUMONIA.operating_points[1],
                )
            },
            "outside",
        ),
        ({"kind": PanelKind.GATE}, "needs the label frontal"),
        (
            {"kind": PanelKind.GATE, "operating_points": PNEUMONIA.operating_points[:1]},
            "operating point for each label",
        ),
        ({"kind": PanelKind.STRUCTURES}, "operating points"),
    ],
)
def test_a_panel_whose_parts_do_not_fit_is_refused(change, told):
    """Reading relies on these, so a panel without them does not exist."""
    with pytest.raises(InvalidManifest, match=told):
        replace(PNEUMONIA, **change)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"panels": ()}, "no panel"),
        ({"panels": (PNEUMONIA, PNEUMONIA)}, "panel stands twice"),
        ({"onnx": "2/model.onnx"}, "not among the artefacts"),
        ({"inputs": ()}, "0 inputs"),
        ({"inputs": FULL.inputs * 2}, "2 inputs"),
        ({"outputs": OUTPUTS[1:]}, "no output gives the probabilities of pneumonia"),
        ({"outputs": OUTPUTS[:2]}, "no output gives the masks of lungs"),
        ({"outputs": (replace(OUTPUTS[0], shape=(3,)), *OUTPUTS[1:])}, "2 labels"),
        (
            {"outputs": (OUTPUTS[0], replace(OUTPUTS[1], shape=(6, 6, 3)), OUTPUTS[2])},
            "2 labels",
        ),
        ({"outputs": (*OUTPUTS[:2], replace(OUTPUTS[2], shape=(8, 8, 2)))}, "1 labels"),
        ({"outputs": (*OUTPUTS[:2], replace(OUTPUTS[2], dtype="float32"))}, "masks are uint8"),
        ({"outputs": (*OUTPUTS, replace(OUTPUTS[0], meaning="x"))}, "share a name"),
    ],
)
def test_parts_that_do_not_fit_are_refused(change, told):
    """Serving relies on these, so a manifest without them does not exist."""
    with pytest.raises(InvalidManifest, match=told):
        replace(FULL, **change)


def test_a_label_may_be_without_an_operating_point():
    """It then has no verdict; its rank, prevalence and the panel's scope are kept in the file."""
    labels = (
        PNEUMONIA.labels[0],
        replace(PNEUMONIA.labels[1], rank=Rank.EXPERIMENTAL, prevalence=0.05),
    )
    limit = ScopeLimit("child", 0.5, "looks_like_a_child")
    scope = Scope(1, 18.5, ("PA", "AP"), (limit,), ("one hospital",), ("adults",))
    panel = replace(
        PNEUMONIA, labels=labels, operating_points=PNEUMONIA.operating_points[:1], scope=scope
    )
    measures = TensorSpec("s", (2,), "float32", "scope")
    manifest = replace(
        FULL,
        panels=(panel, LUNGS),
        outputs=(*OUTPUTS, measures),
        scope_measures=("child", "distance"),
    )
    assert ModelManifest.from_json(manifest.to_json()) == manifest


def test_a_manifest_of_the_release_before_is_read():
    """Every label counts as validated, and no panel has a scope."""
    written = document(schema_version=2)
    del written["scope_measures"]
    for panel in written["panels"]:
        del panel["scope"]
        for point in panel["operating_points"]:
            del point["beyond_scope"]
        for label in panel["labels"]:
            del label["rank"], label["prevalence"]
    assert ModelManifest.from_json(json.dumps(written)) == FULL


@pytest.mark.parametrize(
    ("outputs", "measures", "limits", "told"),
    [
        ((2,), ("child",), (), "output scope"),
        ((), ("child",), (), "output scope"),
        ((1,), (), (), "output scope"),
        ((), (), ("child",), "nothing measures child"),
    ],
)
def test_a_scope_that_nothing_measures_is_refused(outputs, measures, limits, told):
    """The output, its names and the bounds on them fit one another."""
    scope = Scope(limits=tuple(ScopeLimit(name, 0.5, "looks_like_a_child") for name in limits))
    specs = tuple(TensorSpec("s", (count,), "float32", "scope") for count in outputs)
    with pytest.raises(InvalidManifest, match=told):
        replace(
            FULL,
            panels=(replace(PNEUMONIA, scope=scope), LUNGS),
            outputs=(*OUTPUTS, *specs),
            scope_measures=measures,
        )


def test_a_panel_without_heatmaps_is_one():
    """A gate has none."""
    gate = TensorSpec("g", (2,), "float32", "probabilities", "gate")
    manifest = replace(FULL, panels=(GATE,), outputs=(gate,))
    assert not manifest.has_output("heatmaps", "gate")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        "{}",
        json.dumps(document(schema_version=1)),
        json.dumps(document(surprise=1)),
        json.dumps(document(panels=None)),
        of_panel(surprise=1),
        of_panel(kind="guess"),
        of_panel(labels=None),
        of_panel(labels=[{"nom": "x"}]),
        of_panel(
            operating_points=[
                {"label": "normal", "threshold": "high"},
                {"label": "pneumonia_bacterial", "threshold": 0.5},
            ]
        ),
        json.dumps({k: v for k, v in document().items() if k != "onnx"}),
    ],
)
def test_a_file_that_is_no_manifest_is_refused(text):
    """Broken JSON, another schema, missing, unknown and malformed fields: one error."""
    with pytest.raises(InvalidManifest):
        ModelManifest.from_json(text)


def test_parts_are_found_by_meaning_panel_and_label():
    """And what is not there is an error of the manifest, not a KeyError."""
    assert FULL.output("heatmaps", "pneumonia").name == "h"
    assert FULL.output("masks", "lungs").name == "m"
    assert FULL.panel("pneumonia") is PNEUMONIA
    assert FULL.panel("fractures") is None
    assert PNEUMONIA.operating_point("normal").threshold == 0.5
    assert FULL.film_input.shape == (192, 192, 1)
    assert PNEUMONIA.operating_point("covid19") is None
    with pytest.raises(InvalidManifest):
        FULL.output("heatmaps", "lungs")


def test_the_version_of_a_set_does_not_depend_on_the_order_of_models():
    """The same models are the same set."""
    other = replace(FULL, name="mask")
    assert ModelSet((FULL, other)).version == ModelSet((other, FULL)).version


@pytest.mark.parametrize(
    "change",
    [
        {"version": "1.2.1"},
        {"preprocessing": "square-area-v2"},
        {"artefacts": (Artefact("1/model.onnx", "ef" * 32, 10), FULL.artefacts[1])},
        {"panels": with_points(OperatingPoint("normal", 0.51), PNEUMONIA.operating_points[1])},
    ],
)
def test_the_version_of_a_set_changes_with_what_changes_a_reading(change):
    """Results are keyed by it: a new threshold reads films anew."""
    assert ModelSet((replace(FULL, **change),)).version != ModelSet((FULL,)).version


def test_the_version_of_a_set_stays_with_what_changes_no_reading():
    """A corrected name, a new metric or another way of serving reads no film again."""
    panels = (replace(PNEUMONIA, metrics={}, display="Lung infection"), LUNGS)
    changed = replace(FULL, panels=panels, created="2026-11-22", training_data=())
    together = Ensemble("hilum", {"chest": 3})
    assert ModelSet((changed,), together).version == ModelSet((FULL,)).version


def test_a_panel_finds_its_model():
    """Or None."""
    assert ModelSet((FULL,)).panel("lungs") == (FULL, LUNGS)
    assert ModelSet((FULL,)).panel("tuberculosis") is None


def test_the_gate_of_a_set_is_found_by_its_kind():
    """Whatever it is called; a set may have none."""
    spec = TensorSpec("g", (2,), "float32", "probabilities", "door")
    door = replace(FULL, name="x", panels=(replace(GATE, name="door"),), outputs=(spec,))
    assert ModelSet((FULL, door)).gate == (door, door.panels[0])
    assert ModelSet((FULL,)).gate is None


def second(**changes: object) -> ModelManifest:
    """Another model, which takes the same film."""
    outputs = (TensorSpec("g", (2,), "float32", "probabilities", "gate"),)
    model = replace(FULL, name="gate", serving_version=1, panels=(GATE,), outputs=outputs)
    return replace(model, **changes)


def test_a_set_is_served_together_by_an_ensemble_of_the_same_versions():
    """Name for name and version for version."""
    ensemble = Ensemble("hilum", {"chest": 3, "gate": 1})
    assert ModelSet((FULL, second()), ensemble).together is ensemble


@pytest.mark.parametrize(
    ("models", "steps"),
    [
        ((FULL, second()), {"chest": 3, "gate": 2}),
        ((FULL, second()), {"chest": 3}),
        ((FULL,), {"chest": 3, "gate": 1}),
        ((FULL, second(preprocessing="other")), {"chest": 3, "gate": 1}),
        (
            (FULL, second(inputs=(TensorSpec("film", (96, 96, 1), "uint8", "film"),))),
            {"chest": 3, "gate": 1},
        ),
        (
            (FULL, second(outputs=(replace(second().outputs[0], name="p"),))),
            {"chest": 3, "gate": 1},
        ),
    ],
    ids=["version", "too few", "too many", "preprocessing", "input", "output"],
)
def test_what_an_ensemble_does_not_fit_is_not_served_together(models, steps):
    """Another version in it, another model, another film, or one name for two outputs."""
    assert ModelSet(models, Ensemble("hilum", steps)).together is None


def test_without_an_ensemble_nothing_is_served_together():
    """Each model is asked by itself."""
    assert ModelSet((FULL,)).together is None
