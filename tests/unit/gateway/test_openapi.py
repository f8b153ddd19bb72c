"""The OpenAPI document."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fastapi.testclient import TestClient

from hilum_gateway import NOTICE

if TYPE_CHECKING:
    from tests.unit.gateway.api import FakeGateway


@pytest.fixture
def document(gateway: FakeGateway) -> dict:
    """As served, without a key."""
    answer = TestClient(gateway.app).get("/openapi.json")
    assert answer.status_code == 200
    return answer.json()


def operations(document: dict) -> dict[tuple[str, str], dict]:
    """Every operation by method and path."""
    return {
        (method, path): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_the_document_is_openapi_3_1_and_says_what_it_is_not_for(document):
    """Research use only."""
    assert document["openapi"].startswith("3.1")
    assert NOTICE in document["info"]["description"]


def test_every_route_of_the_issue_is_described(document):
    """Nothing of the API is a secret."""
    assert set(operations(document)) >= {
        ("post", "/v1/studies"),
        ("post", "/v1/submissions"),
        ("get", "/v1/submissions/{submission_id}"),
        ("get", "/v1/jobs"),
        ("get", "/v1/jobs/{job_id}"),
        ("post", "/v1/jobs/{job_id}/retry"),
        ("post", "/v1/jobs/{job_id}/discard"),
        ("get", "/v1/jobs/{job_id}/heatmaps/{panel}/{label}.png"),
        ("get", "/v1/jobs/{job_id}/outlines/{panel}.svg"),
        ("get", "/v1/jobs/{job_id}/preview.png"),
        ("get", "/v1/jobs/{job_id}/original"),
        ("get", "/v1/events"),
        ("get", "/v1/models"),
        ("get", "/v1/models/{model}"),
        ("get", "/v1/models/{model}/card"),
        ("get", "/v1/models/{model}/metrics"),
        ("get", "/v1/sites"),
        ("put", "/v1/sites/{site}/weight"),
        ("get", "/v1/keys"),
        ("post", "/v1/keys"),
        ("delete", "/v1/keys/{key_id}"),
        ("get", "/healthz"),
        ("get", "/readyz"),
        ("get", "/metrics"),
    }


def test_every_operation_under_v1_names_its_key_and_its_problems(document):
    """A generated client knows both."""
    for (_, path), operation in operations(document).items():
        if path.startswith("/v1/"):
            assert operation["security"] == [{"API key": []}]
            content = operation["responses"]["default"]["content"]
            reference = content["application/problem+json"]["schema"]["$ref"]
            assert (
                reference.removeprefix("#/components/schemas/") in document["components"]["schemas"]
            )
            assert "422" not in operation["responses"]


def test_the_upload_form_is_described(document):
    """Though the framework does not parse it."""
    for path in ("/v1/studies", "/v1/submissions"):
        form = operations(document)["post", path]["requestBody"]["content"]
        properties = form["multipart/form-data"]["schema"]["properties"]
        assert set(properties) == {"files", "priority", "site", "patient_ref", "force"}


def test_every_reference_leads_somewhere(document):
    """A dangling one breaks generators."""

    def references(node: object) -> list[str]:
        if isinstance(node, dict):
            own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
            return own + [found for value in node.values() for found in references(value)]
        if isinstance(node, list):
            return [found for value in node for found in references(value)]
        return []

    found = references(document)
    assert found
    for reference in found:
        node: object = document
        for step in reference.removeprefix("#/").split("/"):
            assert isinstance(node, dict)
            node = node[step]


def test_operation_ids_are_distinct(document):
    """They become names of functions."""
    ids = [operation["operationId"] for operation in operations(document).values()]
    assert len(ids) == len(set(ids))
