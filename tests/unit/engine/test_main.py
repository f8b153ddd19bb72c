"""The command as an operator or an init container runs it, on a machine without TensorRT."""

from __future__ import annotations

import pytest

from hilum_engine.main import main
from tests.small_networks import small_repository


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("source")
    small_repository(folder / "models", folder)
    return folder / "models"


def test_the_command_falls_back_and_says_so(source, tmp_path, capsys):
    """As an init container runs it on a node without TensorRT: a repository, metrics, exit 0."""
    arguments = [
        "build",
        "--models",
        str(source),
        "--out",
        str(tmp_path / "out"),
        "--cache",
        str(tmp_path / "cache"),
        "--metrics",
        str(tmp_path / "textfiles/engine.prom"),
    ]
    assert main(arguments) == 0
    assert capsys.readouterr().out.splitlines() == [
        "chest: gpu-onnxruntime",
        "gate: gpu-onnxruntime",
        "lungs: gpu-onnxruntime",
    ]
    assert 'reason="tensorrt_missing"' in (tmp_path / "textfiles/engine.prom").read_text()
    assert main([*arguments, "--strict"]) == 1


def test_the_command_renders_a_target_without_a_gpu(source, tmp_path, capsys):
    """What an operator has is this command and the repository."""
    out = tmp_path / "out"
    assert main(["render", "--target", "cpu", "--models", str(source), "--out", str(out)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(out / "hilum")
    assert (out / "gate/1/model.py").is_file()


def test_the_command_tells_an_empty_repository_from_a_fallback(tmp_path, capsys):
    """Nothing to serve is exit 2 with the reason."""
    (tmp_path / "models").mkdir()
    arguments = ["render", "--target", "cpu", "--models", str(tmp_path / "models")]
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 2
    assert "holds no model" in capsys.readouterr().err
