"""The command's image, run by a stranger on a read-only root."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.images.containers import Run, run_to_end

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from images.container_engine import ContainerEngine

    Built = Callable[[str], str]

DATABASE = {"HILUM_DATABASE_URL": "sqlite:////data/hilum.db"}


def test_the_database_is_brought_up_to_date_twice(
    engine: ContainerEngine, image: Built, shared: Path
):
    """A migration finds its scripts in the image, and running it again changes nothing."""
    run = Run(image("cli"), ("db", "upgrade"), environment=DATABASE, mounts={"/data": shared})
    assert run_to_end(engine, run).code == 0
    once = (shared / "hilum.db").read_bytes()
    assert run_to_end(engine, run).code == 0
    assert (shared / "hilum.db").read_bytes() == once


def test_help_lists_the_commands(engine: ContainerEngine, image: Built):
    """Without a database it tells what it can do."""
    done = run_to_end(engine, Run(image("cli"), ("--help",)))
    assert done.code == 0, done.error
    assert {"db", "keys", "store", "status"} <= set(done.out.split())
