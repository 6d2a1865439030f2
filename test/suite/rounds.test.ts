// What nodes inside loops have beside their outputs: artifacts, and sweeps of their own.
import { describe, expect, test } from "vitest";
import { NodeRun, type RunDocument } from "#shared/api.ts";
import { sharedApp, shell } from "./app.ts";

const { app } = sharedApp();

async function run(jobs: Record<string, unknown>): Promise<RunDocument> {
  return app.ended((await app.start(jobs)).runId);
}

const text = (done: RunDocument, node: string) => app.read(done.runId, node, "result", "text");
const result = { result: { type: "uri_folder" } };
const leaving = (words: string) => `mkdir -p outputs; printf '%s' ${words} > outputs/report.txt`;
/** A step that leaves artifacts, each time those of before and one letter more, and goes on until there are three. */
const counting = `before=$( $[[cat \${{inputs.before}}/outputs/report.txt]] ); ${leaving('"${before}x"')};
  [ "$before" = xx ] && echo false > \${{outputs.more}} || echo true > \${{outputs.more}}`;

describe("artifacts of what is repeated", () => {
  test("are handed from round to round, and those of the last one to who reads the body", async () => {
    const done = await run({
      step: {
        type: "command",
        component: {
          type: "command",
          inputs: { before: { type: "uri_folder", optional: true } },
          outputs: { more: { type: "boolean" } },
          environment: shell("").environment,
          command: counting,
        },
        outputs: { artifacts: null },
      },
      loop: {
        type: "do_while",
        body: "${{parent.jobs.step}}",
        condition: "${{parent.jobs.step.outputs.more}}",
        mapping: { artifacts: "before" },
        limits: { max_iteration_count: 5 },
      },
      after: shell("cp ${{inputs.all}}/outputs/report.txt ${{outputs.result}}/text", {
        inputs: { all: "${{parent.jobs.step.outputs.artifacts}}" },
        outputs: result,
      }),
    });
    expect(done.failure).toBeUndefined();
    expect(await text(done, "after")).toBe("xxx");
  });

  test("that nobody lists are read inside a round, from outside it, and of all items together", async () => {
    const inner = {
      type: "pipeline",
      inputs: { word: { type: "string" }, outer: { type: "uri_folder" } },
      outputs: result,
      jobs: {
        leaves: shell(leaving("${{inputs.word}}"), { inputs: { word: "${{parent.inputs.word}}" } }),
        reads: shell(
          "cat ${{inputs.near}}/outputs/report.txt ${{inputs.far}}/outputs/report.txt > ${{outputs.result}}/text",
          {
            inputs: { near: "${{parent.jobs.leaves.outputs.artifacts}}", far: "${{parent.inputs.outer}}" },
            outputs: { result: "${{parent.outputs.result}}" },
          },
        ),
      },
    };
    const outer = { outer: "${{parent.jobs.outside.outputs.artifacts}}" };
    const done = await run({
      outside: shell(leaving("far")),
      pieces: { type: "pipeline", component: inner, inputs: outer },
      each: { type: "parallel_for", body: "${{parent.jobs.pieces}}", items: [{ word: "a" }, { word: "b" }] },
      piece: shell(leaving("${{inputs.word}}")),
      every: { type: "parallel_for", body: "${{parent.jobs.piece}}", items: [{ word: "c" }, { word: "d" }] },
      gathers: shell(
        "cat $(find ${{inputs.reports}} -name report.txt | sort) $(find ${{inputs.texts}} -name text | sort) > ${{outputs.result}}/text",
        {
          inputs: {
            reports: {
              type: "mltable",
              path: "${{parent.jobs.every.outputs.artifacts}}",
              mode: "eval_mount",
            },
            texts: { type: "mltable", path: "${{parent.jobs.each.outputs.result}}", mode: "eval_mount" },
          },
          outputs: result,
        },
      ),
    });
    expect(done.failure).toBeUndefined();
    expect(await text(done, "gathers")).toBe("cdafarbfar");
  });
});

describe("a sweep inside a loop", () => {
  test("runs its trials in every round, and its best goes on", async () => {
    const command = `printf '%s %s' \${{inputs.word}} \${{inputs.x}} > \${{outputs.result}}/text
      curl -sS -X POST "$MLFLOW_TRACKING_URI/api/2.0/mlflow/runs/log-metric" -H "authorization: Bearer $MLFLOW_TRACKING_TOKEN" \\
        -H 'content-type: application/json' -d "{\\"run_id\\": \\"$MLFLOW_RUN_ID\\", \\"key\\": \\"loss\\", \\"value\\": \${{inputs.x}}, \\"timestamp\\": 1, \\"step\\": 0}"`;
    const inner = {
      type: "pipeline",
      inputs: { word: { type: "string" } },
      outputs: result,
      jobs: {
        tune: {
          type: "sweep",
          trial: {
            type: "command",
            inputs: { word: { type: "string" }, x: { type: "number" } },
            outputs: result,
            environment: shell("").environment,
            command,
          },
          inputs: { word: "${{parent.inputs.word}}" },
          outputs: { result: "${{parent.outputs.result}}" },
          search_space: { x: { type: "choice", values: [3, 1, 2] } },
          sampling_algorithm: "grid",
          objective: { goal: "minimize", primary_metric: "loss" },
          limits: { max_total_trials: 3, max_concurrent_trials: 3 },
        },
      },
    };
    const done = await run({
      body: { type: "pipeline", component: inner },
      each: { type: "parallel_for", body: "${{parent.jobs.body}}", items: [{ word: "a" }, { word: "b" }] },
      gathers: shell("cat $(find ${{inputs.all}} -name text | sort) > ${{outputs.result}}/text", {
        inputs: { all: { type: "mltable", path: "${{parent.jobs.each.outputs.result}}", mode: "eval_mount" } },
        outputs: result,
      }),
    });
    expect(done.failure).toBeUndefined();
    expect(await text(done, "gathers")).toBe("a 1b 1");
    const answer = await app.call(`runs/${done.runId}/nodes/each.item_1.tune`);
    expect(NodeRun.parse(await answer.json()).sweep).toMatchObject({ bestTrial: 2, trials: [{}, {}, {}] });
    const trial = await app.call(`runs/${done.runId}/nodes/each.item_2.tune.trial_1`);
    expect(NodeRun.parse(await trial.json())).toMatchObject({ status: "completed" });
  });
});
