"""Makes the DICOM objects of a result with highdicom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hilum.adapters.dicom.encoding.no_result import no_result
from hilum.adapters.dicom.encoding.presentation_state import presentation_state
from hilum.adapters.dicom.encoding.secondary_capture import secondary_capture
from hilum.adapters.dicom.encoding.segmentation import segmentation
from hilum.adapters.dicom.encoding.source import finish, source_of
from hilum.adapters.dicom.encoding.structured_report import structured_report
from hilum.domain.destination import ObjectKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pydicom.dataset import Dataset

    from hilum.adapters.dicom.encoding.source import Source
    from hilum.application.ports.result_encoder import DicomObject, ResultToSend
    from hilum.domain.destination import EncodingOptions

    Make = Callable[[ResultToSend, Source, EncodingOptions], Dataset | str]

_MAKE: Final[Mapping[ObjectKind, Make]] = {
    ObjectKind.SR: structured_report,
    ObjectKind.SC: secondary_capture,
    ObjectKind.GSPS: presentation_state,
    ObjectKind.SEG: segmentation,
    ObjectKind.NO_RESULT: no_result,
}


class HighdicomEncoder:
    """Makes objects, see :class:`hilum.application.ports.result_encoder.ResultEncoder`."""

    def encode(
        self, result: ResultToSend, kinds: Sequence[ObjectKind], options: EncodingOptions
    ) -> Mapping[ObjectKind, DicomObject | str]:
        """Return the objects of a result."""
        source = source_of(result)
        made: dict[ObjectKind, DicomObject | str] = {}
        for kind in kinds:
            if (kind is ObjectKind.NO_RESULT) != (result.analysis is None):
                continue
            dataset = _MAKE[kind](result, source, options)
            made[kind] = (
                dataset if isinstance(dataset, str) else finish(dataset, result, source, kind)
            )
        return made
