"""A destination: where results of a site go, which objects, and when."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class DestinationKind(StrEnum):
    """How a destination takes what it gets."""

    C_STORE = "c_store"
    STOW = "stow"


class ObjectKind(StrEnum):
    """What is made of a result."""

    SR = "sr"
    """Structured report, TID 1500."""

    SC = "sc"
    """Secondary capture: the image with boxes, findings and a legend burned in."""

    GSPS = "gsps"
    """Grayscale softcopy presentation state: boxes, outlines and text over the image."""

    SEG = "seg"
    """Segmentation: the lungs."""

    NO_RESULT = "no_result"
    """Small report that says why there is no result."""


class When(StrEnum):
    """Which results go to a destination."""

    ALWAYS = "always"
    POSITIVE = "positive"
    """Those whose impression is abnormal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodingOptions:
    """What a destination wants its objects to be like.

    Attributes:
        comprehensive_sr: Comprehensive SR instead of Comprehensive 3D SR, for viewers that take
            only that one.
        regions_apart: Findings without a region stand in a container of their own in the structured
            report, for viewers that open no report with measurement groups without a region.
        jpeg_2000_seg: SEG in JPEG 2000 lossless instead of uncompressed.
        series_number: Series Number of the first series; each kind has its own, counted from it.
    """

    comprehensive_sr: bool = False
    regions_apart: bool = False
    jpeg_2000_seg: bool = False
    series_number: int = 9000


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where results of a site go.

    Attributes:
        id: ``site/name``; the name of its flow, too.
        site: Whose results.
        kind: How it takes them.
        ae_title: Called AE title of a C-STORE peer; empty of another kind.
        host: Name or address of a C-STORE peer; empty of another kind.
        port: Port of a C-STORE peer; 0 of another kind.
        url: Of the DICOMweb service; empty of another kind.
        calling_ae: How Hilum calls itself.
        tls: Whether associations are over TLS.
        objects: What goes there, in the order in which it is sent.
        options: See :class:`EncodingOptions`.
        when: Which results.
        weak_labels: Whether weak and experimental labels are reported, too.
        commitment: Whether storage commitment is asked for.
        max_associations: Deliveries that run at the same time.
        enabled: Results are sent. Those of the time in which it is off are not sent later.
        created_at: UTC, by the database's clock.
    """

    id: str
    site: str
    kind: DestinationKind
    ae_title: str = ""
    host: str = ""
    port: int = 0
    url: str = ""
    calling_ae: str = "HILUM"
    tls: bool = False
    objects: tuple[ObjectKind, ...] = (ObjectKind.SR, ObjectKind.SC)
    options: EncodingOptions = field(default_factory=EncodingOptions)
    when: When = When.ALWAYS
    weak_labels: bool = True
    commitment: bool = False
    max_associations: int = 2
    enabled: bool = True
    created_at: datetime

    @property
    def name(self) -> str:
        """Return its name at its site."""
        return self.id.removeprefix(f"{self.site}/")
