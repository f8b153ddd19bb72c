"""The API over real HTTP, on the embedded adapters: SQLite, a folder, Celery's filesystem."""

from __future__ import annotations

import io
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest
from PIL import Image

from hilum.imaging.phantom import phantom_film, phantom_png
from hilum.imaging.png_writer import encode_png
from hilum_stack.embedded import EmbeddedStack
from tests.grey_networks import PANELS, write_grey_repository
from tests.servers import run_folder
from tests.unit.adapters.dicom.films import film as dicom_film
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_FILE_BYTES = 2_000_000
MAX_REQUEST_BYTES = 20_000_000
LARGE_BYTES = 500_000


@pytest.fixture(scope="module")
def stack() -> Iterator[EmbeddedStack]:
    """A gateway and a worker."""
    env = {
        "HILUM_IMAGE_MAX_BYTES": str(MAX_FILE_BYTES),
        "HILUM_UPLOAD_MAX_BYTES": str(MAX_REQUEST_BYTES),
        "HILUM_EVENTS_KEY_CHECK_SECONDS": "0.2",
    }
    with run_folder() as folder:
        models = write_grey_repository(folder / "models")
        running = EmbeddedStack(folder / "stack", env=env, model_repository=models)
        running.start()
        try:
            yield running
        finally:
            running.stop()


@pytest.fixture
def client(stack: EmbeddedStack) -> Iterator[httpx.Client]:
    """A program with the admin's key."""
    headers = {"Authorization": f"Bearer {stack.api_key}"}
    with httpx.Client(base_url=stack.url, headers=headers, timeout=60) as made:
        yield made


def film(seed: int) -> bytes:
    """A phantom film, another for each seed."""
    return phantom_png(256, 256, seed)


def submit(client: httpx.Client, *films: tuple[str, bytes], **fields: str) -> httpx.Response:
    return client.post("/v1/studies", files=[("files", file) for file in films], data=fields)


def events(stream: httpx.Response) -> Iterator[dict[str, Any]]:
    """The jobs that an event stream tells of."""
    for line in stream.iter_lines():
        if line.startswith("data: {") and "job_id" in line:
            yield json.loads(line.removeprefix("data: "))


def films_stored(stack: EmbeddedStack) -> set[Path]:
    """Every film in the object store."""
    return {path for path in (stack.folder / "objects" / "films").rglob("*") if path.is_file()}


def large_files_on_their_way(stack: EmbeddedStack) -> list[Path]:
    """What is being written: larger than any preview that the worker writes meanwhile."""
    found = []
    for path in (stack.folder / "objects" / ".incoming").iterdir():
        with suppress(FileNotFoundError):  # a preview that is published just now
            if path.stat().st_size > LARGE_BYTES:
                found.append(path)
    return found


def test_a_film_goes_in_and_its_findings_come_out(client):
    """Followed live; with pictures, and the film byte for byte."""
    with client.stream("GET", "/v1/events") as stream:
        answer = submit(client, ("phantom.png", film(1)), priority="stat")
        assert answer.status_code == 202, answer.text
        job_id = answer.json()["jobs"][0]["job_id"]
        last = next(
            job
            for job in events(stream)
            if job["job_id"] == job_id and job["state"] not in {"queued", "running"}
        )
    assert last["state"] == "completed", last
    job = client.get(f"/v1/jobs/{job_id}").json()
    read = {
        panel["panel"]: tuple(finding["label"] for finding in panel["findings"])
        for panel in job["result"]["panels"]
    }
    assert read == PANELS
    assert job["result"]["model_set"] == client.get("/v1/models").json()["model_set"]
    assert job["gate"]["passed"]
    findings = [finding for panel in job["result"]["panels"] for finding in panel["findings"]]
    heatmaps = [finding["heatmap"] for finding in findings if finding["heatmap"]]
    assert heatmaps
    for heatmap in heatmaps:
        picture = Image.open(io.BytesIO(client.get(heatmap).content))
        assert (picture.format, picture.mode, picture.size) == ("PNG", "RGB", (256, 256))
    (lungs,) = job["result"]["structures"]
    assert lungs["cardiothoracic_ratio"]["value"]
    assert client.get(lungs["picture"]).text.startswith("<svg")
    assert client.get(f"/v1/jobs/{job_id}/original").content == film(1)


def test_what_is_no_chest_is_rejected_with_the_gate_s_scores(client):
    """Nothing else is said of it."""
    white = encode_png(np.full((200, 300), 250, np.uint8))
    (sent,) = submit(client, ("white.png", white)).json()["jobs"]
    job_id = sent["job_id"]
    wait_for(
        lambda: client.get(f"/v1/jobs/{job_id}").json()["state"] == "rejected", "it is rejected"
    )
    job = client.get(f"/v1/jobs/{job_id}").json()
    assert job["reason"]["code"] == "not_a_frontal_chest_xray"
    assert job["result"] is None
    scores = {score["label"]: score["probability"] for score in job["gate"]["scores"]}
    assert scores["not_chest"] > 0.9
    assert client.get(f"/v1/jobs/{job_id}/preview.png").status_code == 200


def test_a_mirrored_dicom_image_says_so_in_job_list_and_events(client):
    """Through a real worker and a real database, with the probabilities of its plain twin."""
    pixels = phantom_film(256, 256, seed=77)
    header = {"PatientOrientation": ["R", "F"], "BodyPartExamined": "HAND"}
    mirrored = dicom_film(pixels[:, ::-1], bits=8, **header, SOPInstanceUID="2.25.77")
    plain = dicom_film(pixels, bits=8, SOPInstanceUID="2.25.78")
    ids = [
        one["job_id"]
        for one in submit(client, ("m.dcm", mirrored), ("p.dcm", plain)).json()["jobs"]
    ]
    wait_for(
        lambda: {client.get(f"/v1/jobs/{one}").json()["state"] for one in ids} == {"completed"},
        "both are analysed",
    )
    first, second = (client.get(f"/v1/jobs/{one}").json() for one in ids)
    codes = [note["code"] for note in first["notes"]]
    assert codes == ["header_body_part_other", "image_mirrored"]
    assert second["notes"] == []
    listed = {job["job_id"]: job["notes"] for job in client.get("/v1/jobs").json()["jobs"]}
    assert listed[ids[0]] == first["notes"]
    scores = [
        [
            (finding["label"], finding["probability"])
            for panel in job["result"]["panels"]
            for finding in panel["findings"]
        ]
        for job in (first, second)
    ]
    assert scores[0] == scores[1]


def test_a_raw_detector_image_is_refused_and_nothing_is_kept(client, stack: EmbeddedStack):
    """Its plain neighbour is taken."""
    before = films_stored(stack)
    raw = dicom_film(
        phantom_film(256, 256, seed=5), bits=8, PresentationIntentType="FOR PROCESSING"
    )
    (refused,) = submit(client, ("raw.dcm", raw)).json()["jobs"]
    assert (refused["state"], refused["reason"]["code"]) == ("refused", "for_processing")
    assert films_stored(stack) == before


def test_one_film_sent_by_many_at_once_is_one_job(client):
    """One is told 202, the others get the job that exists."""
    content = film(2)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda i: submit(client, (f"{i}.png", content)), range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [202]
    assert len({answer.json()["jobs"][0]["job_id"] for answer in answers}) == 1


def test_pages_of_jobs_are_whole(client):
    """By cursor, over rows that share their time of acceptance."""
    sent = submit(client, *((f"{seed}.png", film(seed)) for seed in range(10, 17))).json()
    seen: list[str] = []
    cursor = {}
    while cursor is not None:
        page = client.get("/v1/jobs", params={"limit": 2, **cursor}).json()
        seen += [job["job_id"] for job in page["jobs"]]
        cursor = {"cursor": page["next"]} if page["next"] else None
    assert len(seen) == len(set(seen))
    assert {job["job_id"] for job in sent["jobs"]} <= set(seen)


def test_a_client_that_vanishes_in_an_upload_leaves_nothing(client, stack: EmbeddedStack):
    """Neither bytes nor a job."""
    before, jobs = films_stored(stack), len(client.get("/v1/jobs?limit=200").json()["jobs"])
    content = film(3) + b"\0" * 2 * LARGE_BYTES
    head = (
        b"POST /v1/studies HTTP/1.1\r\nHost: hilum\r\n"
        b"Authorization: Bearer " + stack.api_key.encode() + b"\r\n"
        b"Content-Type: multipart/form-data; boundary=xYz\r\nContent-Length: 9000000\r\n\r\n"
        b'--xYz\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
    )
    address = ("127.0.0.1", int(stack.url.rpartition(":")[2]))
    with socket.create_connection(address) as connection:
        connection.sendall(head + content)
        wait_for(lambda: large_files_on_their_way(stack), "the upload is being stored")
    wait_for(lambda: not large_files_on_their_way(stack), "what was stored is removed")
    assert films_stored(stack) == before
    assert len(client.get("/v1/jobs?limit=200").json()["jobs"]) == jobs


def test_a_file_over_the_limit_is_refused_and_its_neighbour_taken(client, stack: EmbeddedStack):
    """The limit stands in the text."""
    big = film(4) + b"\0" * MAX_FILE_BYTES
    answer = submit(client, ("big.png", big), ("small.png", film(5)))
    refused, taken = answer.json()["jobs"]
    assert refused["reason"]["code"] == "file_too_large"
    assert str(MAX_FILE_BYTES) in refused["reason"]["detail"]
    assert taken["state"] == "queued"


def test_a_request_over_the_limit_gets_its_answer_while_it_is_still_sending(client, stack):
    """413 by a chunked body that declares no length, and nothing stays behind."""
    before = films_stored(stack)

    def endless() -> Iterator[bytes]:
        yield b'--xYz\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
        yield film(6)
        for _ in range(MAX_REQUEST_BYTES // 500_000 + 2):
            yield b"\0" * 500_000

    headers = {"Content-Type": "multipart/form-data; boundary=xYz"}
    answer = client.post("/v1/studies", content=endless(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "request_too_large")
    assert films_stored(stack) == before


def test_a_stream_ends_when_its_key_is_revoked(client, stack: EmbeddedStack):
    """The other side sees the end of the stream."""
    made = client.post("/v1/keys", json={"name": "wall", "role": "viewer"}).json()
    headers = {"Authorization": f"Bearer {made['key']}"}
    with client.stream("GET", "/v1/events", headers=headers) as stream:
        assert stream.status_code == 200
        assert client.delete(f"/v1/keys/{made['key_id']}").status_code == 204
        for _ in stream.iter_lines():
            pass
    assert client.get("/v1/jobs", headers=headers).status_code == 401


def test_machines_that_watch_are_answered_without_a_key(stack: EmbeddedStack):
    """Liveness, readiness with every part, metrics with the queues."""
    assert httpx.get(f"{stack.url}/healthz").json() == {"status": "ok"}
    ready = httpx.get(f"{stack.url}/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")
    metrics = httpx.get(f"{stack.url}/metrics").text
    assert 'hilum_jobs{priority="routine",state="queued"}' in metrics
    assert "_created" not in metrics


def test_a_gateway_that_is_told_to_stop_ends_its_streams_and_comes_back(client, stack):
    """An open stream does not use up the grace period; the journal shows a stop in good order."""
    assert stack.gateway is not None
    with client.stream("GET", "/v1/events") as stream:
        lines = stream.iter_lines()
        assert "Research use only" in next(lines)
        with ThreadPoolExecutor(1) as pool:
            stopped = pool.submit(stack.gateway.stop)
            for _ in lines:
                pass
            stopped.result()
    log = stack.gateway.log.read_text()
    assert "Finished server process" in log
    assert "timeout graceful shutdown exceeded" not in log
    stack.gateway.launch()
    assert client.get("/v1/jobs").status_code == 200
