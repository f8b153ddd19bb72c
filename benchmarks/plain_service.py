"""A plain baseline: Flask, Keras ``predict`` and a matplotlib overlay, one request at a time.

How the small apps that Hilum replaces answer an upload: decode with Pillow, ``model.predict`` on a
batch of one, Grad-CAM by a gradient tape, an overlay drawn by matplotlib, all inside the request.
It answers with one of the panels, where Hilum answers with all of them, the gate and the lungs.
Run with the training environment as ``python -m benchmarks.plain_service PORT``.
"""

from __future__ import annotations

import base64
import io
import sys
from pathlib import Path

import flask
import keras
import matplotlib as mpl
import numpy as np
import tensorflow as tf
from PIL import Image

from hilum_training.network import FEATURES
from hilum_training.recipe import read_recipe
from hilum_training.weights import load_network

mpl.use("Agg")
from matplotlib import pyplot as plt

_TRAINING = Path(__file__).resolve().parents[1] / "training"
_PANEL = "pneumonia"


def create_app(network: keras.Model) -> flask.Flask:
    """The service around one panel of the shipped network."""
    app = flask.Flask(__name__)
    logits = network.output[_PANEL]
    model = keras.Model(network.inputs, logits)
    gradients = keras.Model(network.inputs, [network.get_layer(FEATURES).output, logits])
    _, height, width, _ = model.inputs[0].shape

    @app.get("/ready")
    def ready() -> str:
        return "ok"

    @app.post("/predict")
    def predict() -> flask.Response:
        picture = Image.open(flask.request.files["file"].stream).convert("L")
        resized = np.asarray(picture.resize((width, height)), dtype=np.float32)
        batch = resized[np.newaxis, :, :, np.newaxis]
        probabilities = tf.nn.softmax(model.predict(batch, verbose=0)[0]).numpy()
        with tf.GradientTape() as tape:
            maps, output = gradients(tf.constant(batch))
            loss = output[:, int(probabilities.argmax())]
        weights = tf.reduce_mean(tape.gradient(loss, maps), axis=(1, 2), keepdims=True)
        cam = tf.nn.relu(tf.reduce_sum(maps * weights, axis=-1))[0].numpy()
        return flask.jsonify(
            probabilities=probabilities.tolist(), overlay=_overlay(np.asarray(picture), cam)
        )

    return app


def _overlay(film: np.ndarray, cam: np.ndarray) -> str:
    figure, axes = plt.subplots(figsize=(8, 8), dpi=100)
    axes.imshow(film, cmap="gray")
    axes.imshow(
        cam,
        cmap="jet",
        alpha=0.4,
        extent=(0, film.shape[1], film.shape[0], 0),
        interpolation="bilinear",
    )
    axes.axis("off")
    encoded = io.BytesIO()
    figure.savefig(encoded, format="png", bbox_inches="tight")
    plt.close(figure)
    return base64.b64encode(encoded.getvalue()).decode()


if __name__ == "__main__":
    chest = load_network(_TRAINING / "weights", read_recipe(_TRAINING / "recipes/chest.toml"))
    create_app(chest).run("127.0.0.1", int(sys.argv[1]), threaded=False)
