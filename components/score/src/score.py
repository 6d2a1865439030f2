"""Scores a saved Keras model on one CSV of images: loss, accuracy, precision and recall per class, every prediction."""

import argparse
import csv
import math
import os
import sys
from importlib.util import find_spec
from pathlib import Path

# The backend that the environment brings, whichever it is: Keras itself would insist on TensorFlow.
os.environ.setdefault("KERAS_BACKEND", next(name for name in ("tensorflow", "jax", "torch") if find_spec(name)))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "15")

import keras  # noqa: E402
import mlflow  # noqa: E402
import numpy as np  # noqa: E402


def only_file(folder):
    files = sorted(Path(folder).iterdir())
    if len(files) != 1:
        sys.exit(f"score: {folder} must hold one CSV file and holds {[file.name for file in files]}")
    return files[0]


def read_images(file):
    """Returns (images float32 [n, side, side, 1] from 0 to 1, labels uint8 [n]) of lines `label,pixel,pixel,...`."""
    table = np.loadtxt(file, dtype=np.uint8, delimiter=",", ndmin=2)
    side = math.isqrt(table.shape[1] - 1)
    if side * side != table.shape[1] - 1:
        sys.exit(f"score: {file.name} has {table.shape[1] - 1} pixels per line, which makes no square image")
    return table[:, 1:].reshape(-1, side, side, 1).astype(np.float32) / 255, table[:, 0]


def load_model(folder, images, labels):
    files = sorted(Path(folder).glob("*.keras")) + sorted(Path(folder).glob("*.h5"))
    if not files:
        sys.exit(f"score: {folder} holds no .keras and no .h5 file")
    model = keras.saving.load_model(files[0], compile=False)
    if model.input_shape[1:] != images.shape[1:]:
        sys.exit(f"score: {files[0].name} takes {model.input_shape[1:]}, the images are {images.shape[1:]}")
    if labels.max() >= model.output_shape[-1]:
        sys.exit(f"score: {files[0].name} knows {model.output_shape[-1]} classes, the labels go up to {labels.max()}")
    return model


def confusion_of(labels, predicted, classes):
    """Returns counts [classes, classes]: row = true class, column = predicted class."""
    return np.bincount(labels.astype(np.intp) * classes + predicted, minlength=classes * classes).reshape(classes, classes)


def per_class(confusion):
    """Returns (precision, recall) per class; 0 where a class was never predicted or never present."""
    hits = np.diag(confusion)
    return hits / np.maximum(confusion.sum(axis=0), 1), hits / np.maximum(confusion.sum(axis=1), 1)


def draw_confusion(confusion):
    from matplotlib.figure import Figure  # not at the top: scoring need not wait for it

    figure = Figure(figsize=(6, 6))
    axes = figure.subplots()
    axes.imshow(confusion, cmap="Blues")
    for (row, column), count in np.ndenumerate(confusion):
        color = "white" if count > confusion.max() / 2 else "black"
        axes.text(column, row, count, ha="center", va="center", fontsize=8, color=color)
    axes.set(xlabel="predicted class", ylabel="true class", title="Confusion matrix")
    axes.set(xticks=range(len(confusion)), yticks=range(len(confusion)))
    return figure


def log(call, *args):
    """Calls MLflow, if a job's service asks for it; the files are written, so its absence is no reason to fail."""
    if "MLFLOW_TRACKING_URI" in os.environ:
        try:
            call(*args)
        except Exception as error:
            print(f"warning: {call.__name__} did not reach MLflow: {error}", flush=True)


def main(args):
    images, labels = read_images(only_file(args.input_data))
    probabilities = load_model(args.input_model, images, labels).predict(images, batch_size=256, verbose=0)
    predicted = probabilities.argmax(axis=1)
    loss = float(-np.log(np.clip(probabilities[np.arange(len(labels)), labels], 1e-7, 1)).mean())
    accuracy = float((predicted == labels).mean())
    print(f"{len(labels)} images: final test loss {loss:.4f}, final test accuracy {accuracy:.4f}", flush=True)

    confusion = confusion_of(labels, predicted, probabilities.shape[1])
    precision, recall = per_class(confusion)
    figure = draw_confusion(confusion)
    for folder in (args.output_result, args.output_report):
        folder.mkdir(parents=True, exist_ok=True)
    np.savetxt(args.output_result / "predict_result.csv", predicted)
    with open(args.output_report / "class_metrics.csv", "w", newline="") as file:
        rows = zip(range(len(confusion)), precision, recall, confusion.sum(axis=1))
        csv.writer(file, lineterminator="\n").writerows([("class", "precision", "recall", "images"), *rows])
    figure.savefig(args.output_report / "confusion_matrix.png")

    metrics = {"Final test loss": loss, "Final test accuracy": accuracy}
    for label in range(len(confusion)):
        metrics |= {f"Class {label} precision": float(precision[label]), f"Class {label} recall": float(recall[label])}
    log(mlflow.log_metrics, metrics)
    log(mlflow.log_figure, figure, "confusion_matrix.png")


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--input_data", type=Path, required=True)
    parser.add_argument("--input_model", type=Path, required=True)
    parser.add_argument("--output_result", type=Path, required=True)
    parser.add_argument("--output_report", type=Path, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    main(parse_args())
