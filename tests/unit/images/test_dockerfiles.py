"""What the Dockerfiles promise, read without building them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from images.catalogue import BY_NAME, PRODUCT, REGISTRY_BASE
from images.paths import ROOT

OWN = [ROOT / image.dockerfile for image in PRODUCT]
EVERY = [ROOT / image.dockerfile for image in BY_NAME.values()]


def name_of(path: Path) -> str:
    return path.parent.name


def stage(path: Path, name: str) -> str:
    """The instructions of a stage; a blank line ends it."""
    found = re.search(
        rf"^FROM \S+ AS {name}\n(.*?)\n\n", path.read_text(), re.MULTILINE | re.DOTALL
    )
    assert found is not None, f"{path} has no stage {name}"
    return found.group(1).strip()


def hadolint() -> str:
    """The linter beside this interpreter or on the PATH."""
    places = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    found = shutil.which("hadolint", path=places)
    if found is None and os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail("hadolint is missing; it is one of the development packages")
    if found is None:
        pytest.skip("hadolint is missing; it is one of the development packages")
    return found


@pytest.mark.parametrize("path", EVERY, ids=name_of)
def test_hadolint_finds_nothing(path: Path):
    """No rule of hadolint is broken, not even one of style."""
    command = [hadolint(), "--config", str(ROOT / ".hadolint.yaml"), str(path)]
    linted = subprocess.run(command, check=False, capture_output=True, text=True)
    assert linted.returncode == 0, linted.stdout + linted.stderr


def test_hadolint_is_asked_with_all_its_rules(tmp_path: Path):
    """The configuration lets nothing pass: a file with a mere matter of style is refused."""
    loose = tmp_path / "Dockerfile"
    loose.write_text("FROM debian:12\nWORKDIR data\n")
    command = [hadolint(), "--config", str(ROOT / ".hadolint.yaml"), str(loose)]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 1


@pytest.mark.parametrize("path", OWN, ids=name_of)
@pytest.mark.parametrize("name", ["tools", "base"])
def test_images_share_their_layers(path: Path, name: str):
    """What builds and what all stand on is the same text everywhere: built once, stored once."""
    assert stage(path, name) == stage(OWN[0], name)


@pytest.mark.parametrize("path", OWN, ids=name_of)
def test_the_base_is_an_argument(path: Path):
    """Every stage stands on the argument, whose default is the one that `make images` fetches."""
    text = path.read_text()
    assert f"ARG PYTHON_IMAGE={REGISTRY_BASE}\n" in text
    bases = set(re.findall(r"^FROM (\S+)", text, re.MULTILINE))
    stages = set(re.findall(r"^FROM \S+ AS (\S+)", text, re.MULTILINE))
    assert bases - stages <= {"${PYTHON_IMAGE}", "${TRITON_IMAGE}"}


@pytest.mark.parametrize("path", OWN, ids=name_of)
def test_every_package_is_checked_against_its_hash(path: Path):
    """No package comes without its hash, but for our own wheels, which come from no index."""
    calls = re.findall(r"pip(?: --python \S+)? install((?:.*\\\n)*.*)", path.read_text())
    assert calls
    for call in calls:
        assert "--require-hashes" in call or "--no-index" in call, call


@pytest.mark.parametrize("path", OWN, ids=name_of)
def test_packages_are_kept_for_the_next_build_and_in_no_layer(path: Path):
    """Each install from an index has a cache mounted where pip was told to keep its packages."""
    text = path.read_text()
    (kept,) = re.findall(r"PIP_CACHE_DIR=(\S+)", text)
    steps = re.findall(r"^RUN ((?:.*\\\n)*.*)", text, re.MULTILINE)
    fetching = [step for step in steps if "--require-hashes" in step]
    assert fetching
    for step in fetching:
        assert f"--mount=type=cache,target={kept} " in step, step


@pytest.mark.parametrize("path", EVERY, ids=name_of)
def test_nothing_ends_as_root(path: Path):
    """The last user that a file names is a number other than 0, and it has a health check."""
    text = path.read_text()
    users = re.findall(r"^USER (\d+):(\d+)$", text, re.MULTILINE)
    assert users
    assert all(user != "0" for user, _ in users)
    assert text.rindex("\nUSER ") > text.rindex("\nFROM ")
    assert "\nHEALTHCHECK " in text[text.rindex("\nFROM ") :]


def test_each_image_has_a_lock_of_its_own():
    """An image is made of the lock that bears the name of its folder."""
    for image in PRODUCT:
        lock = f"requirements/{image.dockerfile.parent.name}.lock"
        assert f" {lock} " in (ROOT / image.dockerfile).read_text()
        assert (ROOT / lock).exists()
