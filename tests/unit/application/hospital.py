"""A hospital whose films go after a time."""

from __future__ import annotations

from hilum.application.intake.submission import SubmissionFields
from hilum.application.retention.expire_films import ExpireFilms, RetentionRule
from tests.unit.application.stage import Stage, film, key

DAY_S = 24 * 3600
RULE = RetentionRule(days=30)


class Hospital(Stage):
    """A stage whose films go after a time, two at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.expire = ExpireFilms(
            unit_of_work=self.unit_of_work, store=self.store, clock=self.clock, batch=2
        )

    def film_read(self, shade: int = 7, site: str | None = None):
        """A film that was read and looked at; its job."""
        fields = SubmissionFields(site=site)
        job = self.send(film(shade), fields=fields).accepted[0].job
        self.analyse(job.id)
        self.show.preview(job.id, key())
        return self.job(job.id)

    def object_key(self, job) -> str:
        with self.unit_of_work.begin(write=False) as transaction:
            return transaction.submissions.instance(job.instance_id).object_key
