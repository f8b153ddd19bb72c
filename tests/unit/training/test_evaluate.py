"""A whole evaluation of a tiny network: every report and figure, twice the same."""

from __future__ import annotations

import csv
import json
import os
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
pytest.importorskip("tensorflow", reason="needs the training environment: make test-training")

from hilum_training.evaluation import kept_answers as module
from hilum_training.evaluation import measured_network
from hilum_training.evaluation.evaluate import evaluate, headlines
from hilum_training.evaluation.features import class_maps
from hilum_training.evaluation.kept_answers import kept_answers, points_lines
from hilum_training.films.library import open_library
from hilum_training.network import build_network, head_name
from hilum_training.population.probe import fit_probe, probe_path, save_probe
from hilum_training.prediction import predict_logits, predict_pooled
from hilum_training.weights import WeightsMissing, save_weights, weights_path
from tests.unit.training.film_folders import FilmFolder, texture
from tests.unit.training.tiny_recipe import TINY

LABELS = TINY.panels[0].names


def write_rows(path, rows):
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    """Thirty patients of each label, of two sources, with a mask and a box here and there."""
    folder = FilmFolder(tmp_path_factory.mktemp("pack"))
    masks, boxes = [], []
    lungs = np.zeros((96, 96), dtype=np.uint8)
    lungs[16:80, 16:80] = 255
    for index, label in enumerate(LABELS):
        for patient in range(30):
            source = "cohen" if patient % 3 == 0 else "kermany"
            name = f"{source}/{label}-{patient}"
            pixels = texture(100 * index + patient).astype(int) // 2
            pixels[24 * index : 24 * index + 24] += 120
            folder.add(name, np.clip(pixels, 0, 255).astype(np.uint8), label, source=source)
            masks.append({"file": f"images/{name}.png", "mask": "lungs.png", "kind": "lungs"})
            if source == "cohen":
                place = {"x": "10", "y": "10", "w": "40", "h": "40"}
                boxes.append({"file": f"images/{name}.png", "label": "consolidation", **place})
    closed = folder.close()
    Image.fromarray(lungs).save(closed / "lungs.png")
    write_rows(closed / "masks.csv", masks)
    write_rows(closed / "boxes.csv", boxes)
    return closed


@pytest.fixture(scope="module")
def library(pack, tmp_path_factory):
    """Its films."""
    both = replace(TINY, data=replace(TINY.data, sources=("kermany", "cohen")))
    return open_library(both, pack, tmp_path_factory.mktemp("cache"))


def lungs_in_the_middle(inputs):
    """A segmentation that finds the lungs in the middle of every film."""
    masks = np.zeros((*inputs.shape[:3], 4), dtype=np.uint8)
    masks[:, 4:28, 4:28, 2] = 255
    return masks


def test_every_panel_gets_its_report_and_figures_twice_the_same(library, pack, tmp_path):
    """Metrics of network and panels, curves, maps; a rerun gives the same bytes."""
    network = build_network(TINY)

    def measured():
        report = evaluate(TINY, library, network, tmp_path, pack)
        files = {
            path.relative_to(tmp_path).as_posix(): path.read_bytes()
            for path in sorted(tmp_path.rglob("*"))
            if path.is_file()
        }
        return report, files

    report, first = measured()
    assert sorted(first) == [
        "pathology/README.md",
        "pathology/heatmaps.png",
        "pathology/metrics.json",
        "pathology/precision_recall.svg",
        "pathology/reliability.svg",
        "pathology/roc.svg",
        "pneumonia/README.md",
        "pneumonia/confusion.svg",
        "pneumonia/heatmaps.png",
        "pneumonia/metrics.json",
        "pneumonia/precision_recall.svg",
        "pneumonia/reliability.svg",
        "pneumonia/roc.svg",
        "tiny/metrics.json",
    ]
    assert json.loads(first["tiny/metrics.json"]) == report
    assert measured()[1] == first


def test_the_report_tells_what_the_answers_rest_on(library, pack, tmp_path):
    """Probe, changed films, films without lungs and localisation are all in the panel's report."""
    report = evaluate(TINY, library, build_network(TINY), tmp_path, pack, lungs_in_the_middle)
    section = json.loads((tmp_path / "pneumonia/metrics.json").read_text())
    (row,) = [row for row in section["changed_films"] if row["question"].startswith("bacterial")]
    assert {"as_it_is", "border_covered", "histogram_equalised", "half_resolution"} < set(row)
    assert {"lungs_only", "lungs_covered"} < set(section["without_lungs"][0])
    assert {row["searched"] for row in section["localisation"]} == {"whole film", "within lungs"}
    assert report["source_probe"]["features"]["sources"] == 2
    assert any(line.startswith("pneumonia: ") for line in headlines(report))


def test_the_network_s_report_begins_with_what_it_says_of_healthy_people(library, pack, tmp_path):
    """All panels together, by source, with experimental labels off and on, and by severity."""
    ill = next(film for film in library.test.films if film.label != "normal")
    write_rows(pack / "severity.csv", [{"file": ill.file, "opacity_mean": "3.0"}])
    report = evaluate(TINY, library, build_network(TINY), tmp_path, pack)
    (pack / "severity.csv").unlink()
    for switched in ("default", "with_experimental"):
        part = report["headline"][switched]
        assert {row["source"] for row in part["by_source"]} == {"kermany", "cohen"}
        whole = part["overall"]
        assert whole["normal_films"] + whole["ill_films"] == len(library.test.films)
        assert part["by_severity"][0]["ill_films"] == 1
    assert "flags a normal image" in headlines(report)[1]
    error = report["panels"]["pneumonia"]["calibration_error"]
    assert {row["source"] for row in error["within_source"]} == {"kermany", "cohen"}


def test_no_image_is_asked_twice_as_it_is(library, pack, tmp_path, monkeypatch):
    """Each split goes through the network once, whatever is made of its answers."""
    asked = []

    def counting(predict):
        def count(network, inputs):
            asked.extend(
                name
                for name in ("train", "validation", "test")
                if inputs.shape == getattr(library, name).inputs.shape
                and np.array_equal(inputs, getattr(library, name).inputs)
            )
            return predict(network, inputs)

        return count

    for name in ("predict_logits", "predict_pooled"):
        monkeypatch.setattr(measured_network, name, counting(getattr(measured_network, name)))
    evaluate(TINY, library, build_network(TINY), tmp_path, pack)
    assert sorted(asked) == ["test", "train", "validation"]


def test_points_are_chosen_again_without_another_pass(library, tmp_path, monkeypatch):
    """The answers are kept under a name that says of which weights and images they are."""
    weights = tmp_path / "weights"
    save_weights(build_network(TINY), weights_path(weights, TINY.name))
    kept = kept_answers(TINY, library, weights, tmp_path)
    assert kept.logits["test"]["pneumonia"].shape == (len(library.test.films), len(LABELS))
    lines = points_lines(TINY, library, kept)
    assert lines[0].startswith("pneumonia/normal: ")
    assert any("flags a normal image" in line for line in lines)
    with monkeypatch.context() as patch:
        patch.setattr(module, "load_network", None)
        again = kept_answers(TINY, library, weights, tmp_path)
    assert np.array_equal(
        again.logits["validation"]["pathology"], kept.logits["validation"]["pathology"]
    )
    save_weights(build_network(TINY), weights_path(weights, TINY.name))
    kept_answers(TINY, library, weights, tmp_path)
    assert len(list(tmp_path.glob("answers-*.npz"))) == 2
    with pytest.raises(WeightsMissing):
        kept_answers(replace(TINY, name="never trained"), library, weights, tmp_path)


def test_points_are_told_inside_the_scopes_of_the_last_evaluation(library, tmp_path):
    """With what measures the population, images outside a panel's scope get no verdict."""
    weights = tmp_path / "weights"
    save_weights(build_network(TINY), weights_path(weights, TINY.name))
    kept = kept_answers(TINY, library, weights, tmp_path)
    probe = fit_probe(kept.features["validation"], library.validation.films)
    path = probe_path(weights, TINY.name)
    # Far from every image: nothing lies inside a scope, and nothing is flagged.
    far = {split: features + 1e6 for split, features in kept.features.items()}
    save_probe(probe, path)
    apart = replace(kept, features={**kept.features, "test": far["test"]})
    lines = points_lines(TINY, library, apart, path)
    assert any(line.startswith("  all: 0 (") for line in lines)


def test_pooled_features_and_maps_give_back_the_logits(library):
    """The mean of a class's map plus its bias is its logit."""
    network = build_network(TINY)
    films = library.test.inputs[:6]
    logits = predict_logits(network, films)["pneumonia"]
    bias = np.asarray(network.get_layer(head_name("pneumonia")).bias)
    maps = class_maps(network, films, "pneumonia")
    assert np.allclose(maps.mean(axis=(1, 2)) + bias, logits, atol=1e-4)
    pooled, again = predict_pooled(network, films)
    assert pooled.shape == (6, 8)
    assert np.allclose(again["pneumonia"], logits, atol=1e-5)
