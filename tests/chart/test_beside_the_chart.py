"""What lies in ``k8s/``: valid for its operators, and no second copy of the chart."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.chart.rendering import PROFILES, ROOT, render
from tests.chart.schemas import write_custom, write_kubernetes
from tests.cluster.crds import PROJECTS
from tests.cluster.paths import PROGRAMS
from tests.cluster.programs import module_folder

if TYPE_CHECKING:
    from pathlib import Path

K8S = ROOT / "k8s"
ARGO = "argoproj.io/v1alpha1"


def documents(path: Path) -> list[dict]:
    """The objects in a file."""
    return [one for one in yaml.safe_load_all(path.read_text(encoding="utf-8")) if one]


def manifests() -> list[Path]:
    """Files with objects: all but values and Kustomize's own."""
    return [
        path
        for path in sorted(K8S.rglob("*.yaml"))
        if "values" not in path.name and path.name != "kustomization.yaml"
    ]


@pytest.fixture(scope="module")
def locations(tmp_path_factory):
    """Where kubeconform finds schemas."""
    own = write_kubernetes(tmp_path_factory.mktemp("kubernetes"), ["1.36.0"])
    custom = write_custom(tmp_path_factory.mktemp("custom"), used_only=False)
    return ["-schema-location", own, "-schema-location", custom]


def test_every_object_is_valid(locations):
    """Strict schemas of Kubernetes and of each operator; Argo CD's kind is looked at below."""
    files = [path for path in manifests() if documents(path)[0]["apiVersion"] != ARGO]
    assert len(files) >= 5
    done = subprocess.run(
        [
            PROGRAMS / "kubeconform",
            *("-strict", "-summary", "-kubernetes-version", "1.36.0"),
            *locations,
            *files,
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Skipped: 0" in done.stdout


def test_the_namespace_enforces_restricted():
    """Pod Security is enforced, not only warned of."""
    (namespace,) = documents(K8S / "namespace.yaml")
    labels = namespace["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_argo_cd_deploys_this_chart():
    """The Application names the chart's folder, and takes back every change by hand."""
    (application,) = documents(K8S / "argo-cd" / "application.yaml")
    spec = application["spec"]
    assert (ROOT / spec["source"]["path"] / "Chart.yaml").is_file()
    assert spec["destination"]["namespace"] == "hilum"
    assert spec["syncPolicy"]["automated"]["selfHeal"] is True
    assert "ignoreDifferences" not in spec


@pytest.mark.parametrize("profile", PROFILES, ids=lambda path: path.stem)
def test_the_chart_leaves_a_number_of_pods_to_whoever_owns_it(profile):
    """So Argo CD needs no exception: no number where something scales, and one everywhere else."""
    rendered = render(profile)
    scaled = {
        (one["spec"].get("scaleTargetRef") or {})["name"]
        for one in rendered.of_kind("HorizontalPodAutoscaler", "ScaledObject")
    }
    told = {
        one["metadata"]["name"]: "replicas" in one["spec"] for one in rendered.of_kind("Deployment")
    }
    assert told == {name: name not in scaled for name in told}
    assert scaled <= told.keys()


@pytest.mark.parametrize(
    ("name", "chart", "wrong"),
    [
        ("cert-manager", "deploy/charts/cert-manager", "crdz: {enabled: true}"),
    ],
)
def test_values_fit_the_charts_of_others(name, chart, wrong, tmp_path):
    """Charts that are to be had take the values here, and would refuse a misspelt one."""
    source = PROJECTS[name]
    copy = tmp_path / "chart"
    shutil.copytree(module_folder(source.module, source.version) / chart, copy)
    for path in (copy, *copy.rglob("*")):
        path.chmod(0o755)
    if not (copy / "Chart.yaml").is_file():
        template = (copy / "Chart.template.yaml").read_text(encoding="utf-8")
        (copy / "Chart.yaml").write_text(template.replace("v0.1.0", "v1.0.0"), encoding="utf-8")
    bad = tmp_path / "bad.yaml"
    bad.write_text(wrong, encoding="utf-8")
    command = [PROGRAMS / "helm3", "template", name, copy, "--kube-version", "1.36.0"]
    good = subprocess.run(
        [*command, "--values", K8S / name / "values.yaml"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert good.returncode == 0, good.stderr
    assert "kind: Deployment" in good.stdout
    refused = subprocess.run(
        [*command, "--values", bad], check=False, capture_output=True, text=True
    )
    assert refused.returncode != 0


def test_the_metric_is_the_one_that_the_chart_asks_for():
    """prometheus-adapter gives the name that the HorizontalPodAutoscaler of a pool reads."""
    (values,) = documents(K8S / "monitoring" / "prometheus-adapter-values.yaml")
    names = [rule["name"]["as"] for rule in values["rules"]["custom"]]
    (chart,) = documents(ROOT / "helm" / "hilum" / "values.yaml")
    assert chart["triton"]["defaults"]["autoscaling"]["metric"] in names


def test_the_overlay_renders_the_chart(kubectl):
    """Kustomize renders the chart with the overlay's values and patch."""
    overlay = K8S / "overlays" / "example"
    try:
        done = subprocess.run(
            [
                *(kubectl, "kustomize", "--enable-helm"),
                *("--load-restrictor", "LoadRestrictionsNone"),
                *("--helm-command", str(PROGRAMS / "helm3"), str(overlay)),
            ],
            check=False,
            capture_output=True,
            text=True,
        )
    finally:
        shutil.rmtree(overlay / "charts", ignore_errors=True)
    assert done.returncode == 0, done.stderr
    made = [one for one in yaml.safe_load_all(done.stdout) if one]
    deployments = [one for one in made if one["kind"] == "Deployment"]
    assert {one["metadata"]["labels"]["cost-centre"] for one in deployments} == {"radiology"}
    plain = render(overlay / "values.yaml", api_versions=["cert-manager.io/v1"])
    assert len(deployments) == len(plain.of_kind("Deployment"))
    # What `kubectl apply --namespace` says is then true of every object.
    assert {one["metadata"].get("namespace", "") for one in made} == {""}
