"""The ensemble: one request, one film, the outputs of every network."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final

from hilum.domain.errors import InvalidManifest
from hilum.serving.target import MAX_BATCH
from hilum.serving.triton_config import HEADER, tensors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hilum.domain.model import ModelManifest

ENSEMBLE: Final = "hilum"
"""Name that Triton serves it under, and its folder."""

ENSEMBLE_FILE: Final = "ensemble.json"
_LARGEST_VERSION: Final = 2**31 - 1

_TEMPLATE: Final = """\
{header}
name: "{name}"
platform: "ensemble"
max_batch_size: {max_batch}
input [
{inputs}
]
output [
{outputs}
]
version_policy {{ specific {{ versions: [ {version} ] }} }}
ensemble_scheduling {{
  step [
{steps}
  ]
}}
"""


def render_ensemble(manifests: Sequence[ModelManifest]) -> str:
    """The configuration of the ensemble; the same for every target, since it names models only.

    Each step is pinned to its model's serving version. Triton runs only the steps whose outputs a
    request asks for.

    Args:
        manifests: The networks, each once.

    Raises:
        InvalidManifest: There is none, they do not take the same film, or two outputs share a name.
    """
    models = _ordered(manifests)
    outputs = tuple(output for model in models for output in model.outputs)
    if len({output.name for output in outputs}) != len(outputs):
        raise InvalidManifest("two networks of the ensemble have an output of the same name")
    first = models[0]
    for model in models:
        if (model.film_input, model.preprocessing) != (first.film_input, first.preprocessing):
            raise InvalidManifest(f"{model.name} and {first.name} do not take the same film")
    return _TEMPLATE.format(
        header=HEADER,
        name=ENSEMBLE,
        max_batch=MAX_BATCH,
        inputs=tensors(first.inputs),
        outputs=tensors(outputs),
        version=ensemble_version(models),
        steps=",\n".join(_step(model) for model in models),
    )


def ensemble_version(manifests: Sequence[ModelManifest]) -> int:
    """The number that the ensemble is served under: another one for other networks in it.

    A client pins it. Of several servers behind one name some may have other networks than others,
    while they are exchanged: these then refuse, where they would answer with other outputs.
    """
    digest = hashlib.sha256()
    for model in _ordered(manifests):
        (graph,) = (item.sha256 for item in model.artefacts if item.path == model.onnx)
        digest.update(f"{model.name}\0{model.serving_version}\0{graph}\0".encode())
    return 1 + int.from_bytes(digest.digest()) % _LARGEST_VERSION


def ensemble_members(manifests: Sequence[ModelManifest]) -> str:
    """``ensemble.json``: which version of which model answers, so that a client can check it."""
    members = {model.name: model.serving_version for model in _ordered(manifests)}
    document = {"version": ensemble_version(manifests), "models": members}
    return json.dumps(document, indent=2) + "\n"


def _ordered(manifests: Sequence[ModelManifest]) -> list[ModelManifest]:
    if len({model.name for model in manifests}) != len(manifests) or not manifests:
        raise InvalidManifest("an ensemble needs networks, each of them once")
    return sorted(manifests, key=lambda model: model.name)


def _step(model: ModelManifest) -> str:
    film = model.film_input.name
    maps = [f'input_map {{ key: "{film}" value: "{film}" }}']
    maps += [
        f'output_map {{ key: "{output.name}" value: "{output.name}" }}' for output in model.outputs
    ]
    lines = "\n".join(f"      {line}" for line in maps)
    return (
        f'    {{ model_name: "{model.name}" model_version: {model.serving_version}\n{lines}\n    }}'
    )
