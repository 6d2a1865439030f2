// A literal reaches the program as exactly that one argument, on the real executor and from every place where one can come in.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Problem, RunDocument } from "#shared/api.ts";
import { nodeOf, sharedApp, shell } from "./app.ts";

const { app } = sharedApp();
const result = { result: { type: "uri_folder" } };

const nasty = [
  "",
  " ",
  "it's",
  `"`,
  `''""`,
  "$(touch injected)",
  "`touch injected`",
  "${HOME} $HOME",
  "; touch injected;",
  "a\nb\n\n",
  "line\nEOF\ntouch injected\n",
  "-n",
  "--help",
  "\\",
  "*",
  "~",
  "{a,b}",
  "!!",
  "${{inputs.v0}} ${{outputs.result}} $[[x]]",
  "é 😀 \u202E\u00A0\u2028",
  "\t\r\n",
  "\u0001\u007F\u001B[31m",
];
const drawn = fc.sample(
  fc.oneof(
    fc.array(fc.constantFrom(...nasty), { minLength: 2, maxLength: 5 }).map((parts) => parts.join("")),
    // Whatever a text can hold, but for the end of all arguments.
    fc.string({ unit: "binary", minLength: 1, maxLength: 40 }).map((text) => text.replaceAll("\0", "")),
  ),
  { numRuns: 24, seed: 20_26 },
);
const values = [...nasty, ...drawn];
const names = values.map((_value, index) => `v${index}`);
const inputs = Object.fromEntries(names.map((name, index) => [name, values[index] ?? ""]));
const declared = Object.fromEntries(names.map((name) => [name, { type: "string" }]));
const bound = Object.fromEntries(names.map((name) => [name, `\${{parent.inputs.${name}}}`]));

/** A program that writes down its arguments, each ended by NUL. */
const probe = `bash -c 'out="$1"; shift; printf "%s\\0" "$@" > "$out"' _ "\${{outputs.result}}/seen"`;

async function start(body: object): Promise<RunDocument> {
  const answer = await app.call("runs", { method: "POST", body });
  if (answer.status !== 202) throw new Error(`${answer.status} ${await answer.text()}`);
  const run = await app.ended(RunDocument.parse(await answer.json()).runId);
  if (run.status !== "completed") throw new Error(JSON.stringify(run.failure));
  return run;
}

async function seen(run: RunDocument, node: string): Promise<string[]> {
  return (await app.read(run.runId, node, "result", "seen")).split("\0").slice(0, -1);
}

describe("a value that came with a request", () => {
  test("is one argument, however the author quotes it, and one variable of the environment; in sub-pipelines too", async () => {
    const quoted = names.flatMap((name) => [
      `\${{inputs.${name}}}`,
      `"\${{inputs.${name}}}"`,
      `'\${{inputs.${name}}}'`,
    ]);
    const variables = Object.fromEntries(names.map((name) => [name.toUpperCase(), bound[name]]));
    const inner = {
      type: "pipeline",
      inputs: declared,
      outputs: result,
      jobs: {
        deep: shell(`${probe} ${names.map((name) => `\${{inputs.${name}}}`).join(" ")}`, {
          inputs: bound,
          outputs: { result: "${{parent.outputs.result}}" },
        }),
      },
    };
    const run = await start({
      inputs,
      pipeline: {
        type: "pipeline",
        settings: { force_rerun: true },
        inputs: declared,
        jobs: {
          command: shell(`${probe} ${quoted.join(" ")}; ls > \${{outputs.result}}/left`, {
            inputs: bound,
            outputs: result,
          }),
          variables: shell(`${probe} ${names.map((name) => `"$${name.toUpperCase()}"`).join(" ")}`, {
            environment_variables: variables,
            outputs: result,
          }),
          sub: { type: "pipeline", component: inner, inputs: bound },
        },
      },
    });
    expect(await seen(run, "command")).toEqual(values.flatMap((value) => [value, value, value]));
    expect(await app.read(run.runId, "command", "result", "left")).not.toContain("injected");
    expect(await seen(run, "variables")).toEqual(values);
    expect(await seen(run, "sub.deep")).toEqual(values);
  });

  test.for([
    ["a\0b", /NUL|null character/i],
    ["half \uD800 a pair", /surrogate|pair/i],
    ["x".repeat(200_000), /longer than/],
  ] as const)("that no argument can hold is refused before anything starts: %#", async ([word, reason]) => {
    for (const more of [{ inputs: { word } }, { inputs: { word: "x" }, environment_variables: { WORD: word } }]) {
      const jobs = { only: shell(`${probe} \${{inputs.word}}`, { outputs: result, ...more }) };
      const answer = await app.call("runs", { method: "POST", body: { pipeline: { type: "pipeline", jobs } } });
      expect(answer.status).toBe(400);
      expect(Problem.parse(await answer.json()).detail).toMatch(reason);
    }
  });
});

describe("a value that comes while a run goes on", () => {
  // Fewer: each is a job of its own.
  const some = [...nasty.slice(0, 8), nasty[18] ?? "", drawn.find((text) => text.includes("\n")) ?? "\n", "--help"];

  const logging = `curl -sS -X POST "$MLFLOW_TRACKING_URI/api/2.0/mlflow/runs/log-metric" -H "authorization: Bearer $MLFLOW_TRACKING_TOKEN" -H 'content-type: application/json' -d '{"run_id": "'"$MLFLOW_RUN_ID"'", "key": "loss", "value": 1, "timestamp": 1, "step": 0}'`;

  test("from a loop's items, a sweep's search space or another node's output is one argument as well", async () => {
    const distinct = [...new Set(some)];
    const saying = "x\u2028 $(touch injected) 'it' \"is\" -n";
    const run = await start({
      pipeline: {
        type: "pipeline",
        settings: { force_rerun: true },
        jobs: {
          piece: shell(`${probe} \${{inputs.word}}`, { inputs: { word: "" }, outputs: result }),
          each: {
            type: "parallel_for",
            body: "${{parent.jobs.piece}}",
            items: distinct.map((word) => ({ word })),
          },
          tune: {
            type: "sweep",
            trial: {
              type: "command",
              inputs: { word: { type: "string" } },
              outputs: result,
              environment: shell("").environment,
              command: `${probe} \${{inputs.word}}\n${logging}`,
            },
            search_space: { word: { type: "choice", values: distinct } },
            sampling_algorithm: "grid",
            objective: { goal: "minimize", primary_metric: "loss" },
            limits: { max_total_trials: distinct.length, max_concurrent_trials: distinct.length },
          },
          says: shell("printf '%s' ${{inputs.word}} > ${{outputs.word}}", {
            inputs: { word: saying },
            outputs: { word: { type: "string" } },
          }),
          hears: shell(`${probe} \${{inputs.word}}`, {
            inputs: { word: "${{parent.jobs.says.outputs.word}}" },
            outputs: result,
          }),
        },
      },
    });
    expect(await seen(run, "hears")).toEqual([saying]);
    const ofRounds = async (prefix: string) =>
      Promise.all(distinct.map(async (_word, index) => (await seen(run, `${prefix}_${index + 1}`))[0]));
    expect(await ofRounds("each.item")).toEqual(distinct);
    expect(await ofRounds("tune.trial")).toEqual(distinct);
  });
});

test("an output's place may be called anything, and stays one word to the program", async () => {
  const odd = 'it\'s $(touch injected) "odd" é/-n';
  const path = `azureml://datastores/workspaceblobstore/paths/literals/\${{name}}/${odd}/`;
  const run = await start({
    pipeline: {
      type: "pipeline",
      settings: { force_rerun: true },
      jobs: {
        writes: shell('printf here > "${{outputs.result}}/text"; ls > "${{outputs.result}}/left"', {
          outputs: { result: { type: "uri_folder", path } },
        }),
        reads: shell('cat "${{inputs.from}}/text" > "${{outputs.result}}/text"', {
          inputs: { from: "${{parent.jobs.writes.outputs.result}}" },
          outputs: result,
        }),
      },
    },
  });
  expect(nodeOf(run, "writes").outputs?.["result"]).toContain(odd);
  expect(await app.read(run.runId, "reads", "result", "text")).toBe("here");
  expect(await app.read(run.runId, "writes", "result", "text")).toBe("here");
  expect(await app.read(run.runId, "writes", "result", "left")).not.toContain("injected");
});
