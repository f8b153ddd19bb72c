"""An archive for a cluster without a network: what it holds, and what it does not take."""

from __future__ import annotations

import shutil
import subprocess

import pytest
import yaml

from hilum_cli.bundle.image_archive import read_archive

pytestmark = pytest.mark.real


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


def test_without_helm_the_text_says_what_to_install(site):
    """It renders the chart and packs it."""
    done = site.bundle("--out", site.folder / "x.tar", "--helm", "helm-that-is-not-there")
    assert done.exit_code == 1
    assert "install Helm" in done.stderr
