"""A person who sends images, and reads what API and pages answer."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any, Final

from hilum.adapters.dicom.film_reader import DicomFilmReader
from hilum.application.models.site_rules import ManageSiteRules
from hilum.domain.principal import DEFAULT_SITE, Role, local_command
from hilum.domain.site_rule import Rule
from hilum.imaging.film import FilmLimits
from tests.fakes.model_catalogue import whole_set
from tests.unit.gateway.api import Api, FakeGateway, fake_settings

if TYPE_CHECKING:
    from hilum.imaging.film import Film

HIGH: Final = {"max_bytes": 600_000}
MOST_FILES: Final = 2


class Reader(DicomFilmReader):
    """The reader that ships, with a decoder that can be made to fail."""

    failure: Exception | None = None

    def read(self, data: bytes, *, for_processing: bool = False) -> Film:
        if self.failure is not None:
            raise self.failure
        return super().read(data, for_processing=for_processing)


class Person:
    """Sends images, reads the answers of API and pages, and has an operator at hand."""

    def __init__(self, **image: float) -> None:
        upload = {"max_files": MOST_FILES, "max_bytes": 1_200_000}
        settings = fake_settings(image={**HIGH, **image}, upload=upload)
        reader = Reader(FilmLimits(**settings.image.model_dump()))
        self.gateway = FakeGateway(reader=reader, settings=settings, models=whole_set())
        self.connect()

    def connect(self) -> None:
        self.api = Api(self.gateway, Role.SUBMITTER)
        self.operator = Api(self.gateway, Role.OPERATOR)
        self.browser = self.gateway.person(Role.SUBMITTER)

    def have_limits(self, **image: float) -> None:
        """The administrator gives all processes other limits."""
        self.gateway.settings = fake_settings(image={**HIGH, **image})
        self.have_worker_limits(**image)
        self.gateway.rebuilt()
        self.connect()

    def have_worker_limits(self, **image: float) -> None:
        limits = fake_settings(image={**HIGH, **image}).image
        self.gateway.reader = Reader(FilmLimits(**limits.model_dump()))

    def send(self, *contents: bytes) -> dict[str, Any]:
        """What the API answers."""
        document: dict[str, Any] = self.api.submit(*_named(contents)).json()
        return document

    def sent(self, content: bytes) -> dict[str, Any]:
        """What it answers of one image."""
        entry: dict[str, Any] = self.send(content)["jobs"][0]
        return entry

    def told_of(self, job_id: str) -> dict[str, str]:
        """The reason of a job, which its page tells as well."""
        reason: dict[str, str] = self.api.get(f"/v1/jobs/{job_id}").json()["reason"]
        assert reason["advice"] in html.unescape(self.browser.get(f"/films/{job_id}").text)
        return reason

    def told(self, *contents: bytes) -> dict[str, str]:
        """The reason for which something cannot be analysed, in the API and on a page."""
        answer = self.send(*contents)
        entry = answer.get("jobs", [{"job_id": None, "reason": answer}])[0]
        if entry["job_id"] is not None:
            self.gateway.work()
            return self.told_of(entry["job_id"])
        if "submission_id" in answer:
            kept = self.api.get(f"/v1/submissions/{answer['submission_id']}").json()["jobs"][0]
            assert kept["reason"] == entry["reason"]
        assert entry["reason"]["advice"] in self.page_after(*contents)
        return dict(entry["reason"])

    def page_after(self, *contents: bytes) -> str:
        """What the page says to files that are sent from it."""
        files = [("files", file) for file in _named(contents)]
        return html.unescape(self.browser.post("/films", files=files).text)

    def state(self, job_id: str) -> tuple[str, object]:
        job = self.api.get(f"/v1/jobs/{job_id}").json()
        return job["state"], job["reason"]

    def completes(self, content: bytes) -> None:
        """An image is sent, and has a result."""
        entry = self.sent(content)
        self.gateway.work()
        assert self.state(entry["job_id"]) == ("completed", None)

    def decide(self, value: str) -> None:
        """The administrator decides about raw images."""
        rules = ManageSiteRules(unit_of_work=self.gateway.unit_of_work, clock=self.gateway.clock)
        rules.decide(DEFAULT_SITE, Rule.FOR_PROCESSING, value, local_command("admin"))

    def act(self, job_id: str, what: str, **body: str) -> None:
        """The operator acts."""
        assert self.operator.post(f"/v1/jobs/{job_id}/{what}", json=body).status_code == 200


def _named(contents: tuple[bytes, ...]) -> list[tuple[str, bytes]]:
    return [(f"image-{number}", content) for number, content in enumerate(contents)]
