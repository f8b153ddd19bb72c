"""What every pod of every profile keeps."""

from __future__ import annotations

import re

IMAGE = re.compile(r"^[a-z0-9./:-]+?(:(?P<tag>[A-Za-z0-9._-]+))?(@sha256:[0-9a-f]{64})?$")
RUNS_ONCE = ("Job", "CronJob", "Pod")


def each(rendered):
    """Every container with its pod."""
    return [(pod, container) for pod in rendered.pods() for container in pod.containers()]


def test_a_profile_has_pods(rendered):
    """The checks below have something to check."""
    components = {pod.component for pod in rendered.pods()}
    assert {"gateway", "worker", "triton", "migrations", "maintenance", "tests"} <= components


def test_every_pod_keeps_pod_security_restricted(rendered, profile):
    """Pod Security `restricted`, as Kubernetes writes it down, and a read-only root beside it."""
    for pod, container in each(rendered):
        where = f"{pod.owner} {container['name']}"
        own, shared = container.get("securityContext", {}), pod.spec.get("securityContext", {})
        assert own["allowPrivilegeEscalation"] is False, where
        assert own["capabilities"] == {"drop": ["ALL"]}, where
        assert own["readOnlyRootFilesystem"] is True, where
        assert {**shared, **own}["runAsNonRoot"] is True, where
        assert {**shared, **own}["seccompProfile"] == {"type": "RuntimeDefault"}, where
        assert {**shared, **own}.get("runAsUser") != 0, where
        assert not own.get("privileged"), where
        assert not any("hostPort" in port for port in container.get("ports", ())), where
    for pod in rendered.pods():
        assert not any(pod.spec.get(key) for key in ("hostNetwork", "hostPID", "hostIPC")), (
            pod.owner
        )
        kinds = {kind for volume in pod.spec.get("volumes", ()) for kind in volume} - {"name"}
        allowed = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "secret"} | {
            "persistentVolumeClaim",
            "projected",
        }
        assert kinds <= allowed, pod.owner


def test_openshift_chooses_the_users(rendered, profile):
    """On OpenShift no pod asks for a user or group; elsewhere each has one that is not root."""
    for pod in rendered.pods():
        contexts = [pod.spec["securityContext"]]
        contexts += [container["securityContext"] for container in pod.containers()]
        asked = {key for c in contexts for key in c} & {"runAsUser", "runAsGroup", "fsGroup"}
        if profile.name.startswith("openshift"):
            assert asked == set(), pod.owner
        else:
            assert "runAsUser" in asked, pod.owner


def test_no_pod_has_a_token(rendered):
    """Nothing of Hilum talks to the API server; each component has an account of its own."""
    accounts = {one["metadata"]["name"]: one for one in rendered.of_kind("ServiceAccount")}
    by_account = {}
    for pod in rendered.pods():
        assert pod.spec["automountServiceAccountToken"] is False, pod.owner
        name = pod.spec["serviceAccountName"]
        assert accounts[name]["automountServiceAccountToken"] is False, pod.owner
        by_account.setdefault(name, set()).add(pod.component)
        assert pod.spec.get("enableServiceLinks") is False, pod.owner
    assert all(len(components) == 1 for components in by_account.values()), by_account


def test_every_image_says_its_version(rendered, profile):
    """A tag that is not `latest`, or a digest; an air-gapped site has digests and one registry."""
    images = {container["image"] for _, container in each(rendered)}
    for image in images:
        found = IMAGE.match(image)
        assert found, image
        assert found["tag"] != "latest", image
        assert found["tag"] or "@sha256:" in image, image
    if profile.name.startswith("air-gapped"):
        assert all("@sha256:" in image for image in images), images
        assert len({image.split("/")[0] for image in images}) == 1, images


def test_every_container_says_what_it_needs(rendered):
    """Requests of processor and memory, and a limit of memory, which a leak then hits alone."""
    for pod, container in each(rendered):
        where = f"{pod.owner} {container['name']}"
        resources = container["resources"]
        assert {"cpu", "memory"} <= set(resources["requests"]), where
        assert "memory" in resources["limits"], where


def test_every_lasting_container_is_probed(rendered):
    """Kubernetes can tell whether each container works, and restarts one that does not."""
    for pod in rendered.pods():
        if pod.owner.split("/")[0] in RUNS_ONCE:
            continue
        for container in pod.lasting_containers():
            where = f"{pod.owner} {container['name']}"
            assert "readinessProbe" in container or "startupProbe" in container, where
            assert "livenessProbe" in container, where


def test_scratch_space_has_a_limit(rendered):
    """A full /tmp evicts its own pod, not its neighbours."""
    for pod in rendered.pods():
        for volume in pod.spec.get("volumes", ()):
            if "emptyDir" in volume:
                assert volume["emptyDir"].get("sizeLimit"), f"{pod.owner} {volume['name']}"


def test_what_is_mounted_is_there(rendered):
    """Every mount names a volume of its pod or a claim of its set."""
    claims = {
        f"StatefulSet/{one['metadata']['name']}": {
            claim["metadata"]["name"] for claim in one["spec"].get("volumeClaimTemplates", ())
        }
        for one in rendered.of_kind("StatefulSet")
    }
    for pod in rendered.pods():
        volumes = {volume["name"] for volume in pod.spec.get("volumes", ())}
        volumes |= claims.get(pod.owner, set())
        for container in pod.containers():
            mounted = {mount["name"] for mount in container.get("volumeMounts", ())}
            assert mounted <= volumes, f"{pod.owner} {container['name']}: {mounted - volumes}"


def test_a_worker_may_finish_its_film(rendered):
    """The grace is longer than the worker's own soft shutdown, and so than one job."""
    from hilum.adapters.task_queue.celery_app import SOFT_SHUTDOWN_S  # noqa: PLC0415 - heavy

    workers = [pod for pod in rendered.pods() if pod.component == "worker"]
    assert workers
    for pod in workers:
        assert pod.spec["terminationGracePeriodSeconds"] > SOFT_SHUTDOWN_S, pod.owner
