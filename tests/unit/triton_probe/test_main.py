"""How ``hilum-triton-probe`` begins where it cannot."""

from __future__ import annotations

import json
import logging

import pytest

from hilum_triton_probe.main import WRONG_SETTINGS, main
from tests.grey_networks import write_grey_repository


@pytest.fixture
def models(tmp_path):
    """A repository that nobody installed; keeps the test run's own logging."""
    root = logging.getLogger()
    kept = root.handlers[:], root.level
    yield write_grey_repository(tmp_path / "models")
    logging.captureWarnings(False)
    root.handlers[:], root.level = kept


@pytest.mark.parametrize(
    ("triton", "folder", "told"),
    [
        ("triton://127.0.0.1:8001", "models", "invalid_manifest: "),
        ("triton://127.0.0.1:8001", "nowhere", "invalid_manifest: "),
        ("onnx://", "models", "wrong_setting: the known-answer test asks Triton"),
        ("triton://127.0.0.1", "models", "wrong_setting: the inference address"),
    ],
)
def test_what_cannot_be_watched_ends_with_a_sentence(
    models, tmp_path, capsys, triton, folder, told
):
    """No trace, and a code that tells that no restart helps."""
    arguments = ["--triton", triton, "--models", str(tmp_path / folder), "--port", "0"]
    assert main(arguments) == WRONG_SETTINGS
    (line,) = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert line["message"] == "start.failed"
    assert line["error"].startswith(told)
