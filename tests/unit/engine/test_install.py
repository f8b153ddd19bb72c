"""Installing models from a folder: checked, rendered, with what golden films must give."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from hilum.serving.golden import GOLDEN, Golden
from hilum_engine.main import main
from hilum_training.export.parity import onnx_runtime
from tests.small_networks import small_network, small_repository


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("source")
    small_repository(folder / "models", folder)
    small_network("chest", folder, version="0.2.0", seed=5).publish(folder / "models")
    return folder / "models"


def install(source, out, target="cpu"):
    return main(["install", "--source", str(source), "--target", target, "--out", str(out)])


def test_models_are_installed_with_what_golden_films_must_give(source, tmp_path, capsys):
    """For every version: what its own graph gives, within what the target may cost."""
    assert install(source, tmp_path / "out") == 0
    assert capsys.readouterr().out.splitlines() == [
        str(tmp_path / "out" / name) for name in ("chest", "gate", "lungs", "hilum")
    ]
    golden = {
        number: Golden.read(tmp_path / "out/chest" / str(number) / GOLDEN) for number in (1, 2)
    }
    for number, expected in golden.items():
        answer = onnx_runtime(source / "chest" / str(number) / "model.onnx")(expected.films)
        gaps = expected.deviations({name: np.asarray(value) for name, value in answer.items()})
        assert max(gaps.values()) < 1e-5
        assert set(gaps) == set(answer)
        assert not expected.wrong(gaps)
        other = golden[3 - number].deviations(answer)
        assert golden[3 - number].wrong(other)


def test_a_gpu_may_be_further_off_than_a_cpu(source, tmp_path):
    """Its arithmetic is coarser; nothing else differs."""
    assert install(source, tmp_path / "cpu") == 0
    assert install(source, tmp_path / "gpu", "gpu-onnxruntime") == 0
    cpu, gpu = (Golden.read(tmp_path / name / "gate/1" / GOLDEN) for name in ("cpu", "gpu"))
    assert np.array_equal(cpu.films, gpu.films)
    assert cpu.allowed["gate_probabilities"] < gpu.allowed["gate_probabilities"]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("gate/1/model.onnx", b"another graph", "invalid_manifest: gate: 1/model.onnx is not"),
        ("gate/1/model.py", None, "invalid_manifest: gate: 1/model.py is missing"),
        ("gate/manifest.json", b"{}", "invalid_manifest: "),
    ],
)
def test_a_wrong_file_leaves_what_was_there(source, tmp_path, capsys, name, content, told):
    """Nothing is exchanged, and the code is one that a program can match on."""
    assert install(source, tmp_path / "out") == 0
    before = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    broken = shutil.copytree(source, tmp_path / "broken")
    (broken / name).unlink()
    if content is not None:
        (broken / name).write_bytes(content)
    capsys.readouterr()
    assert install(broken, tmp_path / "out") == 2
    assert capsys.readouterr().err.startswith(told)
    after = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert after == before


@pytest.mark.parametrize(
    "source",
    [
        "s3://models",
        "s3://user:hunter2@host:9000",
        "s3://user:hunter2@host:9000/models?secure=maybe",
        "s3://user:hunter2@host:9000/models?tls=true",
        "s3://:hunter2@host:9000/models",
    ],
)
def test_an_address_that_is_none_is_refused_without_its_secret(tmp_path, capsys, source):
    """The form is told, the password is not."""
    assert install(source, tmp_path / "out") == 2
    error = capsys.readouterr().err
    assert error.startswith("wrong_setting: the source is s3://ACCESS:SECRET@")
    assert "hunter2" not in error


def test_a_place_that_cannot_be_written_is_told(source, tmp_path, capsys):
    """A volume that is mounted read-only, say."""
    (tmp_path / "out").write_text("a file")
    assert install(source, tmp_path / "out") == 2
    assert capsys.readouterr().err.startswith("not_written: ")
