"""Loading a bundle: into a folder, into a registry, and not at all where it was damaged."""

from __future__ import annotations

import json
import subprocess

import pytest
import yaml

from tests.integration.bundle.conftest import need

pytestmark = pytest.mark.real


def test_the_rendered_chart_asks_for_what_was_loaded(site):
    """With the values that load.sh prints, every image is one by digest, in the registry."""
    bundle = site.made()
    done = site.load(bundle, "oci:" + str(site.folder / "layouts"))
    assert done.returncode == 0, done.stderr
    rendered = subprocess.run(
        [
            *(site.helm, "template", "hilum", str(bundle / "chart" / "hilum-0.2.0.tgz")),
            *("--values", str(site.folder / "images.loaded.yaml")),
            *("--set", "image.registry=mirror.example/x"),
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    pods = [pod for pod in yaml.safe_load_all(rendered) if pod]
    images = {pod["metadata"]["name"]: pod["spec"]["containers"][0]["image"] for pod in pods}
    assert images == {
        name: f"mirror.example/x/hilum-test/{name}@{digest}"
        for name, digest in site.digests.items()
    }


def test_a_folder_takes_the_images_without_any_program(site):
    """Each becomes an OCI layout under its repository."""
    bundle = site.made()
    done = site.load(bundle, f"oci:{site.folder}/layouts")
    assert done.returncode == 0, done.stderr
    for name, digest in site.digests.items():
        layout = site.folder / "layouts" / "hilum-test" / name
        index = json.loads((layout / "index.json").read_text())
        assert [entry["digest"] for entry in index["manifests"]] == [digest]
        assert (layout / "blobs" / "sha256" / digest[7:]).is_file()


@pytest.mark.parametrize(
    "file",
    [
        "images/docker.io-hilum-test-worker-0.2.0.tar",
        "chart/hilum-0.2.0.tgz",
        "images.txt",
        "load.sh",
    ],
)
def test_a_flipped_byte_stops_the_loading(site, file):
    """Wherever it is; nothing is loaded."""
    bundle = site.made()
    path = bundle / file
    content = bytearray(path.read_bytes())
    # In the script: in a comment, so that it still runs.
    content[30 if file == "load.sh" else len(content) // 2] ^= 1
    path.write_bytes(content)
    done = site.load(bundle, f"oci:{site.folder}/layouts")
    assert done.returncode == 1
    assert "nothing was loaded" in done.stderr
    assert file in done.stderr + done.stdout
    assert not (site.folder / "layouts").exists()
    assert not (site.folder / "images.loaded.yaml").exists()


def test_a_missing_and_an_added_file_stop_the_loading(site):
    """Neither is what was packed."""
    bundle = site.made()
    (bundle / "images" / "more.tar").write_bytes(b"x")
    done = site.load(bundle, f"oci:{site.folder}/layouts")
    assert (done.returncode, "does not name" in done.stderr) == (1, True)
    (bundle / "images" / "more.tar").unlink()
    (bundle / "images.digests.yaml").unlink()
    done = site.load(bundle, f"oci:{site.folder}/layouts")
    assert (done.returncode, "missing" in done.stderr) == (1, True)
    assert not (site.folder / "layouts").exists()


@pytest.mark.parametrize("tool", ["skopeo", "crane", "podman"])
def test_a_registry_takes_the_images(site, registry, crane, tool):
    """The values name what the registry holds, by the digest that it has there."""
    need(tool)
    bundle = site.made()
    done = site.load(bundle, "--tool", tool, "--insecure", registry)
    if tool == "podman":  # which keeps what passes through it
        names = [f"localhost/hilum-test/{name}:0.2.0" for name in site.digests]
        subprocess.run([need(tool), "rmi", *names], check=False, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
    loaded = yaml.safe_load((site.folder / "images.loaded.yaml").read_text())
    assert loaded["image"]["registry"] == registry
    assert set(loaded["images"]) == {"gateway", "worker"}
    for name, image in loaded["images"].items():
        assert crane("digest", f"{registry}/{image['repository']}:0.2.0") == image["digest"]
        if tool != "podman":  # which packs layers anew
            assert image["digest"] == site.digests[name]


def test_a_registry_that_is_not_there_is_told(site):
    """With the image that could not be loaded."""
    need("skopeo")
    bundle = site.made()
    done = site.load(bundle, "--tool", "skopeo", "--insecure", "127.0.0.1:1/mirror")
    assert done.returncode != 0
    assert not (site.folder / "images.loaded.yaml").exists()
