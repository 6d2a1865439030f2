// A pipeline written in TypeScript, as the app runs it.
import { expect, test } from "vitest";
import { boolean, choice, commandComponent, integer, number, pipeline, string, uriFile, uriFolder } from "mlpipe";
import { RunDocument } from "#shared/api.ts";
import { nodeOf, sharedApp } from "./app.ts";

const { app } = sharedApp();
const environment = { image: "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04" };

/** The metric is best at 3. Metrics go over the wire by hand: the environment has no package. */
const score = commandComponent({
  name: "score",
  inputs: { rate: number(), note: string() },
  outputs: { model: uriFolder() },
  environment,
  command: `printf '%s %s' \${{inputs.rate}} \${{inputs.note}} > "\${{outputs.model}}/text"
RATE=\${{inputs.rate}} python3 - <<'PY'
import json, os, time, urllib.request
base = os.environ["MLFLOW_TRACKING_URI"].replace("azureml:", "https:")
body = {"run_id": os.environ["MLFLOW_RUN_ID"], "key": "fit", "value": -abs(float(os.environ["RATE"]) - 3), "timestamp": int(time.time() * 1000), "step": 0}
headers = {"authorization": "Bearer " + os.environ["MLFLOW_TRACKING_TOKEN"], "content-type": "application/json"}
request = urllib.request.Request(base + "/api/2.0/mlflow/runs/log-metric", json.dumps(body).encode(), headers)
urllib.request.urlopen(request, timeout=30)
PY`,
});

/** Adds a line until there are as many as wanted. */
const grow = commandComponent({
  name: "grow",
  inputs: { start: uriFolder(), wanted: integer(), round: integer({ default: 1 }) },
  outputs: { grown: uriFolder(), next: integer(), go_on: boolean() },
  environment,
  command: `{ cat "\${{inputs.start}}/text"; printf ' round %s' \${{inputs.round}}; } > "\${{outputs.grown}}/text"
echo $(( \${{inputs.round}} + 1 )) > \${{outputs.next}}
if [ \${{inputs.round}} -lt \${{inputs.wanted}} ]; then echo true; else echo false; fi > \${{outputs.go_on}}`,
});

const show = commandComponent({
  name: "show",
  inputs: { text: uriFolder(), rounds: integer(), title: string() },
  outputs: { page: uriFile() },
  environment,
  command: `{ printf '%s after %s: ' \${{inputs.title}} \${{inputs.rounds}}; cat "\${{inputs.text}}/text"; } > \${{outputs.page}}`,
});

const authored = pipeline(
  { name: "authored", settings: { force_rerun: true }, inputs: { wanted: integer({ default: 3 }) } },
  ({ inputs, node, sweep, doWhile, parallelFor, ifElse }) => {
    const best = sweep(
      score,
      { rate: choice(1, 2, 3, 4), note: "it's $(me)" },
      { objective: { goal: "maximize", primary_metric: "fit" }, sampling_algorithm: "grid" },
    );
    const grown = doWhile(
      grow,
      { start: best.outputs.model, wanted: inputs.wanted },
      { condition: "go_on", mapping: { grown: "start", next: "round" }, limits: { max_iteration_count: 9 } },
    );
    const pages = parallelFor(
      show,
      { text: grown.outputs.grown, rounds: grown.outputs.next },
      { name: "pages", items: { a: { title: "A" }, b: { title: "B; B" } } },
    );
    const text = grown.outputs.grown;
    const never = node(show, { text, rounds: 0, title: "never" });
    ifElse({ condition: grown.outputs.go_on, true_block: never, false_block: pages });
    return { pages: pages.outputs.page };
  },
);

test("a pipeline in TypeScript with a sweep, loops and a condition runs as it is wired", async () => {
  const answer = await app.call("runs", { method: "POST", body: { pipeline: authored.source } });
  expect(answer.status).toBe(202);
  const done = await app.ended(RunDocument.parse(await answer.json()).runId);
  expect(done).toMatchObject({ status: "completed" });
  expect(nodeOf(done, "score").sweep).toMatchObject({ bestTrial: 3 });
  expect(nodeOf(done, "grow").loop).toMatchObject({ completed: 3 });
  expect(nodeOf(done, "if_else").taken).toBe("false_block");
  expect(nodeOf(done, "show").status).toBe("skipped");
  const page = (item: number) => app.read(done.runId, `pages.item_${item}`, "page", "page");
  expect([await page(1), await page(2)]).toEqual([
    "A after 4: 3 it's $(me) round 1 round 2 round 3",
    "B; B after 4: 3 it's $(me) round 1 round 2 round 3",
  ]);
});
