"""Trains a convolutional network on one CSV of images, logs every epoch to MLflow and saves the model."""

import argparse
import math
import os
import sys
import time
from importlib.util import find_spec
from pathlib import Path

NVIDIA = Path("/dev/nvidia0").exists()
# The backend that the environment brings, whichever it is: Keras itself would insist on TensorFlow.
os.environ.setdefault("KERAS_BACKEND", next(name for name in ("tensorflow", "jax", "torch") if find_spec(name)))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1" if NVIDIA else "3")  # without a GPU, TensorFlow logs errors about CUDA
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
# MLflow retries for about four minutes; a server that accepts and never answers must not make hours of it.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "15")

import keras  # noqa: E402
import mlflow  # noqa: E402
import numpy as np  # noqa: E402
from keras import layers  # noqa: E402

BATCH_SIZE = 256
VALIDATION_SHARE = 0.2
SMALLEST_SIDE = 18  # what the three convolutions leave at least one pixel of
METRICS = {"Loss": "loss", "Accuracy": "accuracy", "Validation Loss": "val_loss", "Validation Accuracy": "val_accuracy"}


def only_file(folder):
    files = sorted(Path(folder).iterdir())
    if len(files) != 1:
        sys.exit(f"train: {folder} must hold one CSV file and holds {[file.name for file in files]}")
    return files[0]


def read_images(csv):
    """Returns (images float32 [n, side, side, 1] from 0 to 1, labels uint8 [n]) of lines `label,pixel,pixel,...`."""
    table = np.loadtxt(csv, dtype=np.uint8, delimiter=",", ndmin=2)
    side = math.isqrt(table.shape[1] - 1)
    if side * side != table.shape[1] - 1:
        sys.exit(f"train: {csv.name} has {table.shape[1] - 1} pixels per line, which makes no square image")
    if side < SMALLEST_SIDE:
        sys.exit(f"train: images of {side} x {side} are too small: the network needs {SMALLEST_SIDE} x {SMALLEST_SIDE}")
    return table[:, 1:].reshape(-1, side, side, 1).astype(np.float32) / 255, table[:, 0]


def create_model(shape, classes):
    model = keras.Sequential(
        [
            layers.Input(shape),
            layers.Conv2D(32, 3, activation="relu", kernel_initializer="he_normal"),
            layers.MaxPooling2D(2),
            layers.Dropout(0.25),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Dropout(0.25),
            layers.Conv2D(128, 3, activation="relu"),
            layers.Dropout(0.4),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.3),
            layers.Dense(classes, activation="softmax"),
        ]
    )
    model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model


def device_of(model):
    """Returns "gpu" or "cpu": where the weights lie, in whatever words the backend has for it."""
    place = str(model.weights[0].value.device).lower()
    device = "gpu" if "gpu" in place or "cuda" in place else "cpu"
    if device == "cpu" and NVIDIA:
        print(f"warning: this machine has an NVIDIA GPU, but {keras.backend.backend()} does not see it", flush=True)
    return device


def log(call, *args, **named):
    """Calls MLflow, if a job's service asks for it; hours of training must not end because it stayed away too long."""
    if "MLFLOW_TRACKING_URI" in os.environ:
        try:
            call(*args, **named)
        except Exception as error:
            print(f"warning: {call.__name__} did not reach MLflow: {error}", flush=True)


class LogEpoch(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.started = time.monotonic()

    def on_epoch_end(self, epoch, logs=None):
        values = {name: logs[key] for name, key in METRICS.items()}
        text = ", ".join(f"{name.lower()} {value:.4f}" for name, value in values.items())
        print(f"epoch {epoch + 1}/{self.params['epochs']}: {text}, {time.monotonic() - self.started:.1f} s", flush=True)
        log(mlflow.log_metrics, values, step=epoch + 1)


def draw_history(history, epochs):
    from matplotlib.figure import Figure  # not at the top: training need not wait for it

    figure = Figure(figsize=(6, 3))
    axes = figure.subplots()
    axes.set_title(f"Fashion MNIST with Keras ({epochs} epochs)", fontsize=14)
    for name, key in METRICS.items():
        axes.plot(range(1, epochs + 1), history[key], "r" if "Loss" in name else "b", label=name, lw=2, alpha=0.5,
                  linestyle="--" if "Validation" in name else "-")
    axes.set_xlabel("Epoch")
    axes.legend(fontsize=8)
    axes.grid(True)
    return figure


def main(args):
    images, labels = read_images(only_file(args.input_data))
    keras.utils.set_random_seed(args.seed)
    order = np.random.default_rng(args.seed).permutation(len(images))
    validation, training = np.split(order, [math.ceil(len(order) * VALIDATION_SHARE)])
    if len(training) == 0:
        sys.exit(f"train: {len(images)} images are too few to train and validate with")

    model = create_model(images.shape[1:], int(labels.max()) + 1)
    parameters = {"epochs": args.epochs, "batch_size": BATCH_SIZE, "seed": args.seed, "images": len(images)}
    parameters |= {"backend": keras.backend.backend(), "device": device_of(model)}
    print(", ".join(f"{name} {value}" for name, value in parameters.items()), flush=True)
    log(mlflow.log_params, parameters)

    history = model.fit(
        images[training],
        labels[training],
        batch_size=BATCH_SIZE,
        epochs=args.epochs,
        verbose=0,  # a progress bar fills a log with control characters
        validation_data=(images[validation], labels[validation]),
        callbacks=[LogEpoch()],
    )

    args.output_model.mkdir(parents=True, exist_ok=True)
    model.save(args.output_model / "image_classification_model.keras")
    log(mlflow.log_figure, draw_history(history.history, args.epochs), "Loss v.s. Accuracy.png")


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--input_data", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output_model", type=Path, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    main(parse_args())
