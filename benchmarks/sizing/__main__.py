"""``python -m benchmarks.sizing measure|check|pods|simulate|report``: see docs/sizing.md."""

from __future__ import annotations

import argparse
import json

from benchmarks.sizing.costs import Costs


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    measuring = commands.add_parser("measure", help="what a film costs, on the real stack here")
    measuring.add_argument("--films", type=int, default=400)
    measuring.add_argument("--workers", type=int, default=2)
    checking = commands.add_parser("check", help="the simulation against the real stack here")
    checking.add_argument("--films", type=int, default=300)
    checking.add_argument("--load", type=float, default=1.3)
    collecting = commands.add_parser("pods", help="what `make cluster-e2e` measured here")
    collecting.add_argument("--helm", default="helm")
    commands.add_parser("simulate", help="the national load")
    commands.add_parser("report", help="tables and plots of docs/sizing.md")
    arguments = parser.parse_args()
    # Each needs other parts: a plot no server, a measurement no matplotlib.
    if arguments.command == "measure":
        from benchmarks.sizing.measure import measure  # noqa: PLC0415

        measure(arguments.films, arguments.workers).save()
        return
    from benchmarks.sizing import report  # noqa: PLC0415

    if arguments.command == "check":
        from benchmarks.sizing.check import check  # noqa: PLC0415

        found = check(arguments.films, arguments.load)
        report.CHECKED.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    elif arguments.command == "pods":
        from benchmarks.sizing.pods import PODS, collect  # noqa: PLC0415

        pods = collect(arguments.helm)
        PODS.write_text(json.dumps(pods, indent=2) + "\n", encoding="utf-8")
    elif arguments.command == "simulate":
        from benchmarks.sizing.scenarios import run, scenarios  # noqa: PLC0415

        figures = [run(scenario) for scenario in scenarios(Costs.load())]
        report.FIGURES.write_text(json.dumps(figures) + "\n", encoding="utf-8")
    else:
        report.write(Costs.load(), *report.load_figures())


if __name__ == "__main__":
    main()
