"""Results of an image that say what a test needs, in the place of what the fakes found."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np

from hilum.domain.finding import Box, Finding, Heatmap, PanelReading
from hilum.domain.impression_rule import impression_of
from hilum.domain.model import PanelKind, Rank, TensorSpec
from hilum.domain.principal import Role
from hilum.domain.scope import CHILD
from hilum.domain.verdict import EXPERIMENTAL
from tests.fakes.film_reader import graymap
from tests.unit.gateway.pages.browsing import FakeGateway, send

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hilum.domain.finding import Analysis
    from hilum.domain.model import ModelManifest, Panel


def within_lungs() -> bytes:
    """An image that is bright only where the fake engine outlines the lungs."""
    pixels = np.full((72, 96), 10, np.uint8)
    pixels[40:56, 24:64] = 240
    return graymap(pixels)


def a_finding(label: str, probability: float, **fields: object) -> Finding:
    """A validated finding with the operating point 0.4, assessed where nothing else is said."""
    values: dict[str, object] = {
        "display": label.replace("_", " ").capitalize(),
        "operating_point": 0.4,
        "positive": probability >= 0.4,
        "abnormal": label != "normal",
        "weak": False,
    }
    if "reason" in fields:
        values |= {"positive": None}
    return Finding(label=label, probability=probability, **(values | fields))  # type: ignore[arg-type]


def an_experimental(label: str, probability: float) -> Finding:
    """An experimental label that the site has not switched on."""
    return a_finding(
        label,
        probability,
        operating_point=None,
        rank=Rank.EXPERIMENTAL,
        reason=EXPERIMENTAL,
        weak=True,
    )


def a_panel(name: str, *findings: Finding, **fields: object) -> PanelReading:
    """A panel of a model named chest."""
    values: dict[str, object] = {"display": name.capitalize(), "kind": PanelKind.SINGLE_LABEL}
    return PanelReading(name, "chest", "1.0.0", findings, **(values | fields))  # type: ignore[arg-type]


def healthy() -> list[PanelReading]:
    """Panels of a healthy child: nothing is positive, and tuberculosis is out of scope."""
    return [
        a_panel("infection", a_finding("normal", 0.94), a_finding("infected", 0.06)),
        a_panel(
            "tuberculosis",
            a_finding("normal", 0.48, reason=CHILD),
            a_finding("tuberculosis", 0.52, reason=CHILD),
            scope_reason=CHILD,
        ),
        a_panel(
            "pathology",
            an_experimental("hernia", 0.71),
            an_experimental("mass", 0.12),
            kind=PanelKind.MULTI_LABEL,
        ),
    ]


def ill() -> list[PanelReading]:
    """Panels of an ill adult: tuberculosis, and an effusion whose map lies outside the lungs."""
    box = Box(20.0, 30.0, 16.0, 12.0, 2.5)
    return [
        a_panel(
            "tuberculosis",
            a_finding("normal", 0.08),
            a_finding(
                "tuberculosis",
                0.92,
                heatmap=True,
                boxes=(box,),
                map_in_lungs=0.9,
                prevalence=0.05,
                predictive_value=0.3366,
            ),
        ),
        a_panel(
            "pathology",
            a_finding("effusion", 0.55, heatmap=True, map_in_lungs=0.2),
            an_experimental("nodule", 0.83),
            a_finding("granuloma", 0.99, rank=Rank.NOT_SHOWN),
            kind=PanelKind.MULTI_LABEL,
        ),
    ]


def out_of_scope() -> list[PanelReading]:
    """Panels that were not made for the person on the image."""
    return [
        a_panel(
            name,
            a_finding("normal", 0.3, reason=CHILD),
            a_finding(name, 0.7, reason=CHILD),
            scope_reason=CHILD,
        )
        for name in ("infection", "tuberculosis")
    ]


def with_panels(manifest: ModelManifest, *panels: Panel) -> ModelManifest:
    """The manifest with these panels, and with a measure `child` for their scopes."""
    spec = TensorSpec("scope", (1,), "float32", "scope")
    outputs = (*manifest.outputs, spec)
    return replace(manifest, panels=panels, outputs=outputs, scope_measures=("child",))


def stored(
    gateway: FakeGateway, panels: Sequence[PanelReading], *, with_impression: bool = True
) -> str:
    """Send an image, and store these panels as its result; the address of its page."""
    answer = send(gateway.person(Role.SUBMITTER, "north"), "image.pgm")
    gateway.work()
    address = re.search(r"/films/[0-9a-f-]{36}", answer.text)
    assert address is not None
    job_id = UUID(address[0].rpartition("/")[2])
    results = gateway.unit_of_work._rows.results  # noqa: SLF001 - a result is written once
    results[job_id] = replace(
        results[job_id],
        panels=tuple(panels),
        heatmaps=tuple(_heatmaps(panels)),
        impression=impression_of(panels) if with_impression else None,
    )
    return address[0]


def result_of(gateway: FakeGateway, address: str) -> Analysis:
    """The stored result of the image with this page."""
    with gateway.unit_of_work.begin(write=False) as transaction:
        found = transaction.results.get(UUID(address.rpartition("/")[2]))
    assert found is not None
    return found


def _heatmaps(panels: Sequence[PanelReading]) -> list[Heatmap]:
    values = bytes([0, 80, 160, 255])
    return [
        Heatmap(panel.panel, finding.label, 2, 2, values, 0.01)
        for panel in panels
        for finding in panel.findings
        if finding.heatmap
    ]
