// The flagship as its users run it: 810 real images through the command line, in a real Python environment.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { NodeMetrics, OutputList, RunDocument } from "#shared/api.ts";
import { runCli } from "../cli/run-cli.ts";
import { sharedApp } from "./app.ts";

const { app } = sharedApp();
const root = fileURLToPath(new URL("../..", import.meta.url));
const images = fileURLToPath(new URL("../../../shared/data/fashion-mnist-810", import.meta.url));
const epochs = 30;

// The first time, several hundred megabytes of Python packages are installed.
test("the flagship learns from 810 real images", { timeout: 40 * 60_000 }, async ({ skip }) => {
  if (!existsSync(images)) {
    console.log(`skipped: the images are not there (${images})`);
    return skip("the images are not there");
  }
  const args = ["run", "pipelines/fashion_mnist.yml", "--input", `images=${images}`, "--input", `epochs=${epochs}`];
  const answer = await runCli([...args, "--force", "--watch", "--json", "--server", app.url], {
    cwd: root,
    env: { MLPIPE_KEY: app.key },
  });
  expect({ code: answer.code, stderr: answer.code === 0 ? "" : answer.stderr }).toEqual({ code: 0, stderr: "" });
  const run = RunDocument.parse(JSON.parse(answer.stdout.trimEnd().split("\n").at(-1) ?? ""));
  expect(run.nodes.map(({ name, status }) => [name, status])).toEqual([
    ["prep", "completed"],
    ["train", "completed"],
    ["score", "completed"],
    ["promote", "completed"],
  ]);

  const read = async (path: string) => (await app.call(`runs/${run.runId}/nodes/${path}`)).json();
  const scored = NodeMetrics.parse(await read("score/metrics"));
  const accuracy = scored.metrics["Final test accuracy"]?.at(-1)?.value ?? NaN;
  console.log(`test accuracy after ${epochs} epochs on 810 images: ${accuracy.toFixed(4)}`);
  expect(accuracy).toBeGreaterThan(0.62);
  expect(run.promotion).toMatchObject({ model: "fashion-mnist", outcome: "promoted" });
  const trained = NodeMetrics.parse(await read("train/metrics"));
  expect(trained.metrics["Accuracy"]).toHaveLength(epochs);
  expect(trained.metrics["Loss"]?.map(({ step }) => step)).toEqual(
    Array.from({ length: epochs }, (_, step) => step + 1),
  );

  const files = async (node: string) =>
    OutputList.parse(await read(`${node}/outputs`)).outputs.flatMap(({ output, files: found }) =>
      found.map(({ path }) => `${output}/${path}`),
    );
  expect(await files("train")).toEqual(
    expect.arrayContaining(["output_model/image_classification_model.keras", "default/Loss v.s. Accuracy.png"]),
  );
  expect(await files("score")).toContain("output_result/predict_result.csv");
});
