"""Pictures and files of a film."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from PIL import Image

from hilum.domain.principal import Role
from hilum_gateway.pages.overlay_view import opacity_stops
from hilum_gateway.pictures.overlay_colours import FINDING_COLOURS, rgb
from tests.unit.gateway.pages.browsing import FakeGateway, film_bytes, send

AS_PICTURE = {"Accept": "image/*"}


@pytest.fixture
def gateway() -> FakeGateway:
    return FakeGateway()


@pytest.fixture
def film(gateway) -> str:
    """Address of a film that was read, of the site `north`."""
    answer = send(gateway.person(Role.SUBMITTER, "north"), "film.pgm")
    gateway.work()
    return re.search(r"/films/[0-9a-f-]{36}", answer.text)[0]


def pixels(answer) -> np.ndarray:
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/png"
    return np.asarray(Image.open(io.BytesIO(answer.content)))


def test_the_preview_shows_the_film(gateway, film):
    """The picture holds the film's grey values."""
    grey = pixels(gateway.person(Role.VIEWER, "north").get(f"{film}/preview.png"))
    sent = np.frombuffer(film_bytes()[-grey.size :], dtype=np.uint8).reshape(grey.shape)
    assert grey.dtype == np.uint8
    assert np.abs(grey.astype(int) - sent).mean() < 4  # kept as JPEG


def test_a_heatmap_is_a_transparent_layer_as_large_as_the_preview(gateway, film):
    """A layer has the film's size, an alpha channel, and covers its strongest point wholly."""
    browser = gateway.person()
    grey = pixels(browser.get(f"{film}/preview.png"))
    layer = pixels(browser.get(f"{film}/heatmaps/pneumonia/covid19.png"))
    assert layer.shape == (*grey.shape, 4)
    alpha = layer[..., 3]
    assert alpha.max() == 255
    # The fake engine sees evidence where the film is bright: below.
    assert alpha[-8:].mean() > alpha[:8].mean() + 100


def test_a_heatmap_has_one_colour_and_another_number_another_colour(gateway, film):
    """Every pixel of a layer has the colour of the number, so that a finding has one colour."""
    browser = gateway.person()
    for number in (0, 1):
        answer = browser.get(f"{film}/heatmaps/pneumonia/covid19.png?colour={number}")
        assert np.unique(pixels(answer)[..., :3].reshape(-1, 3), axis=0).tolist() == [
            list(rgb(number))
        ]


def test_a_colour_that_does_not_exist_is_refused(gateway, film):
    """A number outside the palette is an invalid request."""
    address = f"{film}/heatmaps/pneumonia/covid19.png?colour={len(FINDING_COLOURS)}"
    assert gateway.person().get(address, headers=AS_PICTURE).status_code == 400


def test_the_opacity_scale_is_that_of_the_layer():
    """The scale rises from transparent to the opacity of the strongest point."""
    stops = opacity_stops()
    assert stops[0] == (0.0, 0.0)
    assert stops[-1] == (1.0, 1.0)
    assert [opacity for _, opacity in stops] == sorted({opacity for _, opacity in stops})


def test_the_original_is_the_file_that_was_sent(gateway, film):
    """The download has the sent bytes and name, and cannot run as a page."""
    answer = gateway.person().get(f"{film}/original")
    assert answer.content == film_bytes()
    assert answer.headers["content-disposition"] == 'attachment; filename="film.pgm"'
    assert "sandbox" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("what", ["preview.png", "heatmaps/pneumonia/covid19.png", "original"])
def test_pictures_are_for_who_may_see_the_film(gateway, film, what):
    """No session: 401. A session of another site: 404. Nothing is left in the browser's cache."""
    nobody = gateway.visitor().get(f"{film}/{what}", headers=AS_PICTURE)
    assert (nobody.status_code, nobody.headers["content-type"][:10]) == (401, "text/plain")
    stranger = gateway.person(Role.ADMIN, "south").get(f"{film}/{what}", headers=AS_PICTURE)
    assert stranger.status_code == 404
    seen = gateway.person(Role.VIEWER, "north").get(f"{film}/{what}", headers=AS_PICTURE)
    assert (seen.status_code, seen.headers["cache-control"]) == (200, "no-store")


def test_there_are_no_pictures_before_the_result(gateway):
    """A film that waits has no preview and no heatmap yet."""
    browser = gateway.person()
    film = re.search(r"/films/[0-9a-f-]{36}", send(browser, "film.pgm").text)[0]
    assert browser.get(f"{film}/preview.png").status_code == 404
    assert browser.get(f"{film}/heatmaps/pneumonia/covid19.png").status_code == 404
