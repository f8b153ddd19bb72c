"""Where the images of a bundle come from: a registry, or podman."""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.integration.bundle.conftest import need

pytestmark = pytest.mark.real

BUILD = (
    *("--isolation", "chroot", "--network", "host"),
    *("--ulimit", "nofile=1024:4096", "--ulimit", "nproc=4096:4096"),
)


@pytest.mark.parametrize("fetcher", ["skopeo", "crane"])
def test_images_are_fetched_by_their_digests(site, registry, fetcher, monkeypatch):
    """From a registry, with whichever program is there; an image that has changed is not taken."""
    program = need(fetcher)
    monkeypatch.setenv("PATH", f"{Path(program).parent}:/usr/bin:/bin")
    host = registry.replace("127.0.0.1", "localhost")
    configuration = site.folder / ".config" / "containers" / "registries.conf"
    configuration.parent.mkdir(parents=True)
    configuration.write_text(f'[[registry]]\nlocation = "{host}"\ninsecure = true\n')
    monkeypatch.setenv("HOME", str(site.folder))
    site.load(site.made(), "--tool", "crane", "--insecure", registry)
    wanted = site.folder / "images.list"
    names = [f"{host}/hilum-test/{name}@{digest}" for name, digest in site.digests.items()]
    wanted.write_text("\n".join(names))
    out = site.folder / "fetched.tar"
    done = site.bundle("--out", out, "--images", wanted, "--fetcher", fetcher)
    assert done.exit_code == 0, done.output
    with tarfile.open(out) as archive:
        archive.extractall(site.folder / "fetched", filter="data")
    lines = (site.folder / "fetched/hilum-0.2.0/images.txt").read_text().splitlines()[1:]
    assert sorted(line.split()[2] for line in lines) == sorted(site.digests.values())
    wanted.write_text(f"{host}/hilum-test/worker@sha256:{'0' * 64}")
    lacking = site.bundle("--out", out, "--images", wanted, "--fetcher", fetcher)
    assert lacking.exit_code == 1
    assert f"`{fetcher}" in lacking.stderr


def test_an_image_built_by_podman_is_bundled_and_loaded(site):
    """Built here, taken by its tag because that was asked for, and pinned by what it is."""
    podman = need("podman")
    source = site.folder / "source"
    source.mkdir()
    (source / "film.txt").write_text("built here")
    (source / "Containerfile").write_text("FROM scratch\nCOPY film.txt /film.txt\n")
    name = "localhost/hilum-bundle-test/built:1.0"
    subprocess.run(
        [podman, "build", "--quiet", *BUILD, "--tag", name, str(source)],
        check=True,
        capture_output=True,
    )
    wanted = site.folder / "images.list"
    wanted.write_text(f"{name}\n")
    try:
        refused = site.bundle("--out", site.folder / "no.tar", "--images", wanted)
        bundle = site.made("--images", wanted, "--allow-tags")
    finally:
        subprocess.run([podman, "rmi", "--force", name], check=False, capture_output=True)
    assert refused.exit_code == 1
    done = site.load(bundle, f"oci:{site.folder}/layouts")
    assert done.returncode == 0, done.stderr
    assert (site.folder / "layouts" / "hilum-bundle-test" / "built" / "index.json").is_file()
    assert "# by hand" in (site.folder / "images.loaded.yaml").read_text()
