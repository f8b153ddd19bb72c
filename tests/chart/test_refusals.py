"""Values that are each right and together wrong are refused, with what to do about it."""

from __future__ import annotations

import pytest
import yaml

from tests.chart.rendering import CHART, Refused, render

OPERATED = {"postgresql.mode": "cloudnativepg"}
POOL = "triton.pools.l4"
PREBUILT = {
    f"{POOL}.target": "gpu-tensorrt",
    f"{POOL}.replicas": "2",
    "engine.prebuild.enabled": "true",
}
EXTERNAL = ("postgresql", "redis", "objectStore", "backup")


def refusal(sets: dict[str, str]) -> str:
    """What Helm tells of values that it refuses."""
    with pytest.raises(Refused) as refused:
        render(sets=sets)
    return str(refused.value)


@pytest.mark.parametrize("kind", ["hpa", "keda"])
def test_a_pool_has_no_more_pods_at_least_than_at_most(kind):
    """The cluster would refuse such an autoscaler only after everything else is installed."""
    bounds = f"{POOL}.autoscaling"
    sets = {f"{bounds}.kind": kind, f"{bounds}.minReplicas": "5", f"{bounds}.maxReplicas": "4"}
    assert f"{bounds}: minReplicas 5 is above maxReplicas 4" in refusal(sets)
    assert render(sets={**sets, f"{bounds}.kind": "none"}).objects
    assert render(sets={**sets, f"{bounds}.maxReplicas": "5"}).objects


def test_prebuilt_engines_of_several_pods_need_a_volume_for_several_nodes():
    """Job and pods wait for one another for ever where one node alone may mount the cache."""
    assert "engine.cache.accessModes to [ReadWriteMany]" in refusal(PREBUILT)
    scaled = {**PREBUILT, f"{POOL}.replicas": "1", f"{POOL}.autoscaling.kind": "keda"}
    assert "the Job and 4 pods of Triton" in refusal(scaled)
    for fits in (
        {"engine.cache.accessModes": "{ReadWriteMany}"},
        {"engine.cache.existingClaim": "shared-engines"},
        {f"{POOL}.replicas": "1"},
    ):
        assert render(sets={**PREBUILT, **fits}).of_kind("Job")


def test_the_operated_postgresql_is_one_that_the_charts_programs_can_dump():
    """A pg_dump refuses a server of a later major version, and every backup would fail."""
    image = "registry.example:5000/postgresql"
    told = refusal(
        {**OPERATED, "postgresql.cloudnativepg.imageName": f"{image}:18.1-system-trixie"}
    )
    assert "PostgreSQL 18 cannot be dumped by the programs of images.postgresql" in told
    assert "does not begin with a version" in refusal(
        {**OPERATED, "postgresql.cloudnativepg.imageName": image}
    )
    assert "imageName" in refusal({**OPERATED, "postgresql.cloudnativepg.imageName": ""})
    for name in (f"{image}:17", f"{image}:16.4@sha256:{'0' * 64}"):
        (cluster,) = render(sets={**OPERATED, "postgresql.cloudnativepg.imageName": name}).of_kind(
            "Cluster"
        )
        assert cluster["spec"]["imageName"] == name


def test_the_operated_postgresql_has_the_chart_say_its_version():
    """The operator's own default moves on to the next major version with the operator."""
    (cluster,) = render(CHART / "ci" / "national-screening-values.yaml").of_kind("Cluster")
    assert cluster["spec"]["imageName"].startswith("ghcr.io/cloudnative-pg/postgresql:17.")


@pytest.mark.parametrize("empty", [[], None], ids=["empty", "null"])
@pytest.mark.parametrize(
    "place",
    [("dns", "servers"), *(("external", name, "cidrs") for name in EXTERNAL)],
    ids=".".join,
)
def test_no_address_is_not_everywhere(place, empty, tmp_path):
    """A rule without peers opens its port to the whole world; who means that says 0.0.0.0/0."""
    values: object = empty
    for key in reversed(("networkPolicy", *place)):
        values = {key: values}
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(values), encoding="utf-8")
    with pytest.raises(Refused) as refused:
        render(file)
    assert place[-1] in str(refused.value)
