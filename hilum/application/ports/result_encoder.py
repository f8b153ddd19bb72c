"""Makes DICOM objects of a result."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hilum.domain.destination import EncodingOptions, ObjectKind
    from hilum.domain.finding import Analysis, Heatmap, PanelReading
    from hilum.domain.job import Job
    from hilum.imaging.film import Film


@dataclass(frozen=True, slots=True)
class DicomObject:
    """An encoded object.

    Attributes:
        kind: What it is.
        sop_class_uid: (0008,0016).
        sop_instance_uid: (0008,0018).
        transfer_syntax_uid: How ``data_set`` is encoded.
        data_set: Without a file meta group.
    """

    kind: ObjectKind
    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    data_set: bytes = field(repr=False)

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the data set, hexadecimal."""
        return hashlib.sha256(self.data_set).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultToSend:
    """A result, and what its objects are made from.

    Attributes:
        site: Owner.
        job: Whose result. Of a rejected or failed job ``reason`` says why there is none.
        context: Patient, study and image module of the image, see
            :mod:`hilum.adapters.dicom.delivery_context`. It holds names: it is never logged.
        analysis: The result; None of a rejected or failed job.
        gate: What the gate said of the image, where it was asked.
        film: The decoded image; None where retention took it, and no object then shows pixels.
        heatmaps: Of the findings that an object shows, by panel and label.
        weak_labels: Whether weak and experimental labels are reported, too.
        predecessors: SOP Class and SOP Instance UID of what an earlier result of the image was sent
            as, by kind.
    """

    site: str
    job: Job
    context: bytes = field(repr=False)
    analysis: Analysis | None = None
    gate: PanelReading | None = None
    film: Film | None = field(default=None, repr=False)
    heatmaps: Mapping[tuple[str, str], Heatmap] = field(default_factory=dict, repr=False)
    weak_labels: bool = True
    predecessors: Mapping[ObjectKind, tuple[str, str]] = field(default_factory=dict)


class ResultEncoder(Protocol):
    """Makes objects that are the same, byte for byte, whenever the same result is encoded."""

    def encode(
        self, result: ResultToSend, kinds: Sequence[ObjectKind], options: EncodingOptions
    ) -> Mapping[ObjectKind, DicomObject | str]:
        """Return the objects of a result.

        A completed job has no ``no_result``, and another job nothing else: these kinds are left
        out. The text of a kind that cannot be made says why.

        Args:
            result: What is encoded.
            kinds: What is wanted.
            options: Of the destination.

        Raises:
            ResultNotEncodable: The image's own header contradicts itself so that no valid object
                can refer to it.
        """
        ...
