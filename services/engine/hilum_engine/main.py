"""``hilum-engine``: install a model repository for a target, or build TensorRT engines for it."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hilum.domain.errors import HilumError
from hilum.runtime.plain_logs import start_plain_logging
from hilum.serving.installed import read_installed
from hilum.serving.repository import Rendering, render_repository
from hilum.serving.target import Target

if TYPE_CHECKING:
    from collections.abc import Sequence

FELL_BACK: Final = 1
UNUSABLE: Final = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        0, 1 where ``--strict`` is given and a model has no engine, or 2 where the repository cannot
        be read or ``--out`` not written; standard error then begins with a stable code.
    """
    start_plain_logging(logging.INFO)
    options = _parser().parse_args(arguments)
    try:
        return int(_COMMANDS[options.command](options))
    except HilumError as error:
        sys.stderr.write(f"{error.code}: {error}\n")
    except ValueError as error:
        sys.stderr.write(f"wrong_setting: {error}\n")
    except OSError as error:
        sys.stderr.write(f"not_written: {error}\n")
    return UNUSABLE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hilum-engine", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    install = commands.add_parser(
        "install", help="fetch and check a repository, then write it for one target; needs no GPU"
    )
    install.add_argument(
        "--source",
        required=True,
        help="a folder, or s3://ACCESS:SECRET@host:port/bucket/prefix?secure=true",
    )
    without_engines = [target.value for target in Target if target is not Target.GPU_TENSORRT]
    install.add_argument("--target", required=True, choices=without_engines)
    install.add_argument("--out", type=Path, required=True, help="what Triton will serve")
    render = commands.add_parser("render", help="write a repository for one target; needs no GPU")
    render.add_argument("--target", required=True, choices=[target.value for target in Target])
    build = commands.add_parser(
        "build", help="build and check an engine for each model, then write the repository"
    )
    for command in (render, build):
        command.add_argument("--models", type=Path, default=Path("model_repository"))
        command.add_argument("--out", type=Path, required=True, help="what Triton will serve")
    build.add_argument("--cache", type=Path, required=True, help="engines built before; a volume")
    build.add_argument(
        "--fallback",
        default=Target.GPU_ONNXRUNTIME.value,
        choices=[Target.GPU_ONNXRUNTIME.value, Target.CPU.value],
        help="target of a model that gets no engine",
    )
    build.add_argument("--precision", default="float16", choices=["float16", "float32"])
    build.add_argument("--metrics", type=Path, help="a .prom file for node_exporter's collector")
    build.add_argument("--strict", action="store_true", help="end with 1 if a model has no engine")
    return parser


def _install(options: argparse.Namespace) -> int:
    from hilum_engine.install import install  # noqa: PLC0415 - render needs no ONNX

    folders = install(options.source, Target(options.target), options.out)
    sys.stdout.write("".join(f"{folder}\n" for folder in folders))
    return 0


def _render(options: argparse.Namespace) -> int:
    rendering = Rendering(Target(options.target))
    names = [model.newest.name for model in read_installed(options.models)]
    folders = render_repository(options.models, options.out, dict.fromkeys(names, rendering))
    sys.stdout.write("".join(f"{folder}\n" for folder in folders))
    return 0


def _build(options: argparse.Namespace) -> int:
    from hilum_engine.build import Order, build_repository  # noqa: PLC0415 - render needs no ONNX
    from hilum_engine.tensorrt_builder import TensorRTBuilder  # noqa: PLC0415 - likewise

    order = Order(
        repository=options.models,
        out=options.out,
        cache=options.cache,
        fallback=Target(options.fallback),
        precision=options.precision,
    )
    outcome = build_repository(order, TensorRTBuilder)
    if options.metrics is not None:
        outcome.metrics.write(options.metrics)
    for name, rendering in outcome.renderings.items():
        sys.stdout.write(f"{name}: {rendering.target}\n")
    return FELL_BACK if options.strict and outcome.fallen_back else 0


_COMMANDS: Final = {"install": _install, "render": _render, "build": _build}
