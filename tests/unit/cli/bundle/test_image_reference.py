"""Images are called as every registry client calls them."""

from __future__ import annotations

import pytest

from hilum_cli.bundle.image_reference import (
    ImageReference,
    parse_reference,
    references_of_list,
    references_of_manifests,
)
from hilum_cli.failure import Failure

DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("redis", ("docker.io", "redis", "latest", "")),
        ("hilum/gateway:0.2.0", ("docker.io", "hilum/gateway", "0.2.0", "")),
        (
            "nvcr.io/nvidia/tritonserver:25.06-py3",
            ("nvcr.io", "nvidia/tritonserver", "25.06-py3", ""),
        ),
        (f"quay.io/a/b@{DIGEST}", ("quay.io", "a/b", "", DIGEST)),
        (f"localhost:5000/a:1@{DIGEST}", ("localhost:5000", "a", "1", DIGEST)),
        ("localhost/hilum/cli:dev", ("localhost", "hilum/cli", "dev", "")),
        ("10.0.0.1:5000/a/b/c", ("10.0.0.1:5000", "a/b/c", "latest", "")),
    ],
)
def test_a_reference_has_its_parts(text, parts):
    """A first part with a dot, a port, or localhost is a registry."""
    reference = parse_reference(text)
    assert (
        reference.registry,
        reference.repository,
        reference.tag,
        reference.digest,
    ) == parts
    assert parse_reference(str(reference)) == reference


@pytest.mark.parametrize("text", ["", " ", "a b", "UPPER/case", "a@sha256:12", "a:b:c"])
def test_what_is_no_reference_is_told(text):
    """Before anything is fetched."""
    with pytest.raises(Failure, match="no reference"):
        parse_reference(text)


def test_a_digest_goes_before_a_tag():
    """Some tools refuse both."""
    assert parse_reference(f"a/b:1@{DIGEST}").pullable == f"docker.io/a/b@{DIGEST}"
    assert parse_reference("a/b:1").pullable == "docker.io/a/b:1"


MANIFESTS = """
apiVersion: v1
kind: Pod
spec:
  initContainers: [{name: a, image: hilum/cli:0.2.0}]
  containers:
    - {name: b, image: hilum/gateway:0.2.0}
    - {name: c, image: hilum/gateway:0.2.0}
---
kind: Cluster
spec: {imageName: "ghcr.io/cloudnative-pg/postgresql:17"}
---
kind: ConfigMap
data: {image: "hilum/from-a-config:1", note: "image: not/this:1"}
---
"""


def test_images_are_found_wherever_a_manifest_names_them():
    """Containers, init containers, and CloudNativePG's field; each once."""
    found = [str(reference) for reference in references_of_manifests(MANIFESTS)]
    assert found == [
        "docker.io/hilum/cli:0.2.0",
        "docker.io/hilum/from-a-config:1",
        "docker.io/hilum/gateway:0.2.0",
        "ghcr.io/cloudnative-pg/postgresql:17",
    ]


def test_a_list_may_hold_comments():
    """One image a line."""
    assert references_of_list("# ours\nhilum/cli:1 # the command\n\nhilum/cli:1\n") == [
        ImageReference("docker.io", "hilum/cli", "1")
    ]


def test_what_is_no_yaml_is_told():
    """As a sentence."""
    with pytest.raises(Failure, match="no YAML"):
        references_of_manifests("a: [")
