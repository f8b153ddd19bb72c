"""Small report that says why an image has no result. It never holds a finding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from highdicom.sr import ContainerContentItem, ContentSequence

from hilum.adapters.dicom.encoding import codes
from hilum.adapters.dicom.encoding.source import NOTICE
from hilum.adapters.dicom.encoding.structured_report import comment, document, observer
from hilum.domain.destination import ObjectKind
from hilum.domain.job import JobState

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from hilum.adapters.dicom.encoding.source import Source
    from hilum.application.ports.result_encoder import ResultToSend
    from hilum.domain.destination import EncodingOptions

_SAID = {
    JobState.REJECTED: "The image was not analysed.",
    JobState.FAILED: "The analysis failed. It may be tried again.",
    JobState.DISCARDED: "The analysis was ended by an operator.",
}


def no_result(result: ResultToSend, source: Source, options: EncodingOptions) -> Dataset | str:
    """Make the report of a job that ended without a result."""
    job = result.job
    if result.analysis is not None:
        return "the job has a result"
    content = ContainerContentItem(codes.TITLE, template_id="2000")
    reason = "no reason is known" if job.reason is None else job.reason.code
    content.ContentSequence = ContentSequence(
        [
            *observer(result.site),
            comment(f"{_SAID.get(job.state, '')} Reason: {reason}.".strip(), codes.NO_RESULT),
            comment(NOTICE + ". This report holds no finding.", codes.NOTICE),
        ]
    )
    return document(content, ObjectKind.NO_RESULT, result, source, options)
