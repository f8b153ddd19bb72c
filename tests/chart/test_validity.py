"""Every profile is valid: for Helm, for several versions of Kubernetes, for the custom kinds."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.chart.rendering import CHART, PROFILES, Refused, render
from tests.chart.schemas import write_custom, write_kubernetes
from tests.cluster.paths import PROGRAMS

KUBERNETES = ("1.29.0", "1.32.0", "1.34.0", "1.36.0")
"""From the oldest that Chart.yaml allows to the newest that the project runs on."""


@pytest.fixture(scope="module")
def locations(tmp_path_factory):
    """Arguments of kubeconform: Kubernetes' own kinds, and the custom ones."""
    own = write_kubernetes(tmp_path_factory.mktemp("kubernetes"), KUBERNETES)
    custom = write_custom(tmp_path_factory.mktemp("custom"))
    return ["-schema-location", own, "-schema-location", custom]


def conform(text, version, locations):
    """What kubeconform says of a rendered release."""
    return subprocess.run(
        [
            PROGRAMS / "kubeconform",
            *("-strict", "-summary", "-kubernetes-version", version),
            *locations,
        ],
        input=text,
        check=False,
        capture_output=True,
        text=True,
    )


def test_there_are_the_five_profiles():
    """Single node, small hospital, national screening, air-gapped, OpenShift."""
    assert [path.name.removesuffix("-values.yaml") for path in PROFILES] == [
        "air-gapped",
        "national-screening",
        "openshift",
        "single-node-cpu",
        "small-hospital",
    ]


@pytest.mark.parametrize("helm", ["helm3", "helm4"])
def test_helm_finds_nothing_to_complain_of(profile, helm):
    """`helm lint --strict`, by both versions of Helm."""
    done = subprocess.run(
        [PROGRAMS / helm, "lint", "--strict", CHART, "--values", profile],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("version", KUBERNETES)
def test_every_object_is_valid(version, locations):
    """Strict schemas: a misspelt or misplaced field fails, in custom kinds too; every profile."""
    texts = [render(profile, kube_version=version).text for profile in PROFILES]
    done = conform("\n---\n".join(texts), version, locations)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Skipped: 0" in done.stdout
    found = re.search(r"Valid: (\d+)", done.stdout)
    assert found
    assert int(found[1]) > 20 * len(PROFILES)


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("single-node-cpu", "  selector:\n", "  selektor:\n"),
        ("national-screening", "pollingInterval:", "polingInterval:"),
    ],
)
def test_a_misspelt_field_would_be_found(name, right, wrong, locations):
    """The check above can fail: in a Deployment, and in a custom kind."""
    text = render(CHART / "ci" / f"{name}-values.yaml").text
    assert right in text
    assert conform(text.replace(right, wrong, 1), "1.36.0", locations).returncode != 0


def test_both_helms_render_the_same(profile, rendered):
    """Helm 3 and Helm 4 agree, apart from what is drawn by chance."""
    assert shape(render(profile, helm="helm4")) == shape(rendered)


def shape(rendered):
    """Kinds and names, and the pods without their checksums."""
    names = sorted((one["kind"], one["metadata"]["name"]) for one in rendered.objects)
    return names, sorted((pod.owner, repr(pod.spec)) for pod in rendered.pods())


def test_a_bare_cluster_gets_no_custom_kinds():
    """Where a cluster knows no operator, the defaults render Kubernetes' own kinds only."""
    groups = {one["apiVersion"].split("/")[0] for one in render(api_versions=()).objects}
    assert {group for group in groups if "." in group and not group.endswith(".k8s.io")} == set()


@pytest.mark.parametrize(
    ("sets", "told"),
    [
        ({"gateway.replicas": "many"}, "gateway"),
        ({"postgresql.mode": "mysql"}, "postgresql"),
        ({"tls.mode": "maybe"}, "tls"),
        ({"gatway.replicas": "2"}, "gatway"),
        ({"images.gateway.digest": "abc"}, "digest"),
        ({"images.gateway.tag": "latest"}, "tag"),
    ],
)
def test_a_wrong_value_is_refused_by_its_name(sets, told):
    """The schema refuses it, and the text names the value."""
    with pytest.raises(Refused) as refusal:
        render(sets=sets)
    assert told in str(refusal.value)
