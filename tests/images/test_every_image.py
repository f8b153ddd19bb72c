"""What holds for each of the product's images."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from images.catalogue import BY_NAME, PRODUCT
from images.labels import product_version
from images.paths import ROOT
from images.report import read_report
from tests.images.containers import Run, run_to_end

if TYPE_CHECKING:
    from collections.abc import Callable

    from images.container_engine import ContainerEngine

    Built = Callable[[str], str]

NAMES = [own.name for own in PRODUCT]
BUILDERS = ("gcc", "cc", "g++", "c++", "clang", "ld", "make", "pip", "pip3", "uv", "go", "cargo")
INSTALLED = """
import importlib.metadata, json, sys
sys.path[:0] = sys.argv[1:]
print(json.dumps({d.metadata["Name"]: d.version for d in importlib.metadata.distributions()}))
"""

pytestmark = pytest.mark.parametrize("name", NAMES)


def shown(engine: ContainerEngine, reference: str) -> dict[str, Any]:
    """What the store says of an image."""
    configuration: dict[str, Any] = json.loads(engine.ask("image", "inspect", reference))[0][
        "Config"
    ]
    return configuration


def plain(name: str) -> str:
    """The name of a distribution as PEP 503 writes it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def bill(engine: ContainerEngine, reference: str) -> set[tuple[str, str]]:
    """Names and versions, as the image's bill of materials lists them."""
    read = run_to_end(engine, Run(reference, ("/usr/share/doc/hilum/sbom.cdx.json",), "cat"))
    document = json.loads(read.out)
    assert document["bomFormat"] == "CycloneDX"
    return {(plain(part["name"]), part["version"]) for part in document["components"]}


def test_an_image_runs_nobody_as_root(engine: ContainerEngine, image: Built, name: str):
    """Its own user is an unprivileged number, so that Kubernetes can tell that it is not root."""
    assert shown(engine, image(name))["User"] == "10001:0"


def test_a_stranger_writes_nowhere_but_to_tmp(engine: ContainerEngine, image: Built, name: str):
    """Under a user id that it does not know, on a read-only root, /tmp alone can be written."""
    script = (
        'for place in / /opt /usr/bin /etc /tmp "$HOME"; do'
        ' if touch "$place/written" 2>/dev/null; then echo "$place"; fi; done; id -u'
    )
    done = run_to_end(engine, Run(image(name), ("-c", script), "sh"))
    assert done.out.split() == ["/tmp", "/tmp", "4242"]  # noqa: S108 - HOME is /tmp


def test_an_image_holds_nothing_that_builds(engine: ContainerEngine, image: Built, name: str):
    """There is no compiler and no installer in it."""
    script = (
        f"for tool in {' '.join(BUILDERS)}; do command -v $tool; done; python3 -m pip --version"
    )
    done = run_to_end(engine, Run(image(name), ("-c", script), "sh"))
    assert done.out == ""
    assert "No module named pip" in done.error


def test_an_image_keeps_nothing_of_its_builder(engine: ContainerEngine, image: Built, name: str):
    """What a build was lent (an authority, a mirror, a proxy) is in no file and no variable."""
    script = "find /run/secrets /etc/pip.conf ~root/.cache /var/cache/pip -type f 2>/dev/null; env"
    done = run_to_end(engine, Run(image(name), ("-c", script), "sh"))
    told = [line.partition("=")[0] for line in done.out.splitlines()]
    assert not [word for word in told if re.search("pip|cert|proxy|secret", word, re.IGNORECASE)]


def test_the_bill_lists_the_lock(engine: ContainerEngine, image: Built, name: str):
    """Every package that the lock pins stands in the bill of materials, with its version."""
    folder = BY_NAME[name].dockerfile.parent.name
    lock = (ROOT / "requirements" / f"{folder}.lock").read_text(encoding="utf-8")
    pinned = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", lock, re.MULTILINE)
    assert bill(engine, image(name)) == {(plain(key), version) for key, version in pinned}


def test_the_bill_lists_what_is_installed(engine: ContainerEngine, image: Built, name: str):
    """What Python finds in the image is in the bill of materials, but for Hilum itself."""
    where = "/opt/triton/site-packages" if name == "triton" else ""
    done = run_to_end(engine, Run(image(name), ("-c", INSTALLED, where), "python3"))
    found = {(plain(key), version) for key, version in json.loads(done.out).items()}
    others = {part for part in found if not part[0].startswith("hilum")}
    assert others
    assert others <= bill(engine, image(name))


def test_the_labels_say_what_it_is(engine: ContainerEngine, image: Built, name: str):
    """Title, version, revision and licence are told by the names of the OCI specification."""
    labels = shown(engine, image(name))["Labels"]
    told = {key.rpartition(".")[2]: value for key, value in labels.items()}
    assert told["title"] == f"hilum-{name}"
    assert told["version"] == product_version()
    assert told["licenses"] == "Apache-2.0"
    assert re.fullmatch(r"[0-9a-f]{40}(-modified)?", told["revision"])
    assert "Research use only" in told["description"]


def test_what_was_built_is_kept_and_reported(engine: ContainerEngine, image: Built, name: str):
    """The report names its content and its size, and its archive lies beside the report."""
    reference = image(name)
    built = read_report()[name]
    assert built.identifier.removeprefix("sha256:") in engine.ask(
        "image", "inspect", "--format", "{{.Id}}", reference
    )
    assert built.bytes > 0
    assert (ROOT / ".cache" / "images" / built.archive).stat().st_size == built.archive_bytes
