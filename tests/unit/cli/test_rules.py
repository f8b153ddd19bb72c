"""``hilum rules``: what sites decide about their images, on the database itself."""

from __future__ import annotations

from tests.unit.cli.test_models import grey_repository, run

__all__ = ["grey_repository", "run"]


def test_a_rule_is_listed_with_its_default_and_set(run):
    """What was decided stands behind what holds without a decision."""
    listed = run("rules", "list").stdout.splitlines()
    assert [line.split() for line in listed] == [
        ["site", "rule", "value", "set", "by"],
        ["default", "for_processing", "refuse", "-", "-"],
        ["default", "not_for_us", "failure", "-", "-"],
    ]
    ended = run("rules", "set", "for_processing", "accept", "--site", "north")
    assert ended.stdout == "site north: for_processing is accept\n"
    *_, last = run("rules", "list").stdout.splitlines()
    assert last.split()[:3] == ["north", "for_processing", "accept"]
    assert run("audit", "verify").exit_code == 0


def test_a_value_that_a_rule_does_not_have_is_refused(run):
    """Nothing is changed."""
    ended = run("rules", "set", "for_processing", "perhaps", "--site", "north")
    assert ended.exit_code != 0
    assert "perhaps" in ended.output
    assert "perhaps" not in run("rules", "list").stdout
