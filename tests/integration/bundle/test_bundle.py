"""An archive for a cluster without a network: made, damaged, and loaded."""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
import yaml

from hilum_cli.bundle.chart import Chart
from hilum_cli.bundle.image_archive import read_archive
from hilum_cli.bundle.image_reference import references_of_manifests
from tests.integration.bundle.conftest import need
from tests.oci_images import write_oci_archive

pytestmark = pytest.mark.real

ROOT = Path(__file__).resolve().parents[3]
PROFILES = ROOT / "helm" / "hilum" / "ci"
BUILD = (
    *("--isolation", "chroot", "--network", "host"),
    *("--ulimit", "nofile=1024:4096", "--ulimit", "nproc=4096:4096"),
)


def test_a_bundle_holds_everything(site):
    """Images, chart, CRDs, models, the values that pin the images, sums of every file."""
    crds, models = site.folder / "crd.yaml", site.folder / "models"
    crds.write_text("kind: CustomResourceDefinition\n")
    (models / "chest" / "1").mkdir(parents=True)
    (models / "chest" / "1" / "model.onnx").write_bytes(b"graph")
    bundle = site.made("--with-crds", crds, "--models", models)
    files = {path.relative_to(bundle).as_posix() for path in bundle.rglob("*") if path.is_file()}
    assert files == {
        "SHA256SUMS",
        "chart/hilum-0.2.0.tgz",
        "crds/crd.yaml",
        "images.digests.yaml",
        "images.txt",
        "images/docker.io-hilum-test-gateway-0.2.0.tar",
        "images/docker.io-hilum-test-worker-0.2.0.tar",
        "load.sh",
        "models/chest/1/model.onnx",
    }
    pinned = yaml.safe_load((bundle / "images.digests.yaml").read_text())
    assert pinned["images"] == {
        name: {"repository": f"hilum-test/{name}", "digest": site.digests[name]}
        for name in ("gateway", "worker")
    }
    for name, digest in site.digests.items():
        archive = read_archive(bundle / "images" / f"docker.io-hilum-test-{name}-0.2.0.tar")
        assert archive.digest == digest
    sums = subprocess.run(["sha256sum", "--check", "SHA256SUMS"], cwd=bundle, check=False)
    assert sums.returncode == 0


def test_the_same_parts_give_the_same_bundle(site):
    """Byte for byte, but for the chart's package, in which helm writes the time."""
    package = subprocess.run(
        [site.helm, "package", str(site.chart), "--destination", str(site.folder)],
        check=True,
        capture_output=True,
    )
    assert package.returncode == 0
    first = site.made("--chart", site.folder / "hilum-0.2.0.tgz")
    kept = (site.folder / "hilum-0.2.0.tar").read_bytes()
    shutil.rmtree(first)
    site.made("--chart", site.folder / "hilum-0.2.0.tgz")
    assert (site.folder / "hilum-0.2.0.tar").read_bytes() == kept


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


def test_an_image_that_no_digest_pins_is_refused(site):
    """A tag may name another image tomorrow; the text says what to do."""
    out = site.folder / "hilum.tar"
    done = site.bundle("--out", out, "--image-archive", site.archives[0])
    assert done.exit_code == 1
    assert "hilum-test/worker:0.2.0 is pinned by no digest" in done.stderr
    assert "--allow-tags" in done.stderr
    assert not out.exists()
    assert list(site.folder.glob(".*hilum*")) == []


def test_an_archive_of_another_image_than_the_pinned_one_is_refused(site):
    """Whatever it calls itself."""
    values = site.folder / "site.yaml"
    values.write_text(f"images: {{worker: {{digest: 'sha256:{'0' * 64}'}}}}\n")
    images = [word for path in site.archives for word in ("--image-archive", path)]
    done = site.bundle("--out", site.folder / "x.tar", "--values", values, *images)
    assert done.exit_code == 1
    assert "is pinned to sha256:0000" in done.stderr


def test_a_mirror_in_the_values_is_no_source(site):
    """The values of a site name its mirror, which the bundle is to fill."""
    values = site.folder / "site.yaml"
    values.write_text("image: {registry: mirror.hospital.example}\n")
    bundle = site.made("--values", values)
    assert len(list((bundle / "images").iterdir())) == 2


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
    pinned.write_text(yaml.safe_dump({"images": ours}))
    chart = ("--chart", PROFILES.parent, "--values", profile, "--values", pinned)
    bundle = site.made(*chart)
    done = site.load(bundle, f"oci:{site.folder}/layouts")
    assert done.returncode == 0, done.stderr
    loaded = site.folder / "mirror.yaml"
    loaded.write_text(yaml.safe_dump({"image": {"registry": "mirror.example/x"}}))
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
    asked = {str(reference) for reference in references_of_manifests(rendered)}
    assert asked == {f"mirror.example/x/{name}@{digest}" for name, digest in digests.items()}


def test_without_helm_the_text_says_what_to_install(site):
    """It renders the chart and packs it."""
    done = site.bundle("--out", site.folder / "x.tar", "--helm", "helm-that-is-not-there")
    assert done.exit_code == 1
    assert "install Helm" in done.stderr
