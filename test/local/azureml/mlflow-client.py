"""What an unmodified training script does with MLflow, run by a real client against the workspace."""

import os
import tempfile
from pathlib import Path

import mlflow

# The client takes the variable out of the environment once it has resumed the run.
run_id = os.environ["MLFLOW_RUN_ID"]

mlflow.log_param("epochs", 3)
mlflow.log_params({"batch": 256, "rate": 1e-3})
for loss in (0.9, 0.5, 0.3):
    mlflow.log_metric("Loss", loss)
mlflow.log_metric("Final test accuracy", float("nan"))
mlflow.log_metrics({"a": 1.0, "b": float("inf")}, step=2)
mlflow.set_tag("stage", "test")
mlflow.log_text("hello", "notes/hello.txt")
with tempfile.TemporaryDirectory() as folder:
    picture = Path(folder, "Loss v.s. Accuracy.png")
    picture.write_bytes(b"\x89PNG")
    mlflow.log_artifact(str(picture))
mlflow.log_dict({"x": 1}, "data.json")

run = mlflow.active_run()
assert run.info.run_id == run_id, run.info.run_id

client = mlflow.MlflowClient()
assert [point.value for point in client.get_metric_history(run.info.run_id, "Loss")] == [0.9, 0.5, 0.3]
assert sorted(file.path for file in client.list_artifacts(run.info.run_id)) == [
    "Loss v.s. Accuracy.png",
    "data.json",
    "notes",
]
assert mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/notes/hello.txt") == "hello"
with mlflow.start_run(nested=True, run_name="child") as child:
    mlflow.log_metric("inner", 1.0)
assert client.get_run(child.info.run_id).data.tags["mlflow.parentRunId"] == run.info.run_id
found = client.search_runs([run.info.experiment_id], "metrics.inner > 0")
assert [one.info.run_id for one in found] == [child.info.run_id]
print("done")
