"""One image leaves one connected trace: gateway, worker, Triton."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from hilum.imaging.phantom import phantom_png
from hilum_engine.main import main as engine
from hilum_stack.embedded import EmbeddedStack
from hilum_stack.triton import TritonServer
from tests.servers import run_folder, started
from tests.small_networks import small_repository
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from opentelemetry.proto.trace.v1.trace_pb2 import Span

pytestmark = pytest.mark.real

PATIENT = "REF-SENTINEL-9"
INFER = "/inference.GRPCInferenceService/ModelInfer"


class Collector:
    """Takes spans over OTLP as a collector does.

    Attributes:
        bodies: What was sent.
        url: Where to send it.
    """

    def __init__(self, port: int) -> None:
        self.bodies: list[bytes] = []
        self.url = f"http://127.0.0.1:{port}"

    def spans(self) -> dict[str, list[Span]]:
        """Every span by the process that it is of."""
        found: dict[str, list[Span]] = {}
        for body in self.bodies:
            for of in ExportTraceServiceRequest.FromString(body).resource_spans:
                names = {a.key: a.value.string_value for a in of.resource.attributes}
                for scope in of.scope_spans:
                    found.setdefault(names["service.name"], []).extend(scope.spans)
        return found


@contextmanager
def collector() -> Iterator[Collector]:
    """A collector that listens while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/v1/traces":
                collects.bodies.append(body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collects = Collector(server.server_port)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield collects
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def folder() -> Iterator[Path]:
    """Models that Triton serves."""
    with run_folder() as made:
        small_repository(made / "published", made)
        source, out = str(made / "published"), str(made / "models")
        assert engine(["install", "--source", source, "--target", "cpu", "--out", out]) == 0
        yield made


def log_lines(stack: EmbeddedStack, name: str) -> list[dict[str, object]]:
    """Lines that a process of the stack logged."""
    (member,) = [member for member in stack.members if member.name == name]
    return [
        json.loads(line) for line in member.log.read_text().splitlines() if line.startswith("{")
    ]


def analyse(stack: EmbeddedStack) -> str:
    """Submit one image and wait for its result; its job's id."""
    headers = {"Authorization": f"Bearer {stack.api_key}"}
    with httpx.Client(base_url=stack.url, headers=headers, trust_env=False) as client:
        files = {"files": (f"{PATIENT}.png", phantom_png(256, 256))}
        sent = client.post("/v1/studies", files=files, data={"patient_ref": PATIENT})
        job: str = sent.json()["jobs"][0]["job_id"]
        client.get("/v1/jobs", params={"patient_ref": PATIENT})
        # The small gate knows nothing: it may reject the image, after an inference all the same.
        ended = {"completed", "rejected"}
        wait_for(lambda: client.get(f"/v1/jobs/{job}").json()["state"] in ended, "a result")
        client.post("/v1/operations", json={"kind": "retry_jobs", "reason": "a test"})
        wait_for(lambda: '"completed"' in client.get("/v1/operations").text, "an operation's end")
    return job


def test_an_image_leaves_one_tree_of_spans_and_no_patient_datum(folder: Path):
    """The worker's span is a child of the request's, and the call to Triton one of the worker's."""
    with collector() as collects, started(TritonServer, folder / "models") as triton:
        env = {"HILUM_TRACING_ENDPOINT": collects.url, "HILUM_INFERENCE_URL": triton.url}
        stack = EmbeddedStack(folder / "hilum", env=env, model_repository=folder / "models")
        with stack:
            job = analyse(stack)
            gateway_log, worker_log = log_lines(stack, "gateway"), log_lines(stack, "worker-1")
        found = collects.spans()
    (request,) = [s for s in found["hilum-gateway"] if s.name == "POST /v1/studies"]
    (task,) = [s for s in found["hilum-worker"] if s.name == "job.run"]
    assert request.parent_span_id == b""
    assert (task.trace_id, task.parent_span_id) == (request.trace_id, request.span_id)
    calls = [s for s in found["hilum-worker"] if s.parent_span_id == task.span_id]
    assert INFER in {call.name for call in calls}
    assert {call.trace_id for call in calls} == {request.trace_id}
    (asked,) = [s for s in found["hilum-gateway"] if s.name == "POST /v1/operations"]
    (chunk,) = [s for s in found["hilum-worker"] if s.name == "operation.run"]
    assert (chunk.trace_id, chunk.parent_span_id) == (asked.trace_id, asked.span_id)
    assert {s.name for s in found["hilum-gateway"]}.isdisjoint({"GET /readyz", "GET /healthz"})

    assert "setting.misnamed" not in {line["message"] for line in [*gateway_log, *worker_log]}
    trace_id = request.trace_id.hex()
    (posted,) = [line for line in gateway_log if line.get("route") == "/v1/studies"]
    ended = [line for line in worker_log if line["message"] == "attempt.ended"]
    (done,) = [line for line in ended if line["kind"] == "analysis"]
    assert (posted["trace_id"], done["trace_id"], done["job_id"]) == (trace_id, trace_id, job)
    (told,) = [line for line in ended if line["kind"] == "operation"]
    assert told["trace_id"] == asked.trace_id.hex()
    (queued,) = [
        line
        for line in gateway_log
        if (line.get("route"), line.get("method")) == ("/v1/operations", "POST")
    ]
    assert (done["request_id"], told["request_id"]) == (posted["request_id"], queued["request_id"])
    of_items = [line for line in worker_log if {"job_id", "operation_id"} & line.keys()]
    assert [line for line in of_items if not {"request_id", "trace_id"} <= line.keys()] == []
    assert {"request_id", "principal", "site"} <= posted.keys()
    looks = [line for line in gateway_log if line.get("route") == "/v1/jobs/{job_id}"]
    assert {(line["job_id"], len(str(line["request_id"]))) for line in looks} == {(job, 32)}
    assert [body for body in collects.bodies if PATIENT.encode() in body] == []
    assert [line for line in [*gateway_log, *worker_log] if PATIENT in json.dumps(line)] == []


def test_a_job_whose_message_was_lost_and_that_was_run_twice_is_one_tree(folder: Path):
    """Both runs are children of the request: the trace is in the row, not in the message."""
    with collector() as collects, started(TritonServer, folder / "models") as triton:
        env = {"HILUM_TRACING_ENDPOINT": collects.url, "HILUM_INFERENCE_URL": triton.url}
        stack = EmbeddedStack(folder / "twice", env=env, model_repository=folder / "models")
        with stack:
            (worker,) = stack.workers
            worker.stop()
            triton.stop()
            headers = {"Authorization": f"Bearer {stack.api_key}"}
            with httpx.Client(base_url=stack.url, headers=headers, trust_env=False) as client:
                files = {"files": ("a.png", phantom_png(256, 256))}
                (sent,) = client.post("/v1/studies", files=files).json()["jobs"]
                lost = [p for p in (stack.folder / "broker").rglob("*") if p.is_file()]
                for message in lost:
                    message.unlink()
                worker.launch()
                wait_for(lambda: '"state": "queued"' in worker.log.read_text(), "an outage")
                triton.launch()
                job = f"/v1/jobs/{sent['job_id']}"
                ends = {"completed", "rejected"}
                wait_for(lambda: client.get(job).json()["state"] in ends, "a result")
            ended = [
                line
                for line in log_lines(stack, worker.name)
                if line["message"] == "attempt.ended" and line["kind"] == "analysis"
            ]
    assert lost
    assert len(ended) >= 2
    found = collects.spans()
    (request,) = [span for span in found["hilum-gateway"] if span.name == "POST /v1/studies"]
    runs = [span for span in found["hilum-worker"] if span.name == "job.run"]
    assert len(runs) == len(ended)
    assert {(run.trace_id, run.parent_span_id) for run in runs} == {
        (request.trace_id, request.span_id)
    }
    assert {line["trace_id"] for line in ended} == {request.trace_id.hex()}
    assert len({line["request_id"] for line in ended}) == 1
