"""``/v1/submissions``: to send, and to look what became of it."""

from __future__ import annotations

from uuid import uuid4

import pytest

from hilum.domain.principal import Role
from tests.unit.gateway.api import Api, FakeGateway, film_bytes, problem


def test_a_submission_is_read_back_as_it_stands(api: Api, gateway: FakeGateway):
    """Who sent what, and each file with the present state of its job."""
    known = api.accepted(seed=1)
    files = [("files", ("a.pgm", film_bytes(1))), ("files", ("b.pgm", film_bytes(2)))]
    files.append(("files", ("notes.txt", b"hello")))
    sent = api.post("/v1/submissions", files=files, data={"patient_ref": "P-1"})
    assert sent.status_code == 202
    document = sent.json()
    assert document["submission_id"] == document["study_id"]
    gateway.work()
    shown = api.get(f"/v1/submissions/{document['submission_id']}").json()
    assert (shown["site"], shown["priority"], shown["source"]) == ("default", "routine", "api")
    assert shown["sender"] == {"kind": "api_key", "id": api.key[6:].partition(".")[0]}
    assert (shown["patient_ref"], bool(shown["request_id"])) == ("P-1", True)
    again, new, refused = shown["jobs"]
    assert (again["outcome"], new["outcome"], refused["outcome"]) == ("new", "new", "refused")
    assert again["job_id"] != known  # another pseudonym is another patient
    assert (new["state"], refused["state"]) == ("completed", "refused")
    assert refused["reason"]["code"] == "unsupported_format"
    assert api.get(new["links"]["self"]).status_code == 200


def test_what_was_known_or_refused_as_a_whole_is_read_back(api: Api):
    """Each request has an id of its own, though no new study came of it."""
    first = api.submit(("a.pgm", film_bytes(1))).json()
    again = api.submit(("b.pgm", film_bytes(1))).json()
    assert again["study_id"] == first["study_id"] != again["submission_id"]
    (file,) = api.get(f"/v1/submissions/{again['submission_id']}").json()["jobs"]
    assert (file["outcome"], file["duplicate_of"]) == ("known", first["jobs"][0]["job_id"])
    refused = api.submit(("notes.txt", b"hello"))
    problem(refused, 422, "unsupported_format")
    (file,) = api.get(f"/v1/submissions/{refused.json()['submission_id']}").json()["jobs"]
    assert (file["filename"], file["job_id"], file["state"]) == ("notes.txt", None, "refused")


def test_a_submission_of_another_site_does_not_exist(gateway: FakeGateway):
    """As one that was never sent."""
    sent = Api(gateway).submit(("a.pgm", film_bytes()), site="north").json()["submission_id"]
    assert Api(gateway, Role.VIEWER, "north").get(f"/v1/submissions/{sent}").status_code == 200
    for path in (sent, uuid4()):
        answer = Api(gateway, Role.VIEWER, "south").get(f"/v1/submissions/{path}")
        problem(answer, 404, "not_found")


def test_an_operator_forces_a_new_job_and_nobody_else_does(gateway: FakeGateway):
    """202 with another job, or 403."""
    first = Api(gateway).accepted()
    refused = Api(gateway, Role.SUBMITTER).submit(("a.pgm", film_bytes()), force="true")
    problem(refused, 403, "not_permitted")
    forced = Api(gateway, Role.OPERATOR).submit(("a.pgm", film_bytes()), force="true")
    assert forced.status_code == 202
    (file,) = forced.json()["jobs"]
    assert (file["outcome"], file["duplicate_of"]) == ("new", None)
    assert file["job_id"] != first


@pytest.mark.parametrize("text", ["yes", "1", "TRUE"])
def test_force_is_true_or_false(api: Api, text: str):
    """Nothing else is taken for either."""
    answer = api.submit(("a.pgm", film_bytes()), force=text)
    problem(answer, 400, "invalid_request")
    assert "force" in answer.json()["detail"]
