"""POST /v1/studies."""

from __future__ import annotations

import asyncio

import pytest

from hilum.domain.errors import ObjectStoreUnavailable
from hilum.domain.principal import Role
from tests.unit.gateway.api import Api, FakeGateway, body, fake_settings, film_bytes, part, problem
from tests.unit.gateway.asgi import Exchange


def rows(gateway: FakeGateway) -> int:
    """How many jobs there are."""
    with gateway.unit_of_work.begin(write=False) as transaction:
        return sum(transaction.jobs.counts(None).values())


def test_a_film_is_accepted_with_its_job_and_links(api: Api, gateway: FakeGateway):
    """202, and every link leads somewhere."""
    answer = api.submit(("chest.pgm", film_bytes()), priority="stat", patient_ref="P-1")
    assert answer.status_code == 202
    document = answer.json()
    (job,) = document["jobs"]
    assert job["state"] == "queued"
    assert job["filename"] == "chest.pgm"
    assert job["duplicate_of"] is None
    assert job["reason"] is None
    gateway.work()
    assert {api.get(link).status_code for link in job["links"].values()} == {200}
    shown = api.get(job["links"]["self"]).json()
    assert (shown["study_id"], shown["priority"]) == (document["study_id"], "stat")
    assert gateway.queue.woken == ["stat"]


def test_the_same_film_again_answers_with_the_job_that_exists(api: Api):
    """200: nothing new was made."""
    first = api.submit(("a.pgm", film_bytes())).json()
    again = api.submit(("b.pgm", film_bytes()))
    assert again.status_code == 200
    (job,) = again.json()["jobs"]
    assert job["job_id"] == job["duplicate_of"] == first["jobs"][0]["job_id"]
    assert job["filename"] == "b.pgm"
    assert again.json()["study_id"] == first["study_id"]


def test_each_file_says_what_happened_to_it(api: Api, gateway: FakeGateway):
    """A lost file is kept again; a job that failed for it is queued, and the answer is a 202."""

    def outcome(status: int) -> str:
        answer = api.submit(("a.pgm", film_bytes()))
        assert answer.status_code == status
        said: str = answer.json()["jobs"][0]["outcome"]
        return said

    assert [outcome(202), outcome(200)] == ["new", "known"]
    gateway.store.objects.clear()
    assert outcome(200) == "restored"
    gateway.store.objects.clear()
    gateway.work()
    assert outcome(202) == "requeued"
    assert api.submit(("notes.txt", b"hello")).json()["jobs"][0]["outcome"] is None


def test_a_mixed_batch_reports_each_file_on_its_own(api: Api):
    """In the order of the files: accepted, refused, duplicate."""
    known = api.accepted(seed=1)
    answer = api.submit(
        ("new.pgm", film_bytes(2)), ("notes.txt", b"hello"), ("old.pgm", film_bytes(1))
    )
    assert answer.status_code == 202
    new, notes, old = answer.json()["jobs"]
    assert new["state"] == "queued"
    assert notes["job_id"] is None
    assert (notes["state"], notes["filename"]) == ("refused", "notes.txt")
    assert notes["reason"]["code"] == "unsupported_format"
    assert notes["links"] is None
    assert old["duplicate_of"] == known


def test_duplicates_beside_refused_files_make_nothing_new(api: Api):
    """200, with both reported."""
    api.accepted(seed=1)
    answer = api.submit(("old.pgm", film_bytes(1)), ("notes.txt", b"hello"))
    assert answer.status_code == 200
    assert [job["state"] for job in answer.json()["jobs"]] == ["queued", "refused"]


def test_the_same_film_twice_in_one_request_is_one_job(api: Api, gateway: FakeGateway):
    """The second is a duplicate of the first."""
    first, second = api.submit(("a", film_bytes()), ("b", film_bytes())).json()["jobs"]
    assert first["job_id"] == second["duplicate_of"]
    assert rows(gateway) == 1


def test_when_every_file_is_refused_the_answer_is_a_problem(api: Api, gateway: FakeGateway):
    """With the code of the first, and each file's own reason."""
    answer = api.submit(("a.txt", b"hello"), ("b.txt", b"world"))
    jobs = problem(answer, 422, "unsupported_format")["jobs"]
    assert [job["filename"] for job in jobs] == ["a.txt", "b.txt"]
    assert gateway.store.objects == {}


def test_a_file_over_the_limit_is_refused_and_the_limit_named(api: Api, gateway: FakeGateway):
    """413, and nothing is kept of it."""
    limit = gateway.settings.image.max_bytes
    answer = api.submit(("big.pgm", film_bytes() + b"\0" * limit))
    assert str(limit) in str(problem(answer, 413, "file_too_large")["detail"])
    assert gateway.store.objects == {}


def test_a_file_over_the_limit_does_not_spoil_its_neighbours(api: Api, gateway: FakeGateway):
    """The rest of it is skipped and the next film is whole."""
    big = film_bytes() + b"\0" * gateway.settings.image.max_bytes
    answer = api.submit(("big.pgm", big), ("small.pgm", film_bytes(2)))
    assert [job["state"] for job in answer.json()["jobs"]] == ["refused", "queued"]
    assert list(gateway.store.objects.values()) == [film_bytes(2)]


def test_too_many_files_accept_none(api: Api, gateway: FakeGateway):
    """A request is taken in whole or not at all."""
    files = [(f"{i}.pgm", film_bytes(i)) for i in range(gateway.settings.upload.max_files + 1)]
    problem(api.submit(*files), 422, "too_many_files")
    assert gateway.store.objects == {}
    assert rows(gateway) == 0


@pytest.mark.parametrize("declared", [True, False])
def test_a_request_over_the_limit_leaves_nothing_behind(declared):
    """Whether its length was declared or only counted."""
    gateway = FakeGateway(settings=fake_settings(upload={"max_bytes": 20_000}))
    api = Api(gateway)
    whole = body(*(part("files", film_bytes(i), f"{i}.pgm") for i in range(8)))
    content = whole if declared else iter([whole[:15_000], whole[15_000:]])
    headers = {"Content-Type": "multipart/form-data; boundary=xYz"}
    answer = api.client.post("/v1/studies", content=content, headers=headers)
    assert "20000" in str(problem(answer, 413, "request_too_large")["detail"])
    assert gateway.store.objects == {}
    assert rows(gateway) == 0


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"{}", "application/json"),
        (b"x", "multipart/form-data"),
        (b"not a form", "multipart/form-data; boundary=xYz"),
        (part("files", film_bytes(), "cut.pgm")[:-20], "multipart/form-data; boundary=xYz"),
        (part("files", film_bytes(), "a.pgm"), "multipart/form-data; boundary=xYz"),
        (body(part("priority", b"stat")), "multipart/form-data; boundary=xYz"),
        (
            body(part("files", film_bytes(), "a"), part("priority", b"now")),
            "multipart/form-data; boundary=xYz",
        ),
        (
            body(part("files", film_bytes(), "a"), part("x", b"")),
            "multipart/form-data; boundary=xYz",
        ),
        (b"", "multipart/form-data; boundary=xYz"),
    ],
    ids=[
        "json",
        "no boundary",
        "no form",
        "cut in a film",
        "no end",
        "no film",
        "bad field",
        "unknown field",
        "empty",
    ],
)
def test_a_malformed_request_leaves_nothing_behind(
    api: Api, gateway: FakeGateway, content, content_type
):
    """Not even the films that had come whole."""
    problem(api.send_body(content, content_type), 400, "invalid_request")
    assert gateway.store.objects == {}
    assert rows(gateway) == 0


def test_a_viewer_may_not_submit(gateway: FakeGateway):
    """403, before the body is read."""
    problem(Api(gateway, Role.VIEWER).submit(("a", film_bytes())), 403, "not_permitted")


def test_a_key_submits_for_its_own_site_only(gateway: FakeGateway):
    """Another site's name is refused, none at all means its own."""
    north = Api(gateway, Role.SUBMITTER, "north")
    problem(north.submit(("a", film_bytes()), site="south"), 403, "not_permitted")
    assert gateway.store.objects == {}
    assert north.get(f"/v1/jobs/{north.accepted()}").json()["site"] == "north"


def test_an_object_store_that_is_down_is_a_503(api: Api, gateway: FakeGateway):
    """With Retry-After, and nothing half-written."""
    gateway.store.available = False
    answer = api.submit(("a", film_bytes()))
    problem(answer, 503, "object_store_unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert rows(gateway) == 0


def test_a_database_that_is_down_is_a_503(api: Api, gateway: FakeGateway):
    """Already the key cannot be checked."""
    gateway.unit_of_work.available = False
    problem(api.submit(("a", film_bytes())), 503, "database_unavailable")


def test_a_broker_that_is_down_costs_no_film(api: Api, gateway: FakeGateway):
    """The reconciler rings later."""
    gateway.queue.available = False
    assert api.submit(("a", film_bytes())).status_code == 202


def test_the_store_failing_in_the_middle_leaves_nothing(api: Api, gateway: FakeGateway):
    """The first film of the request was stored already."""
    put = gateway.store.put

    def fail_on_the_second(key, chunks, *, media_type):
        if gateway.store.objects:
            raise ObjectStoreUnavailable("gone")
        return put(key, chunks, media_type=media_type)

    gateway.store.put = fail_on_the_second  # type: ignore[method-assign]
    answer = api.submit(("a", film_bytes(1)), ("b", film_bytes(2)))
    problem(answer, 503, "object_store_unavailable")
    assert gateway.store.objects == {}


@pytest.fixture
def streaming() -> FakeGateway:
    """A gateway that takes films of some megabytes."""
    return FakeGateway(settings=fake_settings(image={"max_bytes": 3_000_000}))


def upload(gateway: FakeGateway, **headers: str) -> Exchange:
    """An upload whose body is still to be sent."""
    return Exchange(
        gateway.app,
        "POST",
        "/v1/studies",
        authorization=f"Bearer {gateway.new_key()}",
        content_type="multipart/form-data; boundary=xYz",
        **headers,
    )


@pytest.mark.anyio
async def test_a_film_is_being_stored_while_its_end_is_still_to_come(streaming: FakeGateway):
    """Bytes pass through; they are not collected first."""
    loop = asyncio.get_running_loop()
    begun = asyncio.Event()
    put = streaming.store.put

    def watched(key, chunks, *, media_type):
        def through():
            for chunk in chunks:
                loop.call_soon_threadsafe(begun.set)
                yield chunk

        return put(key, through(), media_type=media_type)

    streaming.store.put = watched  # type: ignore[method-assign]
    film = film_bytes() + b"\0" * 2_000_000
    whole = body(part("files", film, "a.pgm"))
    async with upload(streaming) as exchange:
        exchange.send(whole[:1_000_000])
        await asyncio.wait_for(begun.wait(), 30)
        exchange.send(whole[1_000_000:], more=False)
        assert await exchange.status() == 202
    assert list(streaming.store.objects.values()) == [film]


@pytest.mark.anyio
async def test_a_client_that_goes_away_leaves_nothing_behind(streaming: FakeGateway):
    """Neither its half film nor the whole one before it."""
    stored = asyncio.Event()
    loop = asyncio.get_running_loop()
    put = streaming.store.put

    def told(key, chunks, *, media_type):
        size = put(key, chunks, media_type=media_type)
        loop.call_soon_threadsafe(stored.set)
        return size

    streaming.store.put = told  # type: ignore[method-assign]
    async with upload(streaming) as exchange:
        exchange.send(part("files", film_bytes(1), "a.pgm"))
        exchange.send(part("files", film_bytes(2) + b"\0" * 1_000_000, "b.pgm")[:900_000])
        await asyncio.wait_for(stored.wait(), 30)
        assert streaming.store.objects
        exchange.disconnect()
        await exchange.over()
    assert streaming.store.objects == {}
    assert rows(streaming) == 0


@pytest.mark.anyio
async def test_a_declared_length_over_the_limit_is_answered_before_the_body():
    """The connection is closed then: the client was going to send it all."""
    gateway = FakeGateway(settings=fake_settings(upload={"max_bytes": 1000}))
    async with upload(gateway, content_length="1001", expect="100-continue") as exchange:
        message = await exchange.message()
    assert message["status"] == 413
    assert (b"connection", b"close") in message["headers"]
