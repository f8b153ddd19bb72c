"""Tables for people, and the machine they were measured on."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table


def machine() -> dict[str, Any]:
    """Processor, cores, memory and interpreter."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "python": platform.python_version(),
    }


def show(report: dict[str, Any]) -> None:
    """Print a throughput report."""
    console = Console(width=100)
    console.print(report["machine"])
    console.print(
        f"{report['films']} films, {report['workers']} workers with {report['threads']} threads, "
        f"{report['connections']} connections: "
        f"[bold]{report['films_per_second']:.1f} films/s[/bold]"
    )
    latency = Table("latency, ms", "p50", "p95", "p99")
    for name, cuts in report["latency_ms"].items():
        latency.add_row(name, *(f"{cuts[cut]:.0f}" for cut in ("p50", "p95", "p99")))
    console.print(latency)
    processes = Table("process", "CPU ms per film", "peak MiB")
    for name, account in report["processes"].items():
        processes.add_row(name, f"{account['cpu_ms_per_film']:.1f}", f"{account['peak_mib']:.0f}")
    total = sum(account["cpu_ms_per_film"] for account in report["processes"].values())
    processes.add_row("all", f"{total:.1f}", "")
    console.print(processes)
    ratios = Table("against", "films/s", "ratio")
    for name, rate in report["bare_loop_films_per_second"].items():
        ratio = report["ratio_over_bare_loop"][name]
        ratios.add_row(f"bare loop, {name} (aim >= 0.5)", f"{rate:.1f}", f"{ratio:.2f}")
    plain = report["plain_service_films_per_second"]
    ratios.add_row(
        "plain service (aim >= 10)",
        f"{plain:.2f}" if plain else "not measured",
        f"{report['ratio_over_plain_service']:.1f}" if plain else "",
    )
    console.print(ratios)
