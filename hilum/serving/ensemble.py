"""The ensemble: one request, one film, the outputs of every network."""

from __future__ import annotations

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

ENSEMBLE_VERSION: Final = 1
ENSEMBLE_FILE: Final = "ensemble.json"

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
        version=ENSEMBLE_VERSION,
        steps=",\n".join(_step(model) for model in models),
    )


def ensemble_members(manifests: Sequence[ModelManifest]) -> str:
    """``ensemble.json``: which version of which model answers, so that a client can check it."""
    members = {model.name: model.serving_version for model in _ordered(manifests)}
    return json.dumps({"models": members}, indent=2) + "\n"


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
