"""Each service imports in an environment that holds what its lock names and nothing else.

The environment is made of links to the packages that are installed here. A dependency that a
service uses and does not declare is in the development environment, and not in this one.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from importlib.metadata import distributions
from typing import TYPE_CHECKING, Final

import pytest

from tests.unit.test_structure import ROOT

if TYPE_CHECKING:
    from pathlib import Path, PurePath

SERVICES: Final = ("gateway", "worker", "listener", "cli", "engine", "triton_probe")
_PIN: Final = re.compile(r"^([A-Za-z0-9._-]+)==", re.MULTILINE)
_IMPORT_ALL: Final = """
import importlib, pkgutil, sys
sys.path[:0] = sys.argv[2:]
package = importlib.import_module(sys.argv[1])
names = [one.name for one in pkgutil.walk_packages(package.__path__, package.__name__ + ".")]
for name in names:
    if not name.endswith("__main__"):
        importlib.import_module(name)
print(len(names))
"""


def normal(name: str) -> str:
    """The name of a distribution as indices compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def environment(service: str, folder: Path) -> Path:
    """Link every file of the distributions that the lock of a service names into a folder."""
    lock = (ROOT / "requirements" / f"{service}.lock").read_text(encoding="utf-8")
    wanted = {normal(name) for name in _PIN.findall(lock)}
    installed = {normal(one.metadata["Name"]): one for one in distributions()}
    tops = Counter(top for one in installed.values() for top in {_top(f) for f in one.files or ()})
    for name in wanted & installed.keys():
        for file in installed[name].files or ():
            # A folder of one distribution is linked whole, with its compiled modules.
            own = tops[_top(file)] == 1
            link = folder / (_top(file) if own else file)
            if ".." not in file.parts and not link.is_symlink():
                link.parent.mkdir(parents=True, exist_ok=True)
                target = installed[name].locate_file(_top(file) if own else file)
                link.symlink_to(str(target))
    missing = {
        name for name in wanted - installed.keys() if name not in {"hilum", "pip", "setuptools"}
    }
    assert missing <= _elsewhere(lock), missing
    return folder


def _top(file: PurePath) -> str:
    return file.parts[0]


def _elsewhere(lock: str) -> set[str]:
    """Distributions that the lock names for another system or machine."""
    return {normal(line.partition("==")[0]) for line in lock.splitlines() if " ; " in line}


def imported(service: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Import every module of a service, with nothing on the path but the folder and its sources."""
    sources = [str(folder), str(ROOT), str(ROOT / "services" / service)]
    # Neither the environment's packages nor the user's, and no folder that happens to be the
    # present one.
    command = [sys.executable, "-I", "-S", "-c", _IMPORT_ALL, f"hilum_{service}", *sources]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_imports_with_what_it_declares(service: str, tmp_path: Path) -> None:
    """All of its modules, and all of the core and adapters that they need."""
    ended = imported(service, environment(service, tmp_path))
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert int(ended.stdout) >= 3


def test_a_dependency_that_is_missing_is_found(tmp_path: Path) -> None:
    """The control: with the packages of the engine the gateway does not import."""
    ended = imported("gateway", environment("engine", tmp_path))
    assert ended.returncode != 0
    assert "ModuleNotFoundError" in ended.stderr
