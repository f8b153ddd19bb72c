"""The command against a real gateway with a real worker behind it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from hilum.adapters.postgres.engine import create_database_engine
from hilum.imaging.png_writer import encode_png
from hilum_cli.findings import COLUMNS
from tests.grey_networks import PANELS
from tests.unit.worker.embedded import noise_film, wait_until


@pytest.fixture
def film(command):
    """A film that was never sent before: ``film(seed)`` gives its path."""

    def make(seed: int, name: str | None = None) -> Path:
        path = command.folder / (name or f"film-{seed}.png")
        path.write_bytes(noise_film(seed))
        return path

    return make


def rows_of(output: str) -> dict[str, list[list[str]]]:
    """The table's rows by panel, each cell without its padding."""
    rows: dict[str, list[list[str]]] = {}
    for line in output.splitlines():
        row = [cell.strip() for cell in line.split("  ") if cell.strip()]
        if len(row) == len(COLUMNS) and row[0] in PANELS:
            rows.setdefault(row[0], []).append(row)
    return rows


def test_an_image_is_analysed_and_every_panel_printed(client, film):
    """First the impression; what is positive, or the most probable label; and cautions."""
    path = film(1, "a film.png")
    ended = client("analyse", path)
    assert ended.exit_code == 0, ended.output
    lines = ended.stdout.splitlines()
    assert lines[0].startswith(f"{path}: ")
    assert re.search(r": (No finding\.|Finding:( |$))", lines[0])
    head = next(line for line in lines if line.startswith("panel "))
    assert [cell.strip() for cell in head.split("  ") if cell] == list(COLUMNS)
    rows = rows_of(ended.stdout)
    assert set(rows) == set(PANELS)
    for panel, labels in PANELS.items():
        *named, last = rows[panel]
        if last[1].startswith("("):
            more = int(last[1].strip("()").removesuffix(" more"))
            assert last[3:5] == ["-", "no"]
        else:
            named, more = rows[panel], 0
        assert named
        assert len(named) + more == len(labels)
        for _, label, probability, point, positive, seconds in named:
            assert label in labels
            assert positive != "yes" or float(probability) >= float(point)
            assert float(seconds.removesuffix(" s")) > 0
    assert re.search(r"^lungs: cardiothoracic ratio 0\.\d\d$", ended.stdout, re.MULTILINE)
    assert lines[-2:] == ["pathology: Made of greys.", "Research use only, not for diagnosis."]
    assert all(len(line) <= 100 for line in lines[1:])


def test_every_label_is_printed_where_it_is_asked_for(client, film):
    """In the order of the panel."""
    ended = client("analyse", film(3), "--all-labels")
    rows = rows_of(ended.stdout)
    for panel, labels in PANELS.items():
        assert tuple(row[1] for row in rows[panel]) == labels
    assert "Weak evidence, a hint at most: pneumonia_bacterial, pneumonia_viral." in ended.stdout


def test_a_film_that_is_no_chest_is_told_with_the_gate_s_score(client, command):
    """And the exit code is that of a film that went wrong."""
    path = command.folder / "white.png"
    path.write_bytes(encode_png(np.full((300, 300), 250, np.uint8)))
    ended = client("analyse", path)
    assert ended.exit_code == 1
    told = " ".join(ended.stdout.split())
    assert "rejected: not_a_frontal_chest_xray: looks like: not chest (0.99)" in told
    job_id = json.loads(client("analyse", path, "--json").stdout)["films"][0]["job"]["job_id"]
    told = client("status", job_id).stdout
    assert re.search(r"advice +Only frontal chest radiographs", told)
    assert re.search(r"gate \(gate 1\.0\.0\) +frontal 0\.002, lateral 0\.002, not_chest 0\.9", told)


def test_json_holds_the_whole_job(client, film):
    """As the gateway gives it, under the path of the film."""
    path = film(2)
    document = json.loads(client("analyse", path, "--json", "--priority", "stat").stdout)
    assert document["notice"] == "Research use only, not for diagnosis."
    (entry,) = document["films"]
    assert (entry["file"], entry["state"], entry["reason"]) == (str(path), "completed", None)
    assert entry["job"]["priority"] == "stat"
    result = entry["job"]["result"]
    assert result["panels"][0]["panel"] == "pneumonia"
    assert result["impression"]["kind"] in {"finding", "no_finding"}


def test_a_folder_of_more_films_than_one_request_takes(client, film):
    """The gateway takes three files at once here; the command finds that out."""
    for seed in range(10, 17):
        film(seed)
    ended = client("analyse", ".", "--json")
    assert ended.exit_code == 0, ended.output
    films = json.loads(ended.stdout)["films"]
    assert [Path(entry["file"]).name for entry in films] == sorted(
        f"film-{seed}.png" for seed in range(10, 17)
    )
    assert {entry["state"] for entry in films} == {"completed"}


def test_films_that_went_wrong_are_told_beside_the_others(client, film):
    """Refused at the door, too large, rejected when it was read: exit code 1."""
    good = film(20)
    Path("text.png").write_text("not a film")
    Path("large.png").write_bytes(noise_film(21, 2100))
    whole = noise_film(22, 1200)
    Path("cut.png").write_bytes(whole[: len(whole) // 2])
    ended = client("analyse", good, "text.png", "large.png", "cut.png")
    assert ended.exit_code == 1
    assert "refused: unsupported_format: " in ended.stdout
    assert "refused: file_too_large: " in ended.stdout
    assert "rejected: truncated_film: " in ended.stdout
    assert "\n  Send the image as DICOM, PNG or JPEG.\n" in ended.stdout
    assert "tuberculosis" in ended.stdout


def test_a_request_in_which_everything_is_refused_is_told_as_such(client):
    """The gateway answers it with a problem; the command with rows."""
    Path("a.png").write_text("x")
    Path("b.png").write_text("y")
    ended = client("analyse", "a.png", "b.png")
    assert ended.exit_code == 1
    assert ended.stdout.count("refused: unsupported_format") == 2


def test_the_same_film_again_shows_the_same_result(client, film):
    """The job that exists answers."""
    path = film(30)
    first, second = (json.loads(client("analyse", path, "--json").stdout) for _ in range(2))
    assert first == second


def test_without_waiting_the_job_is_left_to_itself(client, film):
    """Exit code 0; ``hilum status`` tells later."""
    document = json.loads(client("analyse", film(40), "--no-wait", "--json").stdout)
    (entry,) = document["films"]
    job_id = entry["job"]["job_id"]
    wait_until(lambda: "covid19" in client("status", job_id).stdout, "the film was read")
    told = client("status", job_id)
    assert told.exit_code == 0
    assert re.match(r"film-40\.png: (No finding\.|Finding: )", told.stdout)
    assert "completed" in told.stdout
    assert "decode ms" in told.stdout
    assert "Research use only" in told.stdout


def test_the_platform_tells_how_it_is(client):
    """Its parts, the queues, what is parked."""
    told = client("status")
    assert told.exit_code == 0, told.output
    for part in ("database", "store", "broker"):
        assert any(line.split()[:2] == [part, "ok"] for line in told.stdout.splitlines())
    assert [line.split()[0] for line in told.stdout.splitlines() if line[:4] in {"stat", "rout"}]
    assert "parked: " in told.stdout


@pytest.fixture
def parked(client, film, stack):
    """Parks the job of a new film: ``parked(seed)`` gives its id."""

    def park(seed: int) -> str:
        document = json.loads(client("analyse", film(seed), "--no-wait", "--json").stdout)
        job_id = document["films"][0]["job"]["job_id"]
        wait_until(lambda: "completed" in client("status", job_id).stdout, "the film was read")
        # No film parks itself on order: the row is changed in the database.
        engine = create_database_engine(stack.env["HILUM_DATABASE_URL"])
        with engine.begin() as connection:
            connection.exec_driver_sql(
                "UPDATE jobs SET state = 'failed', reason_code = 'internal_error',"
                " reason_detail = 'a test' WHERE id = ?",
                (job_id.replace("-", ""),),
            )
        engine.dispose()
        return job_id

    return park


def test_parked_jobs_are_listed_retried_and_discarded(client, parked):
    """Each by its id; a job that is not parked any more is refused, the others are not."""
    first, second = parked(50), parked(51)
    listed = client("jobs", "--state", "failed")
    assert listed.exit_code == 0
    assert "internal_error: a test" in listed.stdout
    assert {first, second} <= {line.split()[0] for line in listed.stdout.splitlines()}
    retried = client("retry", first)
    assert retried.exit_code == 0
    assert retried.stdout.split() == [first, "queued"]
    discarded = client("discard", first, second)
    assert discarded.exit_code == 1
    assert f"{first}  transition_not_allowed: " in discarded.stderr
    assert discarded.stdout.split() == [second, "discarded"]


def test_every_parked_job_is_retried_at_once(client, parked):
    """And after that there is none."""
    jobs = {parked(60), parked(61)}
    retried = client("retry", "--all-failed")
    assert jobs <= {line.split()[0] for line in retried.stdout.splitlines()}
    assert json.loads(client("jobs", "--state", "failed", "--json").stdout) == []


def test_jobs_are_listed_page_by_page(client, film, monkeypatch):
    """As many as were asked for, newest first, whatever a page holds."""
    for seed in range(70, 75):
        film(seed)
    client("analyse", ".")
    monkeypatch.setattr("hilum_cli.gateway._PAGE", 2)
    document = json.loads(client("jobs", "--limit", "5", "--json").stdout)
    assert len(document) == len({job["job_id"] for job in document}) == 5
    created = [job["created_at"] for job in document]
    assert created == sorted(created, reverse=True)


@pytest.mark.parametrize("arguments", [("retry",), ("retry", "x", "--all-failed"), ("discard",)])
def test_which_jobs_must_be_said_once(client, arguments):
    """By id or by --all-failed."""
    assert client(*arguments).exit_code == 2


def test_a_key_that_is_wrong_is_told(client, film):
    """Exit code 3, the gateway's own words, nothing sent."""
    ended = client("analyse", film(80), HILUM_API_KEY="hilum_a.b")
    assert ended.exit_code == 3
    assert ended.stderr.startswith("Error: not_authenticated: ")
    assert len(ended.stderr.splitlines()) == 1


def test_a_key_file_goes_before_the_environment(client, stack):
    """An option is closer than a variable, and a variable than .hilum/api-key."""
    Path("key").write_text("hilum_a.b")
    assert client("jobs", "--api-key-file", "key").exit_code == 3
    Path(".hilum").mkdir()
    Path(".hilum/api-key").write_text(f"{stack.api_key}\n")
    assert client("jobs", HILUM_API_KEY=None).exit_code == 0
    assert client("jobs", HILUM_API_KEY="hilum_a.b").exit_code == 3
