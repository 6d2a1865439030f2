"""Converts MNIST-format idx files, gzipped or not, into CSV: one line per image, its label and then its pixels.

Format of idx files: http://yann.lecun.com/exdb/mnist/
"""

import argparse
import gzip
import os
import sys
import zlib
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # NumPy starts a pool for linear algebra, of which there is none here

import numpy as np  # noqa: E402

CHUNK_BYTES = 50_000  # pixels converted at once: what is made of them stays in the processor's cache
IMAGES_MAGIC = 0x00000803  # unsigned bytes in three dimensions
LABELS_MAGIC = 0x00000801

# Text of every pair of values (first + 256 * second) and then of every single value, "0," to "255,": each as an
# eight-byte word that is zero after its end.
TEXTS = [b"%d," % value for value in range(256)]
LENGTHS = np.array([len(text) for text in TEXTS], np.uint8)
WORDS = np.frombuffer(b"".join(text.ljust(8, b"\0") for text in TEXTS), "<u8")
WORDS = np.append(WORDS | WORDS[:, None] << (LENGTHS * np.uint64(8)), WORDS)
LENGTHS = np.append(LENGTHS + LENGTHS[:, None], LENGTHS)
SINGLES = 256 * 256


class BadInput(Exception):
    """What is wrong with which file, in one line for the person who supplied it."""


class IdxFile:
    """An idx file opened at its data. `shape` is what its header says: (count,) or (count, rows, columns)."""

    def __init__(self, folder, name, magic):
        path = next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)
        if path is None:
            raise BadInput(f"{name} is missing: neither {name} nor {name}.gz is in the input folder")
        self.name = path.name
        self.stream = path.open("rb")
        gzipped = self.stream.peek(2)[:2] == b"\x1f\x8b"
        if gzipped:
            self.stream = gzip.open(self.stream)
        found = self._number("magic number")
        if found != magic:
            raise BadInput(f"{self.name}: magic number 0x{found:08x} found, 0x{magic:08x} expected")
        self.shape = tuple(self._number("header") for _ in range(magic & 0xFF))

    def _number(self, what):
        return int.from_bytes(self.read(4, what), "big")

    def read(self, size, what):
        """Returns exactly `size` bytes."""
        pieces, missing = [], size
        while missing > 0:
            # Never more than a chunk: a header that lies must not reserve gigabytes.
            piece = self._read_some(min(missing, CHUNK_BYTES), what)
            if not piece:
                raise BadInput(f"{self.name}: ends {missing} bytes before the end of the {what}")
            pieces.append(piece)
            missing -= len(piece)
        return b"".join(pieces)

    def _read_some(self, size, what):
        try:
            return self.stream.read(size)
        except (EOFError, OSError, zlib.error) as error:
            raise BadInput(f"{self.name}: cannot be read in the {what}: {error}") from error

    def expect_end(self):
        if self._read_some(1, "end of the file"):
            shape = " x ".join(map(str, self.shape))
            raise BadInput(f"{self.name}: holds more bytes than the {shape} that its header announces")


def open_split(folder, prefix):
    """Returns (images, labels) of `prefix`, headers checked."""
    images = IdxFile(folder, f"{prefix}-images-idx3-ubyte", IMAGES_MAGIC)
    labels = IdxFile(folder, f"{prefix}-labels-idx1-ubyte", LABELS_MAGIC)
    if images.shape[0] != labels.shape[0]:
        raise BadInput(f"{images.name} announces {images.shape[0]} images, {labels.name} {labels.shape[0]} labels")
    if 0 in images.shape:
        raise BadInput(f"{images.name}: announces {' x '.join(map(str, images.shape))}: there is nothing in it")
    return images, labels


def to_csv(labels, pixels):
    """Returns the CSV text, as an array of bytes, of labels uint8 [n] and pixels uint8 [n, size]."""
    singles, pairs = SINGLES + labels[:, None].astype(np.intp), pixels
    if pixels.shape[1] % 2:
        singles, pairs = singles[:, :0], np.column_stack([labels, pixels])
    index = np.concatenate([singles, pairs.view("<u2")], axis=1)
    words = WORDS.take(index.ravel(), mode="clip")
    ends = LENGTHS.take(index, mode="clip").cumsum(dtype=np.intp)
    text = np.empty(ends[-1] + 8, np.uint8)
    # Every word is stored whole at its place, in order: the next one overwrites what is too much of it.
    anywhere = np.lib.stride_tricks.as_strided(text[:8].view("<u8"), (len(text) - 7,), (1,))
    anywhere[0] = words[0]
    anywhere[ends[:-1]] = words[1:]
    text[ends.reshape(index.shape)[:, -1] - 1] = ord("\n")
    return text[: ends[-1]]


def read_chunks(images, labels):
    """Yields (labels, pixels) of as many images as make a chunk, and finds files that hold less or more than announced."""
    count, size = images.shape[0], images.shape[1] * images.shape[2]
    per_chunk = max(1, CHUNK_BYTES // size)
    for done in range(0, count, per_chunk):
        chunk = min(per_chunk, count - done)
        pixels = np.frombuffer(images.read(chunk * size, "pixels"), np.uint8)
        yield np.frombuffer(labels.read(chunk, "labels"), np.uint8), pixels.reshape(chunk, size)
    images.expect_end()
    labels.expect_end()


def convert(images, labels, csv):
    """Writes `csv`; memory does not grow with the number of images."""
    csv.parent.mkdir(parents=True, exist_ok=True)
    with csv.open("wb") as output:
        for chunk in read_chunks(images, labels):
            output.write(to_csv(*chunk))
    print(f"{csv.name}: {images.shape[0]} images of {images.shape[2]} x {images.shape[1]}")


def main(args):
    train = open_split(args.input_data, "train")
    test = open_split(args.input_data, "t10k")
    if train[0].shape[1:] != test[0].shape[1:]:
        sizes = [f"{images.name} has {images.shape[2]} x {images.shape[1]} pixels" for images, _ in (train, test)]
        raise BadInput(f"images differ in size: {', '.join(sizes)}")
    convert(*train, args.training_data / "mnist_train.csv")
    convert(*test, args.test_data / "mnist_test.csv")


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--input_data", type=Path, required=True)
    parser.add_argument("--training_data", type=Path, required=True)
    parser.add_argument("--test_data", type=Path, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    try:
        main(parse_args())
    except BadInput as error:
        sys.exit(f"prep: {error}")
