"""Errors become problems."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from hilum.domain import errors
from hilum.domain.errors import HilumError
from hilum_gateway.http.problems import PUBLIC_DETAIL, STATUS, problem_of, status_of
from tests.unit.gateway.api import Api, FakeGateway, problem


def every_class(root: type[HilumError] = HilumError) -> set[type[HilumError]]:
    """The tree below a class, as far as it is the domain's own."""
    below = {
        kind for kind in root.__subclasses__() if kind.__module__.startswith(f"{errors.__name__}.")
    }
    return below.union(*(every_class(kind) for kind in below)) if below else below


EXPECTED = {
    "rejected": 422,
    "unsupported_format": 422,
    "unsupported_transfer_syntax": 422,
    "unreadable_film": 422,
    "truncated_film": 422,
    "not_an_image": 422,
    "wrong_identifiers": 422,
    "multi_frame": 422,
    "colour_film": 422,
    "blank_rendering": 422,
    "for_processing": 422,
    "film_too_small": 422,
    "not_a_frontal_chest_xray": 422,
    "limit_exceeded": 422,
    "file_too_large": 413,
    "request_too_large": 413,
    "too_many_files": 422,
    "too_many_pixels": 422,
    "compression_ratio_too_high": 422,
    "too_many_elements": 422,
    "nested_too_deep": 422,
    "too_many_segments": 422,
    "too_many_scans": 422,
    "working_memory": 422,
    "cpu_time": 422,
    "decoder_crashed": 422,
    "upload_too_slow": 408,
    "transient": 503,
    "dependency_unavailable": 503,
    "attempt_failed": 503,
    "database_unavailable": 503,
    "schema_incompatible": 503,
    "object_store_unavailable": 503,
    "broker_unavailable": 503,
    "inference_unavailable": 503,
    "destination_unavailable": 503,
    "destination_busy": 503,
    "out_of_memory": 503,
    "worker_lost": 503,
    "permanent": 500,
    "object_missing": 500,
    "destination_refuses": 500,
    "result_not_encodable": 500,
    "context_missing": 500,
    "model_not_served": 500,
    "inference_failed": 500,
    "invalid_manifest": 500,
    "backup_damaged": 500,
    "database_copy_failed": 500,
    "internal_error": 500,
    "refused": 400,
    "not_authenticated": 401,
    "not_permitted": 403,
    "not_found": 404,
    "film_expired": 410,
    "nothing_to_roll_back": 400,
    "operating_points_missing": 400,
    "too_few_films": 400,
    "label_not_separable": 400,
    "label_not_experimental": 400,
    "no_shipped_point": 400,
    "restore_refused": 400,
    "backup_store_busy": 400,
    "invalid_request": 400,
    "transition_not_allowed": 409,
}


def test_every_error_of_the_tree_has_the_status_that_clients_rely_on():
    """A new error class must be given a status on purpose."""
    found = {kind.code: int(status_of(kind("why"))) for kind in every_class()}
    assert found == EXPECTED


def test_a_class_nearer_to_the_error_wins():
    """FileTooLarge is Rejected too, and has a line of its own."""
    assert status_of(errors.FileTooLarge("x")) == STATUS[errors.FileTooLarge]
    assert STATUS[errors.FileTooLarge] != STATUS[errors.Rejected]


@pytest.mark.parametrize("kind", sorted(every_class(), key=lambda kind: kind.code))
def test_only_errors_of_the_request_tell_their_detail(kind):
    """An outage names hosts and a defect names keys: neither is for the client."""
    answer = problem_of(kind("db-7.internal refused"), "/v1/x").body.decode()
    inside = issubclass(kind, tuple(PUBLIC_DETAIL))
    assert ("db-7.internal" in answer) is not inside


def test_an_outage_says_when_to_come_back():
    """503 carries Retry-After."""
    assert problem_of(errors.DatabaseUnavailable("x"), "/").headers["retry-after"].isdecimal()


def test_an_unforeseen_exception_is_a_problem_that_tells_nothing(gateway: FakeGateway, caplog):
    """The trace goes to the log, with the request's id in the answer to find it by."""

    @gateway.app.get("/v1/broken")
    def broken() -> None:
        raise RuntimeError("password=hunter2")

    answer = TestClient(gateway.app, raise_server_exceptions=False).get("/v1/broken")
    problem(answer, 500, "internal_error")
    assert "hunter2" not in answer.text
    assert "hunter2" in caplog.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_an_unknown_path_and_a_wrong_method_are_problems(api: Api):
    """What the framework raises by itself has the same shape, and its headers stay."""
    problem(api.get("/v1/nothing"), 404, "not_found")
    answer = api.client.put("/v1/jobs")
    problem(answer, 405, "method_not_allowed")
    assert "GET" in answer.headers["allow"]


def test_a_malformed_parameter_is_named_and_its_value_not_repeated(api: Api):
    """A client learns which parameter; what it sent may be a secret."""
    document = problem(api.get("/v1/jobs?limit=hunter2"), 400, "invalid_request")
    assert "limit" in str(document["detail"])
    assert "hunter2" not in str(document)


def test_a_problem_names_the_path_that_was_asked(api: Api):
    """`instance` is the path without its query."""
    assert problem(api.get("/v1/jobs?cursor=x"), 400, "invalid_request")["instance"] == "/v1/jobs"
