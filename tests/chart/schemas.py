"""JSON schemas of Kubernetes' own kinds, and of the custom ones, as kubeconform reads them."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tests.cluster.crds import PROJECTS, crd_files, files_of_the_chart

if TYPE_CHECKING:
    from collections.abc import Iterable


class _PlainLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Reads ``=`` as text: YAML 1.1 makes a type of its own of it, YAML 1.2 does not."""


_PlainLoader.add_constructor("tag:yaml.org,2002:value", yaml.SafeLoader.construct_scalar)


def write_kubernetes(folder: Path, versions: Iterable[str]) -> str:
    """Write the strict schemas that the package kubernetes-validate carries, for some versions.

    They refer to a shared file by an address of their own server; here it lies beside them.

    Returns:
        Where kubeconform finds them.
    """
    spec = find_spec("kubernetes_validate")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("kubernetes-validate")
    for version in versions:
        name = f"v{version}-local-strict"
        made = folder / name
        made.mkdir()
        for file in (Path(spec.origin).parent / "kubernetes-json-schema" / name).iterdir():
            text = file.read_text(encoding="utf-8").replace('"/api/_definitions', '"_definitions')
            schema = json.loads(text)
            # The name that it has on that server: the server would be asked for what it refers to.
            schema.pop("$id", None)
            (made / file.name).write_text(json.dumps(schema), encoding="utf-8")
    file = "{{.NormalizedKubernetesVersion}}-local-strict/{{.ResourceKind}}{{.KindSuffix}}.json"
    return f"{folder}/{file}"


def write_custom(folder: Path, *, used_only: bool = True) -> str:
    """Write strict schemas of the custom kinds; returns where kubeconform finds them.

    Args:
        folder: Where to.
        used_only: Those that the chart makes; otherwise all of the projects.
    """
    everything = (file for project in PROJECTS for file in crd_files(project))
    for file in files_of_the_chart() if used_only else everything:
        for definition in yaml.load_all(file.read_text(encoding="utf-8"), Loader=_PlainLoader):
            spec = definition["spec"]
            for version in spec["versions"]:
                schema = _strict(version["schema"]["openAPIV3Schema"])
                name = f"{spec['names']['kind'].lower()}-{spec['group']}-{version['name']}.json"
                (folder / name).write_text(json.dumps(schema), encoding="utf-8")
    return f"{folder}/" + "{{.ResourceKind}}-{{.Group}}-{{.ResourceAPIVersion}}.json"


def _strict(schema: Any, *, top: bool = True) -> Any:
    """Refuse properties that a definition does not name, as the API server does on request."""
    if isinstance(schema, list):
        return [_strict(one, top=False) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _strict(value, top=False) for key, value in schema.items()}
    if schema.get("x-kubernetes-int-or-string"):
        made.pop("type", None)
        made["oneOf"] = [{"type": "integer"}, {"type": "string"}]
    closed = (
        isinstance(schema.get("properties"), dict)
        and "additionalProperties" not in schema
        and not schema.get("x-kubernetes-preserve-unknown-fields")
        and not schema.get("x-kubernetes-embedded-resource")
    )
    if closed and schema.get("type") == "object":
        made["additionalProperties"] = False
    return made
