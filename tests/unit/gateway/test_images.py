"""Heatmaps, previews and originals."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tests.fakes.model_catalogue import whole_set
from tests.unit.gateway.api import FILM_SIZE, Api, FakeGateway, film_bytes, problem

HEATMAP = "heatmaps/pneumonia/covid19.png"


def picture(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    assert image.format == "PNG"
    return image


def test_the_preview_is_the_film_in_grey(api: Api):
    """As large as the film, where the film is small."""
    answer = api.get(f"/v1/jobs/{api.completed()}/preview.png")
    assert answer.headers["content-type"] == "image/png"
    image = picture(answer.content)
    assert (image.mode, image.size) == ("L", FILM_SIZE)


def test_the_overlay_shows_film_and_heatmap(api: Api):
    """RGB, and not the film alone."""
    job_id = api.completed()
    overlay = picture(api.get(f"/v1/jobs/{job_id}/{HEATMAP}").content)
    film = picture(api.get(f"/v1/jobs/{job_id}/preview.png").content)
    assert (overlay.mode, overlay.size) == ("RGB", film.size)
    assert not np.array_equal(np.asarray(overlay), np.asarray(film.convert("RGB")))


def test_an_overlay_without_opacity_is_the_film(api: Api):
    """0 shows nothing of the heatmap."""
    job_id = api.completed()
    overlay = picture(api.get(f"/v1/jobs/{job_id}/{HEATMAP}?opacity=0").content)
    film = picture(api.get(f"/v1/jobs/{job_id}/preview.png").content)
    assert np.array_equal(np.asarray(overlay), np.asarray(film.convert("RGB")))


def test_the_layer_is_transparent_where_nothing_is_active(api: Api):
    """RGBA, to be laid over the preview by a viewer."""
    layer = picture(api.get(f"/v1/jobs/{api.completed()}/{HEATMAP}?layer=true&opacity=1").content)
    alpha = np.asarray(layer)[:, :, 3]
    assert layer.mode == "RGBA"
    assert alpha.min() < 30
    assert alpha.max() == 255


@pytest.mark.parametrize("opacity", ["-0.1", "1.1", "nan", "x"])
def test_an_opacity_outside_0_to_1_is_an_invalid_request(api: Api, opacity):
    """A share of one."""
    path = f"/v1/jobs/{api.completed()}/{HEATMAP}?opacity={opacity}"
    problem(api.get(path), 400, "invalid_request")


@pytest.mark.parametrize(
    "path",
    [
        "heatmaps/pneumonia/measles.png",
        "heatmaps/bone/covid19.png",
        "heatmaps/pneumonia/normal.png",
        "outlines/lungs.svg",
    ],
)
def test_an_unknown_panel_or_label_is_not_found(api: Api, path):
    """404, as for a label that is negative or not abnormal: no heatmap of it is kept."""
    problem(api.get(f"/v1/jobs/{api.completed()}/{path}"), 404, "not_found")


@pytest.mark.parametrize("path", ["preview.png", HEATMAP])
def test_a_job_that_waits_has_no_pictures_yet(api: Api, path):
    """404, not kept by the browser."""
    answer = api.get(f"/v1/jobs/{api.accepted()}/{path}", headers={"If-None-Match": "*"})
    problem(answer, 404, "not_found")
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["preview.png", HEATMAP, HEATMAP + "?layer=true"])
def test_a_picture_that_the_browser_has_is_not_sent_again(api: Api, path):
    """It never changes; only the browser that asked may keep it."""
    url = f"/v1/jobs/{api.completed()}/{path}"
    first = api.get(url)
    assert "private" in first.headers["cache-control"]
    assert "immutable" in first.headers["cache-control"]
    again = api.get(url, headers={"If-None-Match": f'"x", W/{first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]


def test_pictures_that_differ_have_different_tags():
    """By panel and label, layer and opacity."""
    api = Api(FakeGateway(models=whole_set()))
    job_id = api.completed()
    paths = ["preview.png", HEATMAP, HEATMAP + "?layer=true", HEATMAP + "?opacity=0.3"]
    paths.append("heatmaps/pathology/nodule.png")
    tags = {api.get(f"/v1/jobs/{job_id}/{path}").headers["etag"] for path in paths}
    assert len(tags) == len(paths)


def test_a_tag_does_not_open_a_job_of_another_site(api: Api, gateway: FakeGateway):
    """The key is checked before a 304."""
    job_id = api.completed(site="south")
    tag = api.get(f"/v1/jobs/{job_id}/preview.png").headers["etag"]
    north = Api(gateway, site="north")
    answer = north.get(f"/v1/jobs/{job_id}/preview.png", headers={"If-None-Match": tag})
    problem(answer, 404, "not_found")


def test_the_original_comes_back_byte_for_byte_as_a_download(api: Api):
    """A stranger's file never runs on this origin."""
    name = 'Kunz "Thorax".pgm'
    (job,) = api.submit((name, film_bytes(5))).json()["jobs"]
    answer = api.get(job["links"]["original"])
    assert answer.content == film_bytes(5)
    assert int(answer.headers["content-length"]) == len(film_bytes(5))
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_an_original_that_the_store_lost_is_a_500_that_names_no_key(api: Api, gateway: FakeGateway):
    """A defect: the log has it."""
    job_id = api.accepted()
    (key,) = gateway.store.objects
    gateway.store.delete(key)
    document = problem(api.get(f"/v1/jobs/{job_id}/original"), 500, "object_missing")
    assert key not in str(document)
