"""Where reports lie, and that measuring again changes nothing."""

from __future__ import annotations

import json

import pytest

from hilum_training.evaluation.report_files import created, read_json, write_json, write_reports

ABOUT = {"version": "0.2.0", "created": "2020-01-02", "weights": "abc", "films_used": []}


def test_a_panel_has_its_own_report_with_the_long_tables(tmp_path):
    """The network's report, which becomes manifest and card, goes without them."""
    section = {"accuracy": {"value": 1.0, "interval": None}, "by": {"sex": []}}
    report = write_reports(tmp_path, "chest", ABOUT, {"pneumonia": section})
    assert report["panels"]["pneumonia"] == {"accuracy": section["accuracy"]}
    own = read_json(tmp_path / "pneumonia/metrics.json")
    assert own["by"] == {"sex": []}
    assert (own["weights"], own["network"]) == ("abc", "chest")
    assert "not for diagnosis" in own["notice"]


def test_a_panel_with_its_networks_name_has_one_file(tmp_path):
    """The gate's report is the network's, and holds everything."""
    write_reports(tmp_path, "gate", ABOUT, {"gate": {"by": {"sex": []}}})
    assert [path.name for path in tmp_path.rglob("*.json")] == ["metrics.json"]
    assert read_json(tmp_path / "gate/metrics.json")["panels"]["gate"]["by"] == {"sex": []}


def test_the_date_stays_while_the_weights_stay(tmp_path):
    """Measured again: the same day. Other weights: today."""
    path = tmp_path / "metrics.json"
    write_json(path, ABOUT)
    assert created(path, "abc") == "2020-01-02"
    assert created(path, "other") != "2020-01-02"


def test_not_a_number_never_reaches_a_report(tmp_path):
    """JSON has no such thing; readers in other languages would stumble."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "metrics.json", {"value": float("nan")})


def test_a_report_is_written_the_same_twice(tmp_path):
    """Byte for byte."""
    for name in ("one", "two"):
        write_reports(tmp_path / name, "chest", ABOUT, {"pneumonia": {"accuracy": 1.0}})
    first, second = (
        sorted(p.read_bytes() for p in (tmp_path / name).rglob("*.json")) for name in ("one", "two")
    )
    assert first == second
    assert json.loads(first[0])


def test_a_figure_stands_in_one_line(tmp_path):
    """And reads back as what it was."""
    document = {
        "auroc": {"value": 0.9, "interval": [0.85, 1e-05]},
        "none": {"value": None, "interval": None},
        "scale": [1.0, -0.5],
        "names": ["a [ b", "{"],
    }
    write_json(tmp_path / "metrics.json", document)
    lines = (tmp_path / "metrics.json").read_text(encoding="utf-8").splitlines()
    assert '  "auroc": {"value": 0.9, "interval": [0.85, 1e-05]},' in lines
    assert '  "none": {"value": null, "interval": null},' in lines
    assert '  "scale": [1.0, -0.5],' in lines
    assert read_json(tmp_path / "metrics.json") == document
