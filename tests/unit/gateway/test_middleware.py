"""Around every request: ids, logs, headers."""

from __future__ import annotations

import io
import json
import logging

import pytest

from hilum.domain.principal import Role
from hilum.runtime.logs import json_formatter
from hilum_gateway import NOTICE
from tests.unit.gateway.api import Api, FakeGateway, film_bytes


def test_a_sane_request_id_of_the_client_is_kept(api: Api):
    """So that a request is followed through several systems."""
    answer = api.get("/v1/jobs", headers={"X-Request-ID": "pacs-2026:0001.a_b"})
    assert answer.headers["x-request-id"] == "pacs-2026:0001.a_b"


@pytest.mark.parametrize("sent", ["", "short", "x" * 65, 'a"b"c"d"e', "a b c d e f", "ünïcödé-123"])
def test_any_other_request_id_is_replaced(api: Api, sent):
    """It goes into logs and into the audit trail."""
    answer = api.get("/v1/jobs", headers={"X-Request-ID": sent.encode()})
    kept = answer.headers["x-request-id"]
    assert kept != sent
    assert len(kept) == 32


def test_every_answer_has_the_security_headers_and_the_notice(api: Api):
    """Also a refusal, and what needs no key."""
    for path in ("/v1/jobs", "/v1/nothing", "/healthz", "/"):
        headers = api.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["hilum-notice"] == NOTICE


def test_answers_of_the_api_are_not_stored_by_anybody(api: Api):
    """They are about patients."""
    assert api.get("/v1/jobs").headers["cache-control"] == "no-store"


def test_a_request_is_one_line_of_json_without_secrets(api: Api, caplog):
    """Neither the key, nor the query, nor the name of a file."""
    caplog.set_level(logging.INFO, "hilum_gateway.access")
    api.submit(("Doe^Jane.pgm", film_bytes()), patient_ref="P-1")
    api.get("/v1/jobs?site=north&token=hunter2")
    records = [r for r in caplog.records if r.name == "hilum_gateway.access"]
    lines = [json_formatter().format(record) for record in records]
    posted, listed = (json.loads(line) for line in lines)
    assert (posted["method"], posted["route"], posted["status"]) == ("POST", "/v1/studies", 202)
    assert listed["key"] == api.key.removeprefix("hilum_").partition(".")[0]
    assert listed["ms"] >= 0
    text = "".join(lines)
    for secret in (api.key, api.key.partition(".")[2], "hunter2", "Doe", "P-1"):
        assert secret not in text


@pytest.fixture
def lines():
    """Gives the lines that were logged, each as it was written while its request ran."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(json_formatter())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield lambda: [line for line in map(json.loads, stream.getvalue().splitlines()) if ours(line)]
    root.removeHandler(handler)
    root.setLevel(level)


def ours(line: dict[str, str]) -> bool:
    return line["logger"].startswith("hilum")


def test_each_line_of_an_upload_has_the_request_its_site_and_who_acts(gateway: FakeGateway, lines):
    """Also lines of the thread that takes the images; for a key of every site by its field."""
    gateway.queue.available = False
    one = Api(gateway, Role.OPERATOR, site="north")
    everywhere = Api(gateway, Role.OPERATOR)
    for api in (one, everywhere):
        api.submit(("a.pgm", film_bytes(len(lines()))), site="north")
    said = [line for line in lines() if line["message"] != "model.promoted"]
    assert [line["message"] for line in said] == ["wakeup.failed", "request.ended"] * 2
    assert {line["site"] for line in said} == {"north"}
    assert len({(line["request_id"], line["principal"]) for line in said}) == 2
    assert all(len(line["request_id"]) == 32 for line in said)


def test_a_line_of_a_request_about_a_job_names_it(api: Api, lines):
    """No line has what a path holds in place of an id."""
    job = api.submit(("a.pgm", film_bytes())).json()["jobs"][0]["job_id"]
    api.get(f"/v1/jobs/{job}")
    api.get("/v1/jobs/Doe-Jane")
    api.get("/v1/jobs")
    told = [line.get("job_id") for line in lines() if line["message"] == "request.ended"]
    assert told == [None, job, None, None]


def test_a_log_record_with_a_trace_is_still_one_line():
    """Line breaks are escaped."""
    error = ValueError("a\nb")
    info = (ValueError, error, None)
    record = logging.LogRecord("x", logging.ERROR, "f", 1, "m %s", ("\n",), info)
    line = json_formatter().format(record)
    assert "\n" not in line
    assert "ValueError" in json.loads(line)["trace"]
