"""Run in the environment of environment.yml: python -m unittest discover components/train"""

import json
import subprocess
import sys
import tempfile
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SOURCE = Path(__file__).parent / "src"
sys.path.insert(0, str(SOURCE))
sys.dont_write_bytecode = True

import numpy as np  # noqa: E402
import train  # noqa: E402


def write_csv(folder, count, side=20, seed=0):
    """Two classes that a network can tell apart: bright above or bright below."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, count)
    images = random.integers(0, 60, (count, side, side))
    images[labels == 0, : side // 2] += 150
    images[labels == 1, side // 2 :] += 150
    folder.mkdir(parents=True)
    np.savetxt(folder / "images.csv", np.column_stack([labels, images.reshape(count, -1)]), fmt="%d", delimiter=",")
    return labels, images


class Tracking(BaseHTTPRequestHandler):
    """As much of an MLflow server as a job talks to; `requests` keeps what arrived."""

    requests: list = []

    def answer(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.requests.append((self.path, body))
        info = {"run_id": "job", "run_uuid": "job", "experiment_id": "1", "status": "RUNNING", "lifecycle_stage": "active"}
        info["artifact_uri"] = "mlflow-artifacts:/1/job/artifacts"
        text = json.dumps({"run": {"info": info, "data": {}}, "run_info": info}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = answer

    def log_message(self, *_):
        pass


class Train(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.scratch = Path(scratch.name)

    def run_train(self, data, environment=None, epochs=2):
        command = [sys.executable, SOURCE / "train.py", "--input_data", data, "--epochs", str(epochs), "--seed", "3"]
        command += ["--output_model", self.scratch / "model"]
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.scratch), **(environment or {})}
        return subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)

    def test_reads_labels_and_square_images_scaled_to_one(self):
        labels, images = write_csv(self.scratch / "data", 20)
        read, read_labels = train.read_images(self.scratch / "data/images.csv")
        self.assertEqual(read.shape, (20, 20, 20, 1))
        self.assertTrue(np.array_equal(read_labels, labels))
        self.assertTrue(np.allclose(read[..., 0] * 255, images))

    def test_a_folder_with_two_files_is_refused_by_name(self):
        write_csv(self.scratch / "data", 4)
        (self.scratch / "data/another.csv").touch()
        with self.assertRaises(SystemExit) as refused:
            train.only_file(self.scratch / "data")
        self.assertIn("another.csv", str(refused.exception.code))

    def test_logs_every_epoch_as_it_ends_and_saves_the_model_alone(self):
        write_csv(self.scratch / "data", 300)
        Tracking.requests = []
        server = ThreadingHTTPServer(("127.0.0.1", 0), Tracking)
        self.addCleanup(server.server_close)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.shutdown)
        uri = f"http://127.0.0.1:{server.server_port}"
        result = self.run_train(self.scratch / "data", {"MLFLOW_TRACKING_URI": uri, "MLFLOW_RUN_ID": "job"})
        self.assertEqual(result.returncode, 0, result.stderr)
        batches = [json.loads(body) for path, body in Tracking.requests if path.endswith("/log-batch")]
        params = {entry["key"]: entry["value"] for entry in batches[0]["params"]}
        self.assertEqual(params["epochs"], "2")
        self.assertEqual(params["seed"], "3")
        epochs = [{entry["key"]: entry["step"] for entry in batch["metrics"]} for batch in batches[1:]]
        self.assertEqual(epochs, [dict.fromkeys(train.METRICS, step) for step in (1, 2)])
        self.assertTrue(any(path.endswith("Loss%20v.s.%20Accuracy.png") for path, _ in Tracking.requests))
        self.assertEqual([file.name for file in (self.scratch / "model").iterdir()], ["image_classification_model.keras"])
        self.assertNotIn("\b", result.stdout)
        self.assertNotIn("\r", result.stdout)

    def test_the_same_seed_trains_the_same_network(self):
        write_csv(self.scratch / "data", 300)
        runs = [self.run_train(self.scratch / "data").stdout for _ in range(2)]
        losses = [[line.rsplit(",", 1)[0] for line in run.splitlines() if line.startswith("epoch ")] for run in runs]
        self.assertEqual(len(losses[0]), 2)
        self.assertEqual(losses[0], losses[1])


if __name__ == "__main__":
    unittest.main()
