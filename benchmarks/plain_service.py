"""A plain baseline: Flask, Keras ``predict`` and a matplotlib overlay, one request at a time.

How the small apps that Hilum replaces answer an upload: decode with Pillow, ``model.predict`` on a
batch of one, Grad-CAM by a gradient tape, an overlay drawn by matplotlib, all inside the request.
Run with the training environment as ``python -m benchmarks.plain_service PORT MODEL.keras``.
"""

from __future__ import annotations

import base64
import io
import sys

import flask
import keras
import matplotlib as mpl
import numpy as np
import tensorflow as tf
from PIL import Image

import hilum_training.network  # noqa: F401 - registers the layers of the saved model

mpl.use("Agg")
from matplotlib import pyplot as plt

_RANK = 4  # batch, rows, columns, channels


def create_app(model: keras.Model) -> flask.Flask:
    """The service around a Keras classifier with a convolutional feature map."""
    app = flask.Flask(__name__)
    features = next(layer for layer in reversed(model.layers) if len(layer.output.shape) == _RANK)
    gradients = keras.Model(model.inputs, [features.output, model.output])
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
    create_app(keras.models.load_model(sys.argv[2], compile=False)).run(
        "127.0.0.1", int(sys.argv[1]), threaded=False
    )
