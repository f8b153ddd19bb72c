"""The chart that Hilum ships, in a bundle."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from hilum_cli.bundle.chart import Chart
from hilum_cli.bundle.image_reference import references_of_manifests
from tests.oci_images import write_oci_archive

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from hilum_cli.bundle.image_reference import ImageReference

pytestmark = pytest.mark.real

ROOT = Path(__file__).resolve().parents[3]
PROFILES = ROOT / "helm" / "hilum" / "ci"


def test_the_shipped_chart_is_not_bundled_by_tags(site):
    """Its own images have no digest before a site has built them."""
    done = site.bundle("--out", site.folder / "x.tar", "--chart", ROOT / "helm" / "hilum")
    assert done.exit_code == 1
    assert "is pinned by no digest" in done.stderr


@pytest.mark.parametrize("profile", sorted(PROFILES.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_shipped_chart_asks_for_nothing_that_is_not_in_its_bundle(site, profile):
    """Each profile: with the loaded values every image is one of the bundle, by digest."""
    shipped = Chart(site.helm, PROFILES.parent, [profile], "1.34.0")
    wanted = references_of_manifests(shipped.rendered())
    assert wanted
    shutil.rmtree(site.folder / "given")
    (site.folder / "given").mkdir()
    digests = {}
    for reference in wanted:
        name = f"{reference.registry}/{reference.repository}:{reference.tag or 'pinned'}"
        path = site.folder / "given" / f"{reference.repository.replace('/', '-')}.tar"
        digests[reference.repository] = write_oci_archive(path, name, name.encode())
    ours = {
        key: {"digest": digests[image["repository"]]}
        for key, image in shipped.image_values().items()
        if image["repository"] in digests
    }
    pinned = site.folder / "pinned.yaml"
    pinned.write_text(yaml.safe_dump({"images": ours, **operated(wanted, digests)}))
    chart = ("--chart", PROFILES.parent, "--values", profile, "--values", pinned)
    bundle = site.made(*chart)
    done = site.load(bundle, f"oci:{site.folder}/layouts")
    assert done.returncode == 0, done.stderr
    loaded = site.folder / "mirror.yaml"
    mirror = {"registry": "mirror.example/x"}
    loaded.write_text(yaml.safe_dump({"image": mirror, **operated(wanted, digests, **mirror)}))
    rendered = subprocess.run(
        [
            *(site.helm, "template", "hilum", str(PROFILES.parent), "--kube-version", "1.34.0"),
            *("--values", str(profile), "--values", str(loaded)),
            *("--values", str(site.folder / "images.loaded.yaml")),
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    asked = {
        f"{reference.registry}/{reference.repository}@{reference.digest}"
        for reference in references_of_manifests(rendered)
    }
    assert asked == {f"mirror.example/x/{name}@{digest}" for name, digest in digests.items()}


def operated(
    wanted: Collection[ImageReference], digests: Mapping[str, str], registry: str | None = None
) -> dict[str, Any]:
    """The value that no key of ``images`` holds, as a site writes it: CloudNativePG's image."""
    for reference in wanted:
        if reference.repository == "cloudnative-pg/postgresql":
            place = f"{registry or reference.registry}/{reference.repository}:{reference.tag}"
            name = f"{place}@{digests[reference.repository]}"
            return {"postgresql": {"cloudnativepg": {"imageName": name}}}
    return {}
