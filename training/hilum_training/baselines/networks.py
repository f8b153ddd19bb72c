"""Networks of the baselines: fitted, and asked for probabilities and pooled features."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from hilum_training.learning.fit import Fit
from hilum_training.learning.log import write_log
from hilum_training.measures.metrics import sigmoid, softmax
from hilum_training.network import FEATURES, build_network
from hilum_training.weights import weights_digest

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from hilum_training.films.library import FilmSet, Library
    from hilum_training.panel_recipe import PanelRecipe
    from hilum_training.recipe import Recipe

_BATCH = 64


@dataclass(frozen=True, slots=True)
class Embedded:
    """What a network makes of N films.

    Attributes:
        features: float32 [N, C], pooled over the film.
        logits: float64 [N, K] by panel.
    """

    features: NDArray[np.float32]
    logits: dict[str, NDArray[np.float64]]


def fit_network(
    recipe: Recipe, library: Library, limit: int | None, folder: Path, log: Path
) -> keras.Model:
    """Train a baseline's network, or take the one of a finished run of the same recipe.

    Args:
        recipe: What to train.
        library: Its films.
        limit: Training films at most.
        folder: State and weights of the run.
        log: CSV for the epochs.
    """
    keras.utils.set_random_seed(recipe.seed)
    train, validation = library.train.first(limit), library.validation.first(limit)
    fit = Fit(recipe, train, validation, folder)
    write_log(fit.run(), log)
    return fit.result()


def untrained_trunk(recipe: Recipe) -> keras.Model:
    """A network as its initial weights leave it: a trunk for heads that are fitted elsewhere."""
    keras.utils.set_random_seed(recipe.seed)
    return build_network(recipe)


def embed(network: keras.Model, films: FilmSet, cache: Path) -> Embedded:
    """Pooled features and logits, computed once for a network and its films.

    Args:
        network: From :func:`build_network`, or loaded.
        films: N films.
        cache: Folder for the arrays.
    """
    asked = [weights_digest(network), str(films.inputs.shape), *(film.file for film in films.films)]
    name = hashlib.sha256("\0".join(asked).encode()).hexdigest()[:16]
    path = cache / f"features-{name}.npz"
    if not path.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"features-{name}.partial.npz")
        np.savez(partial, **_embed(network, films))  # type: ignore[arg-type]
        partial.replace(path)
    with np.load(path) as stored:
        logits = {
            key.removeprefix("logits_"): stored[key].astype(np.float64)
            for key in stored.files
            if key.startswith("logits_")
        }
        return Embedded(stored["features"], logits)


def _embed(network: keras.Model, films: FilmSet) -> dict[str, NDArray[np.float32]]:
    pooled = keras.ops.mean(network.get_layer(FEATURES).output, axis=(1, 2))
    outputs = {"features": pooled}
    outputs |= {f"logits_{name}": value for name, value in network.output.items()}
    both = keras.Model(network.input, outputs)
    parts: dict[str, list[NDArray[np.float32]]] = {key: [] for key in outputs}
    for start in range(0, len(films.inputs), _BATCH):
        batch = films.inputs[start : start + _BATCH].astype(np.float32)
        for key, value in both.predict_on_batch(batch).items():
            parts[key].append(np.asarray(value, dtype=np.float32))
    return {key: np.concatenate(found) for key, found in parts.items()}


def probabilities(panel: PanelRecipe, logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of a panel's logits: each label its own where several may hold, else all sum to 1."""
    return sigmoid(logits) if panel.kind == "multi_label" else softmax(logits)


def cost(network: keras.Model, films: FilmSet) -> dict[str, Any]:
    """What one film costs on the CPU.

    Processor time, not wall time: other work on the machine does not count into it.

    Returns:
        ``cpu_ms``: processor milliseconds a film, the median of seven batches of eight.
        ``parameters``: of the network.
    """
    batch = np.repeat(films.inputs[:1].astype(np.float32), 8, axis=0)
    times = []
    for _ in range(8):
        started = time.process_time()
        network.predict_on_batch(batch)
        times.append((time.process_time() - started) * 1000 / len(batch))
    # The first call builds the graph.
    return {
        "cpu_ms": round(float(np.median(times[1:])), 1),
        "parameters": int(network.count_params()),
    }
