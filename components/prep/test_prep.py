"""Run with the standard library alone: python3 -m unittest discover components/prep (NumPy must be importable)."""

import gzip
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PREP = Path(__file__).parent / "src/prep.py"


def images(count, rows=28, columns=28, first=0):
    pixels = bytes((first + 7 * i) % 256 for i in range(count * rows * columns))
    return struct.pack(">4I", 0x803, count, rows, columns) + pixels


def labels(count):
    return struct.pack(">2I", 0x801, count) + bytes(i % 10 for i in range(count))


def expected_csv(image_file, label_file):
    """One value after the other, the slow way."""
    count, rows, columns = struct.unpack(">3I", image_file[4:16])
    size = rows * columns
    lines = []
    for i in range(count):
        values = [label_file[8 + i], *image_file[16 + i * size : 16 + (i + 1) * size]]
        lines.append(",".join(str(value) for value in values) + "\n")
    return "".join(lines).encode()


class Prep(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name) / "images"
        self.output = Path(scratch.name) / "output"
        self.folder.mkdir()
        self.files = {
            "train-images-idx3-ubyte": images(150),
            "train-labels-idx1-ubyte": labels(150),
            "t10k-images-idx3-ubyte": images(30, first=3),
            "t10k-labels-idx1-ubyte": labels(30),
        }

    def run_prep(self):
        for name, content in self.files.items():
            (self.folder / name).write_bytes(content)
        command = [sys.executable, PREP, "--input_data", self.folder]
        command += ["--training_data", self.output / "train", "--test_data", self.output / "test"]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    def assert_csv(self, train, test):
        self.assertEqual((self.output / "train/mnist_train.csv").read_bytes(), train)
        self.assertEqual((self.output / "test/mnist_test.csv").read_bytes(), test)

    def assert_refused(self, *words):
        result = self.run_prep()
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        for word in words:
            self.assertIn(word, result.stderr)

    def all_expected(self):
        train = expected_csv(self.files["train-images-idx3-ubyte"], self.files["train-labels-idx1-ubyte"])
        test = expected_csv(self.files["t10k-images-idx3-ubyte"], self.files["t10k-labels-idx1-ubyte"])
        return train, test

    def test_writes_label_then_pixels_line_by_line(self):
        result = self.run_prep()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assert_csv(*self.all_expected())

    def test_takes_any_image_size_even_an_odd_one(self):
        self.files["train-images-idx3-ubyte"] = images(150, rows=5, columns=3)
        self.files["t10k-images-idx3-ubyte"] = images(30, rows=5, columns=3)
        self.assertEqual(self.run_prep().returncode, 0)
        self.assert_csv(*self.all_expected())

    def test_reads_gzip_under_either_name(self):
        expected = self.all_expected()
        content = self.files.pop("train-images-idx3-ubyte")
        self.files["train-images-idx3-ubyte.gz"] = gzip.compress(content)
        self.files["t10k-images-idx3-ubyte"] = gzip.compress(self.files["t10k-images-idx3-ubyte"])
        self.assertEqual(self.run_prep().returncode, 0)
        self.assert_csv(*expected)

    def test_a_missing_file_is_named(self):
        del self.files["t10k-labels-idx1-ubyte"]
        self.assert_refused("t10k-labels-idx1-ubyte", "missing")

    def test_a_wrong_magic_number_is_shown_beside_the_right_one(self):
        self.files["train-labels-idx1-ubyte"] = images(150)
        self.assert_refused("train-labels-idx1-ubyte", "0x00000803", "0x00000801")

    def test_counts_that_disagree_are_both_named(self):
        self.files["train-labels-idx1-ubyte"] = labels(149)
        self.assert_refused("150 images", "149 labels")

    def test_a_truncated_file_says_how_much_is_missing(self):
        self.files["train-images-idx3-ubyte"] = self.files["train-images-idx3-ubyte"][:-5]
        self.assert_refused("train-images-idx3-ubyte", "5 bytes")

    def test_a_truncated_header_is_no_traceback(self):
        self.files["train-images-idx3-ubyte"] = self.files["train-images-idx3-ubyte"][:9]
        self.assert_refused("train-images-idx3-ubyte", "header")

    def test_a_truncated_gzip_file_is_named(self):
        content = gzip.compress(self.files.pop("t10k-images-idx3-ubyte"))
        self.files["t10k-images-idx3-ubyte.gz"] = content[:-40]
        self.assert_refused("t10k-images-idx3-ubyte.gz")

    def test_trailing_bytes_are_refused(self):
        self.files["t10k-images-idx3-ubyte"] += b"\0"
        self.assert_refused("t10k-images-idx3-ubyte", "30 x 28 x 28")

    def test_an_empty_set_is_refused(self):
        self.files["t10k-images-idx3-ubyte"] = images(0)
        self.files["t10k-labels-idx1-ubyte"] = labels(0)
        self.assert_refused("t10k-images-idx3-ubyte", "0 x 28 x 28")

    def test_a_header_that_lies_reserves_no_memory(self):
        self.files["train-images-idx3-ubyte"] = struct.pack(">4I", 0x803, 150, 2**31, 2**31)
        self.files["t10k-images-idx3-ubyte"] = struct.pack(">4I", 0x803, 30, 2**31, 2**31)
        self.assert_refused("train-images-idx3-ubyte", "ends")

    def test_test_images_of_another_size_are_refused(self):
        self.files["t10k-images-idx3-ubyte"] = images(30, rows=14)
        self.assert_refused("28 x 14", "28 x 28")


if __name__ == "__main__":
    unittest.main()
