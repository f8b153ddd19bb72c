"""``python -m tests.cluster``: build, start, enter and stop a real Kubernetes on this machine."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from hilum_stack.errors import StackError
from tests.cluster.programs import CHART_PROGRAMS, CLUSTER_PROGRAMS, KEDA_PROGRAMS, build
from tests.cluster.running import DEFAULT_NAME, Run, sweep
from tests.cluster.supervisor import serve

if TYPE_CHECKING:
    from types import FrameType

_ABOUT = """\
commands:
  tools        build the Go programs of the cluster (once)
  chart-tools  build only what the chart's static checks need
  keda-tools   build KEDA, for the test of the workers' scaling
  up           start the cluster, or say that it runs
  down         stop it and remove everything of it
  status       say whether it runs
  env          print the variables that point kubectl and helm at it
  run COMMAND  run a command inside its network; starts a cluster for it where none runs
"""
_PROGRAMS = {
    "tools": tuple(dict.fromkeys([*CHART_PROGRAMS, *CLUSTER_PROGRAMS])),
    "chart-tools": CHART_PROGRAMS,
    "keda-tools": KEDA_PROGRAMS,
}


def main(argv: list[str] | None = None) -> int:
    """Carries out one command.

    Returns:
        The exit status; of ``run``: that of its command.
    """
    asked = _parser().parse_args(argv)
    run = Run(asked.name)
    try:
        return _carry_out(asked, run)
    except StackError as error:
        print(f"cluster: {error}", file=sys.stderr)  # noqa: T201 - a command prints
        return 2


def _carry_out(asked: argparse.Namespace, run: Run) -> int:
    match asked.command:
        case "tools" | "chart-tools" | "keda-tools":
            build(_PROGRAMS[asked.command])
        case "up":
            began = time.monotonic()
            run.up()
            _tell(f"the cluster is up ({time.monotonic() - began:.0f} s)")
            _tell("a shell in it: python -m tests.cluster run bash")
        case "down":
            run.down()
            sweep()
            _tell("the cluster is down")
        case "status":
            _tell("up" if run.is_up else "down")
            return 0 if run.is_up else 1
        case "env":
            own = run.environment()
            for name in ("KUBECONFIG", "HILUM_CLUSTER", "PATH", "NO_PROXY"):
                _tell(f"export {name}='{own[name]}'")
        case "run":
            return _run(run, asked.argv)
        case "serve":
            return serve(run, held=asked.held)
    return 0


def _run(run: Run, argv: list[str]) -> int:
    sweep()
    if run.is_up:
        return subprocess.run(run.inside(argv), env=run.environment(), check=False).returncode
    own = Run(f"{run.name}-{os.getpid()}")
    signal.signal(signal.SIGTERM, _end)
    pipe = own.up(held=True)
    try:
        return subprocess.run(own.inside(argv), env=own.environment(), check=False).returncode
    finally:
        if pipe is not None:
            pipe.close()
        own.down()


def _end(_number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + signal.SIGTERM)


def _tell(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a command prints


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.cluster",
        description="A real Kubernetes on this machine, in a network without an uplink.",
        epilog=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--name", default=DEFAULT_NAME, help="which cluster (default: default)")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in (*_PROGRAMS, "up", "down", "status", "env"):
        commands.add_parser(name)
    commands.add_parser("run").add_argument("argv", nargs=argparse.REMAINDER)
    commands.add_parser("serve").add_argument("--held", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main())
