"""A radiologist's eye: OHIF opens a study with a result, and shows it. ``make viewer``.

A screenshot of each step is left in ``.cache/viewer``.
"""

from __future__ import annotations

import io
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.request import Request, urlopen

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect, sync_playwright
from pydicom import dcmread

from hilum.adapters.dicom.encoding.result_encoder import HighdicomEncoder
from hilum.adapters.dicom.network.stow_sender import StowSender
from hilum.adapters.dicom.phantom_dicom import phantom_dicom
from hilum.application.ports.pacs import Answer
from hilum.domain.destination import DestinationKind, EncodingOptions, ObjectKind
from hilum.domain.finding import Box
from hilum_stack.orthanc import OrthancServer
from tests.contract.test_deliveries import a_destination
from tests.contract.test_pacs import answers
from tests.nightly.viewer.web import viewer
from tests.servers import started
from tests.unit.adapters.dicom.encoding import results

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from playwright.sync_api import Page

CACHE: Final = Path(__file__).parents[3] / ".cache"
FILES: Final = CACHE / "ohif" / "package" / "dist"
SCREENSHOTS: Final = CACHE / "viewer"
PATIENCE_MS: Final = 180_000
SIDE: Final = 1024
BOXES: Final = (Box(200.0, 300.0, 220.0, 180.0, 2.0), Box(640.0, 420.0, 100.0, 120.0, 1.0))
KINDS: Final = (ObjectKind.SR, ObjectKind.SC, ObjectKind.GSPS, ObjectKind.SEG)


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """OHIF with the study open."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    content = phantom_dicom(SIDE, SIDE)
    (panel,) = results.analysis().panels
    findings = (replace(panel.findings[0], boxes=BOXES), *panel.findings[1:])
    analysis = results.analysis(
        rows=SIDE, columns=SIDE, panels=(replace(panel, findings=findings),)
    )
    result = results.result(content, analysis=analysis)
    made = HighdicomEncoder().encode(result, KINDS, EncodingOptions(regions_apart=True))
    with (
        started(OrthancServer) as orthanc,
        viewer(FILES, orthanc.url) as address,
        sync_playwright() as playwright,
    ):
        web = a_destination(kind=DestinationKind.STOW, url=f"{orthanc.url}/dicom-web")
        sender = StowSender()
        answers(sender, web)
        urlopen(Request(f"{orthanc.url}/instances", data=content)).close()  # noqa: S310 - its own
        told = sender.send(web, list(made.values()))
        assert {one.answer for one in told} == {Answer.SENT}
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("chromium-browser"),
            args=["--no-sandbox", "--use-gl=swiftshader", "--ignore-gpu-blocklist"],
        )
        page = browser.new_page(viewport={"width": 1500, "height": 950})
        study = dcmread(io.BytesIO(content)).StudyInstanceUID
        page.goto(f"{address}/viewer?StudyInstanceUIDs={study}", timeout=PATIENCE_MS)
        yield page
        browser.close()


def screenshot(page: Page, name: str) -> NDArray[np.uint8]:
    content = page.screenshot(path=SCREENSHOTS / f"{name}.png")
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def yellow(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    red, green, blue = (pixels[..., n].astype(int) for n in range(3))
    return (red > 200) & (green > 200) & (blue < 90)


def test_the_study_lists_every_object(page: Page) -> None:
    """By the descriptions that say what they are."""
    for description in (
        "AI findings, research use only",
        "AI image with findings, research use only",
        "AI overlay, research use only",
        "AI lung masks, research use only",
    ):
        expect(page.get_by_text(description).first).to_be_visible(timeout=PATIENCE_MS)
    screenshot(page, "study")


def test_the_report_opens_and_its_boxes_stand_where_they_should(page: Page) -> None:
    """On the image, in stored pixels. Elsewhere nothing is drawn."""
    for name in ("Confirm and hide", "Skip all"):
        page.get_by_text(name, exact=True).click(timeout=PATIENCE_MS)
    page.locator('[data-cy="study-browser-thumbnail-no-image"]', has_text="SR").dblclick()
    page.get_by_text("Yes", exact=True).click(timeout=PATIENCE_MS)
    expect(page.locator("svg.svg-layer rect").first).to_be_visible(timeout=PATIENCE_MS)
    canvas = page.locator("canvas").first.bounding_box()
    assert canvas is not None
    page.mouse.move(5, 5)
    drawn = yellow(screenshot(page, "report"))
    scale = min(canvas["width"], canvas["height"]) / SIDE
    left = canvas["x"] + (canvas["width"] - scale * SIDE) / 2
    top = canvas["y"] + (canvas["height"] - scale * SIDE) / 2
    for box in BOXES:
        row = round(top + (box.y + box.height / 2) * scale)
        for edge in (box.x, box.x + box.width):
            column = round(left + edge * scale)
            assert drawn[row - 2 : row + 3, column - 4 : column + 5].any(), (box, edge)
        middle = round(left + (box.x + box.width / 2) * scale)
        assert not drawn[row - 2 : row + 3, middle - 4 : middle + 5].any()
