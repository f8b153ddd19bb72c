"""Films built after public bug reports, where they are at hand (``HILUM_CASES_DIR``)."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hilum.domain.errors import Rejected

ROOT = Path(__file__).parents[4]
FOLDER = Path(os.environ.get("HILUM_CASES_DIR") or ROOT / "../shared/cases") / "pixels"
TABLE = FOLDER / "expected.json"
CASES = json.loads(TABLE.read_text()) if TABLE.is_file() else {}

pytestmark = pytest.mark.skipif(not CASES, reason="no cases at HILUM_CASES_DIR")


@pytest.mark.parametrize("name", CASES)
def test_each_case_is_shown_as_it_has_to_be(name, reader):
    """A case shows the expected picture within its tolerance, or is refused where that is due."""
    case = CASES[name]
    data = (FOLDER / case["file"]).read_bytes()
    if "expected" not in case:
        with pytest.raises(Rejected):
            reader.read(data)
        return
    film = reader.read(data)
    shown = film.pixels.astype(int)
    expected = np.asarray(Image.open(FOLDER / case["expected"]).convert("L"))
    assert shown.shape == expected.shape
    assert np.abs(shown - expected).max() <= case["tolerance"]
