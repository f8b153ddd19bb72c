"""The image of the known-answer test, run by a stranger on a read-only root."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hilum_stack.ports import reserve_port
from tests.images.containers import Run, run_to_end

if TYPE_CHECKING:
    from collections.abc import Callable

    from images.container_engine import ContainerEngine

    Built = Callable[[str], str]

WRONG_SETTINGS = 78


@pytest.mark.parametrize("program", ["hilum-triton-probe", "hilum-golden-film"])
def test_it_has_both_names(engine: ContainerEngine, image: Built, program: str):
    """The former one goes with 0.4.0."""
    done = run_to_end(engine, Run(image("triton-probe"), ("--help",), program))
    assert done.code == 0, done.error
    assert "--triton" in done.out


def test_models_that_are_not_there_end_it_for_good(engine: ContainerEngine, image: Built):
    """It ends with the code that says that no restart helps."""
    arguments = ("--triton", f"triton://127.0.0.1:{reserve_port()}", "--models", "/models")
    done = run_to_end(engine, Run(image("triton-probe"), arguments))
    assert done.code == WRONG_SETTINGS
    assert "invalid_manifest" in done.error


def test_it_holds_what_it_needs_and_no_more(engine: ContainerEngine, image: Built):
    """No database driver, no queue, no reader of DICOM, no other service."""
    unwanted = ("sqlalchemy", "celery", "pydicom", "minio", "hilum_worker")
    code = "import importlib.util as u, sys; print([n for n in sys.argv[1:] if u.find_spec(n)])"
    done = run_to_end(engine, Run(image("triton-probe"), ("-c", code, *unwanted), "python3"))
    assert done.out.strip() == "[]"
