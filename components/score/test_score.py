"""Run in the environment of train's environment.yml: python -m unittest discover components/score"""

import argparse
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "src"))
sys.dont_write_bytecode = True

import keras  # noqa: E402
import numpy as np  # noqa: E402
import score  # noqa: E402


def brightest_quarter():
    """A model without training: the class is the quarter of a 4 x 4 picture that is the brightest."""
    pooled = keras.layers.AveragePooling2D(2)
    return keras.Sequential([keras.layers.Input((4, 4, 1)), pooled, keras.layers.Flatten(), keras.layers.Softmax()])


def picture(quarter):
    pixels = np.zeros((2, 2, 2, 2), np.uint8)
    pixels[quarter // 2, :, quarter % 2, :] = 255
    return pixels.reshape(16)


class Score(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        root = Path(scratch.name)
        names = {"input_data": "data", "input_model": "model", "output_result": "result", "output_report": "report"}
        self.args = argparse.Namespace(**{name: root / folder for name, folder in names.items()})
        self.args.input_data.mkdir()
        self.args.input_model.mkdir()

    def write_data(self, labels, quarters):
        rows = [[label, *picture(quarter)] for label, quarter in zip(labels, quarters)]
        np.savetxt(self.args.input_data / "mnist_test.csv", rows, fmt="%d", delimiter=",")

    def test_writes_predictions_and_class_metrics(self):
        brightest_quarter().save(self.args.input_model / "model.keras")
        self.write_data(labels=[0, 1, 2, 3, 3], quarters=[0, 1, 2, 3, 0])
        score.main(self.args)
        self.assertEqual([file.name for file in self.args.output_result.iterdir()], ["predict_result.csv"])
        lines = (self.args.output_result / "predict_result.csv").read_text().splitlines()
        self.assertEqual([float(line) for line in lines], [0, 1, 2, 3, 0])
        table = (self.args.output_report / "class_metrics.csv").read_text().splitlines()
        self.assertEqual(table[0], "class,precision,recall,images")
        self.assertEqual(table[1], "0,0.5,1.0,1")
        self.assertEqual(table[4], "3,1.0,0.5,2")
        self.assertEqual((self.args.output_report / "confusion_matrix.png").read_bytes()[:4], b"\x89PNG")

    def test_loads_the_older_h5_format(self):
        brightest_quarter().save(self.args.input_model / "model.h5")
        self.write_data(labels=[2], quarters=[2])
        score.main(self.args)
        self.assertEqual(float((self.args.output_result / "predict_result.csv").read_text()), 2)

    def test_a_class_never_seen_has_zero_and_not_nan(self):
        precision, recall = score.per_class(np.array([[2, 0], [0, 0]]))
        self.assertEqual([*precision, *recall], [1, 0, 1, 0])

    def test_rows_of_the_confusion_are_true_classes(self):
        confusion = score.confusion_of(np.array([0, 1, 1], np.uint8), np.array([1, 1, 1]), 2)
        self.assertEqual(confusion.tolist(), [[0, 1], [0, 2]])

    def test_a_label_the_model_does_not_know_is_refused(self):
        brightest_quarter().save(self.args.input_model / "model.keras")
        self.write_data(labels=[7], quarters=[0])
        with self.assertRaises(SystemExit) as refused:
            score.main(self.args)
        self.assertIn("4 classes", str(refused.exception.code))

    def test_a_folder_without_a_model_is_refused(self):
        self.write_data(labels=[0], quarters=[0])
        with self.assertRaises(SystemExit) as refused:
            score.main(self.args)
        self.assertIn(".keras", str(refused.exception.code))


if __name__ == "__main__":
    unittest.main()
