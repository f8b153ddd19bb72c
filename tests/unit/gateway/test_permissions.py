"""Every route, asked by every role of each site with each kind of credential."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import anyio
import pytest

from hilum.domain.errors import InferenceFailed
from hilum.domain.operation import Operation, OperationState
from hilum.domain.principal import Role
from hilum.domain.work import Priority
from tests.fakes.model_catalogue import whole_set
from tests.unit.docs.pages import permissions
from tests.unit.gateway.api import Api, FakeGateway, film_bytes
from tests.unit.gateway.asgi import Exchange

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx
    from fastapi.testclient import TestClient

NORTH: Final = "north"
"""Site of everything that is asked for."""
SITES: Final = ("*", NORTH, "south")
CREDENTIALS: Final = ("bearer", "session", "none")

TABLE: Final = permissions()
ROLES: Final = [role.value for role in Role]


@dataclass(frozen=True)
class Asked:
    """A route and what it needs.

    Attributes:
        route: Method and path template.
        permission: What the role must hold; empty for a route that anybody may ask.
        elsewhere: Answer to a principal of another site.
        path: Of the request, with ``JOB``, ``FAILED``, ``WAITING``, ``BEGUN``, ``BROKEN`` and
            ``KEY`` for ids of the site north.
    """

    route: str
    permission: str
    elsewhere: str = "ok"
    path: str = ""

    @property
    def is_page(self) -> bool:
        return not self.route.partition(" ")[2].startswith("/v1/")


PUBLIC: Final = {
    "GET /openapi.json",
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
    "GET /sign-in",
    "POST /sign-in",
    "POST /sign-out",
}
_V1: Final = "/v1/jobs/{job_id}"
_BULK: Final = "/v1/operations/{operation_id}"
_SENT: Final = "/v1/submissions/{submission_id}"
_FILM: Final = "/films/{job_id}"
_CARD: Final = "/v1/models/{model}"
ASKED: Final = [
    Asked("POST /v1/studies", "images:submit", "not_permitted"),
    Asked("POST /v1/submissions", "images:submit", "not_permitted"),
    Asked(f"GET {_SENT}", "jobs:read", "not_found", "/v1/submissions/SUBMISSION"),
    Asked("GET /v1/jobs", "jobs:read"),
    Asked(f"GET {_V1}", "jobs:read", "not_found"),
    Asked(f"POST {_V1}/retry", "queue:operate", "not_found", "/v1/jobs/FAILED/retry"),
    Asked(f"POST {_V1}/discard", "queue:operate", "not_found", "/v1/jobs/FAILED/discard"),
    Asked(f"POST {_V1}/cancel", "queue:operate", "not_found", "/v1/jobs/WAITING/cancel"),
    Asked(f"POST {_V1}/expedite", "queue:operate", "not_found", "/v1/jobs/WAITING/expedite"),
    Asked(
        f"POST {_V1}/reprioritise", "queue:operate", "not_found", "/v1/jobs/WAITING/reprioritise"
    ),
    Asked("GET /v1/flows", "jobs:read"),
    Asked("POST /v1/flows/pause", "queue:operate", "not_permitted"),
    Asked("POST /v1/flows/resume", "queue:operate", "not_permitted"),
    Asked("GET /v1/sites", "site:manage"),
    Asked(
        "PUT /v1/sites/{site}/weight", "site:manage", "not_permitted", f"/v1/sites/{NORTH}/weight"
    ),
    Asked("GET /v1/operations", "jobs:read"),
    Asked("POST /v1/operations", "queue:operate", "not_permitted"),
    Asked(f"GET {_BULK}", "jobs:read", "not_found", "/v1/operations/BEGUN"),
    Asked(f"POST {_BULK}/stop", "queue:operate", "not_found", "/v1/operations/BEGUN/stop"),
    Asked(f"POST {_BULK}/retry", "queue:operate", "not_found", "/v1/operations/BROKEN/retry"),
    Asked(
        f"GET {_V1}/heatmaps/{{panel}}/{{label}}.png",
        "results:read",
        "not_found",
        "/v1/jobs/JOB/heatmaps/pneumonia/covid19.png",
    ),
    Asked(
        f"GET {_V1}/outlines/{{panel}}.svg",
        "results:read",
        "not_found",
        "/v1/jobs/JOB/outlines/lungs.svg",
    ),
    Asked(f"GET {_V1}/preview.png", "images:read", "not_found"),
    Asked(f"GET {_V1}/original", "images:read", "not_found"),
    Asked("GET /v1/events", "jobs:read", "not_found", "/v1/events?job_id=JOB"),
    Asked("GET /v1/models", "jobs:read", "not_permitted", f"/v1/models?site={NORTH}"),
    Asked(f"GET {_CARD}", "jobs:read", "not_permitted", f"/v1/models/gate?site={NORTH}"),
    Asked(f"GET {_CARD}/card", "jobs:read", "not_permitted", f"/v1/models/gate/card?site={NORTH}"),
    Asked(
        f"GET {_CARD}/metrics",
        "jobs:read",
        "not_permitted",
        f"/v1/models/gate/metrics?site={NORTH}",
    ),
    Asked("GET /v1/keys", "access:manage"),
    Asked("POST /v1/keys", "access:manage", "not_permitted"),
    Asked("DELETE /v1/keys/{key_id}", "access:manage", "not_found", "/v1/keys/KEY"),
    Asked("GET /", "jobs:read"),
    Asked("GET /worklist/events", "jobs:read"),
    Asked("POST /films", "images:submit", "not_permitted"),
    Asked(f"GET {_FILM}", "jobs:read", "not_found"),
    Asked(f"POST {_FILM}/retry", "queue:operate", "not_found", "/films/FAILED/retry"),
    Asked(f"POST {_FILM}/discard", "queue:operate", "not_found", "/films/FAILED/discard"),
    Asked(f"GET {_FILM}/preview.png", "images:read", "not_found"),
    Asked(f"GET {_FILM}/original", "images:read", "not_found"),
    Asked(
        f"GET {_FILM}/heatmaps/{{panel}}/{{label}}.png",
        "results:read",
        "not_found",
        "/films/JOB/heatmaps/pneumonia/covid19.png",
    ),
    Asked(
        f"GET {_FILM}/outlines/{{panel}}.svg",
        "results:read",
        "not_found",
        "/films/JOB/outlines/lungs.svg",
    ),
    Asked("GET /models", "jobs:read", "not_permitted", f"/models?site={NORTH}"),
]
FLOW: Final = {"site": NORTH, "priority": "batch"}
BODIES: Final = {
    "POST /v1/keys": {"name": "new", "role": "viewer", "site": NORTH},
    f"POST {_V1}/cancel": {"reason": "a test"},
    f"POST {_V1}/reprioritise": {"priority": "stat"},
    "POST /v1/flows/pause": {**FLOW, "seconds": 60, "reason": "a test"},
    "POST /v1/flows/resume": FLOW,
    "PUT /v1/sites/{site}/weight": {"weight": 2},
    "POST /v1/operations": {
        "kind": "retry_jobs",
        "site": NORTH,
        "code": "worker_lost",
        "reason": "a test",
    },
}
OPERATIONS: Final = {"BEGUN": OperationState.QUEUED, "BROKEN": OperationState.FAILED}
STREAMS: Final = {"GET /v1/events", "GET /worklist/events"}


class World:
    """A gateway with jobs of the site north, and one client for each role, site and credential."""

    def __init__(self) -> None:
        self.gateway = FakeGateway(models=whole_set())
        self.gateway.catalogue.cards["gate"] = "# gate"
        self.admin = Api(self.gateway)
        self.job = self.admin.completed(site=NORTH)
        sent = self.admin.submit(("a.pgm", film_bytes(99)), site=NORTH)
        self.submission = sent.json()["submission_id"]
        self._seed = 100
        self._clients: dict[tuple[str, str, str], TestClient] = {}

    def failed(self) -> str:
        """Id of a fresh job that has failed."""
        self._seed += 1
        job_id = self.admin.accepted(self._seed, site=NORTH)
        self.gateway.engine.failure = InferenceFailed("told to")
        self.gateway.work()
        self.gateway.engine.failure = None
        return job_id

    def waiting(self) -> str:
        """Id of a fresh job that is queued."""
        self._seed += 1
        return self.admin.accepted(self._seed, site=NORTH)

    def operation(self, state: OperationState) -> str:
        """Id of a fresh operation in a state."""
        operation = Operation(
            id=uuid4(),
            site=NORTH,
            state=state,
            priority=Priority.BATCH,
            created_at=self.gateway.clock.now(),
            updated_at=self.gateway.clock.now(),
            does="retry_jobs",
            arguments={"code": "worker_lost"},
            principal="system:test",
            purpose="a test",
        )
        with self.gateway.unit_of_work.begin() as transaction:
            transaction.operations.add([operation])
        return str(operation.id)

    def client(self, role: str, site: str, credential: str) -> TestClient:
        """A client that asks as a page does, with a credential or with none."""
        asked = (role, site, credential)
        if asked not in self._clients:
            self._clients[asked] = self._new_client(Role(role), site, credential)
        return self._clients[asked]

    def _new_client(self, role: Role, site: str, credential: str) -> TestClient:
        if credential == "session":
            return self.gateway.person(role, site)
        client = self.gateway.visitor()
        if credential == "bearer":
            client.headers["Authorization"] = f"Bearer {self.gateway.new_key(role, site)}"
        return client

    def ask(self, client: TestClient, asked: Asked) -> str:
        """Send the request of a route; how it was answered, in one word."""
        method, _, template = asked.route.partition(" ")
        path = (asked.path or template).replace("JOB", self.job).replace("{job_id}", self.job)
        if "FAILED" in path:
            path = path.replace("FAILED", self.failed())
        if "WAITING" in path:
            path = path.replace("WAITING", self.waiting())
        for name, state in OPERATIONS.items():
            if name in path:
                path = path.replace(name, self.operation(state))
        if "SUBMISSION" in path:
            path = path.replace("SUBMISSION", self.submission)
        if "KEY" in path:
            key = self.gateway.new_key(Role.VIEWER, NORTH)
            path = path.replace("KEY", key.removeprefix("hilum_").partition(".")[0])
        if asked.route in STREAMS:
            return self._status_of_stream(client, path)
        return _word(client.request(method, path, **self._body(asked)))

    def _body(self, asked: Asked) -> dict[str, object]:
        if asked.route in {"POST /v1/studies", "POST /v1/submissions", "POST /films"}:
            self._seed += 1
            files = [("files", ("a.pgm", film_bytes(self._seed)))]
            return {"files": files, "data": {"site": NORTH}}
        if asked.route == "POST /v1/flows/resume":
            pause = "POST /v1/flows/pause"
            self.admin.post("/v1/flows/pause", json=BODIES[pause])
        return {"json": BODIES[asked.route]} if asked.route in BODIES else {}

    def _status_of_stream(self, client: TestClient, path: str) -> str:
        """Open an event stream and leave it: it would not end."""
        headers = {name.replace("-", "_"): value for name, value in client.headers.items()}
        headers["cookie"] = "; ".join(f"{one.name}={one.value}" for one in client.cookies.jar)
        status = anyio.run(partial(_first_status, self.gateway, path, headers))
        return {200: "ok", 303: "not_authenticated", 401: "not_authenticated"}.get(
            status, {403: "not_permitted", 404: "not_found"}.get(status, str(status))
        )


async def _first_status(gateway: FakeGateway, path: str, headers: dict[str, str]) -> int:
    async with Exchange(gateway.app, "GET", path, **headers) as exchange:
        return await exchange.status()


def _word(answer: httpx.Response) -> str:
    if answer.headers.get("content-type") == "application/problem+json":
        return str(answer.json()["code"])
    if answer.headers.get("location", "").startswith("/sign-in"):
        return "not_authenticated"
    words = {403: "not_permitted", 404: "not_found"}
    return "ok" if answer.status_code < 400 else words.get(answer.status_code, answer.text)


def expected(asked: Asked, role: str, site: str, credential: str) -> str:
    """What the table says."""
    if credential != ("session" if asked.is_page else "bearer"):
        return "not_authenticated"
    if asked.permission not in TABLE[role]:
        return "not_permitted"
    return "ok" if site in ("*", NORTH) else asked.elsewhere


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def routes(gateway: FakeGateway) -> Iterator[str]:
    """Every route of the application, as method and path template."""
    for route in gateway.app.routes:
        inner = getattr(route, "original_router", None)
        for one in [route] if inner is None else inner.routes:
            for method in (getattr(one, "methods", None) or set()) - {"HEAD"}:
                yield f"{method} {one.path}"


def test_every_route_is_in_the_table(world):
    """A route that is added is asked here, too, or is one that anybody may ask."""
    assert set(routes(world.gateway)) == PUBLIC | {asked.route for asked in ASKED}
    assert len(ASKED) == len({asked.route for asked in ASKED})


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: re.sub(r"[ /{}]+", "-", asked.route))
def test_a_route_answers_as_the_table_says(world, asked, role):
    """For a principal of all sites, of the site and of another, by key, by session, by neither."""
    told = {
        (site, credential): world.ask(world.client(role, site, credential), asked)
        for site in SITES
        for credential in CREDENTIALS
    }
    assert told == {
        (site, credential): expected(asked, role, site, credential)
        for site in SITES
        for credential in CREDENTIALS
    }


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("site", "seen"), [("*", True), (NORTH, True), ("south", False)])
def test_lists_hold_what_the_principal_may_see(world, role, site, seen):
    """Jobs, the worklist and keys of another site are left out."""
    jobs = world.client(role, site, "bearer").get("/v1/jobs?limit=200").json()["jobs"]
    assert (NORTH in {job["site"] for job in jobs}) is seen
    named = world.client(role, site, "bearer").get(f"/v1/jobs?site={NORTH}").json()["jobs"]
    assert bool(named) is seen
    worklist = world.client(role, site, "session").get("/").text
    assert ("/films/" in re.sub(r'action="/films"', "", worklist)) is seen
    if "access:manage" in TABLE[role]:
        world.gateway.new_key(Role.VIEWER, NORTH)
        keys = world.client(role, site, "bearer").get("/v1/keys").json()["keys"]
        assert (NORTH in {key["site"] for key in keys}) is seen


def test_an_auditor_sees_how_jobs_stand_and_no_result():
    """Neither in documents nor on pages, also after somebody else has looked at them."""
    world, found = World(), "covid19"
    pages = ("/", f"/films/{world.job}")
    admin = world.client("admin", "*", "session")
    auditor = world.client("auditor", NORTH, "session")
    assert all(found in admin.get(page).text for page in pages)
    shown = [auditor.get(page).text for page in pages]
    assert not any(found in page for page in shown)
    assert all("completed" in page for page in shown)
    document = world.client("auditor", NORTH, "bearer").get(f"/v1/jobs/{world.job}").json()
    assert (document["state"], document["result"], document["gate"]) == ("completed", None, None)
