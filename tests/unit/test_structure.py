"""Rules of the tree that no linter knows."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LONGEST_FILE = 400
VAGUE_NAMES = {"utils", "helpers", "manager", "data", "common", "misc"}


def tracked(*patterns: str) -> list[Path]:
    """Tracked files that match git pathspecs."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", *patterns],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def test_no_python_file_is_longer_than_the_gate():
    """A file that is over 400 lines has more than one subject."""
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in tracked("*.py")
    }
    assert lengths
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


def test_no_module_has_a_vague_name():
    """A name from the field says what is inside; `utils` does not."""
    assert [path for path in tracked("*.py") if path.stem in VAGUE_NAMES] == []


def test_locks_pin_every_package_with_hashes_and_no_index_address():
    """A lock installs the same files from any index or mirror."""
    locks = tracked("requirements/*.lock")
    assert len(locks) >= 4
    for lock in locks:
        text = lock.read_text(encoding="utf-8")
        assert "://" not in text, lock.name
        assert "--index" not in text, lock.name
        pins = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
        assert all("==" in line for line in pins), lock.name
        assert text.count("--hash=sha256:") >= len(pins), lock.name


def test_the_gateway_and_worker_images_hold_no_training_framework():
    """TensorFlow is for training; the images that serve never install it."""
    for name in ("gateway", "worker", "demo"):
        text = (ROOT / "requirements" / f"{name}.lock").read_text(encoding="utf-8")
        assert "tensorflow" not in text
        assert "keras" not in text


def test_every_port_has_an_adapter_or_a_fake_under_the_same_file_name():
    """A port and its adapters share a filename, so that one leads to the other."""
    ports = {p.stem for p in tracked("hilum/application/ports/*.py")} - {"__init__", "clock"}
    adapters = {p.stem for p in tracked("hilum/adapters/**/*.py")}
    folders = {p.parent.name for p in tracked("hilum/adapters/**/*.py")}
    assert ports - adapters - folders == set()


def test_every_folder_of_films_stays_out_of_the_repository():
    """No DICOM file and no image of a patient is tracked; documentation pictures are listed."""
    allowed = ("docs/images/", "training/reports/", "services/gateway/hilum_gateway/pages/static/")
    pictures = tracked("*.dcm", "*.png", "*.jpg", "*.jpeg")
    names = [path.relative_to(ROOT).as_posix() for path in pictures]
    assert [name for name in names if not name.startswith(allowed)] == []
