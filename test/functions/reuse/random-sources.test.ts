// Pipelines as people have them, files in a folder, edited at random and run again and again against an oracle of what each node was
// given. Edits that change no byte of that (a touch, another checkout, order of keys, comments, quotes, what is ignored) must reuse;
// every other must run, with what follows from it.
import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { hashFile } from "#cli/hash-files.ts";
import { storeAll } from "#cli/store-references.ts";
import { compilePlan } from "#shared/domain/compile-plan.ts";
import { loadPipeline, withUploads } from "#shared/domain/load-pipeline.ts";
import type { Plan } from "#shared/domain/plan.ts";
import { snapshotHash } from "#shared/domain/snapshot.ts";
import { formatIssue } from "#shared/errors.ts";
import { createFileSource } from "#shared/files.ts";
import { createWorld, type Program } from "./world.ts";

/** What programs see. */
interface Content {
  /** Of `prep`: its script, a file beside it, its command, what it installs, its default. */
  script: number;
  beside: number;
  command: number;
  conda: number;
  literal: number;
  variable: number;
  /** Of the local data that `prep` reads. */
  data: number;
  /** Which version `train`'s environment means by `@latest`. */
  latest: number;
  /** What `tune`, a sweep, chooses from. */
  space: number;
  /** How many inputs `score`, a parallel node, takes at once. */
  batch: number;
}

/** What they do not see. */
interface Looks {
  keys: number;
  comments: number;
  quotes: boolean;
  checkout: number;
  clock: number;
  junk: number;
  label: number;
  size: number;
}

const few = fc.nat(2);
const content: fc.Arbitrary<Content> = fc.record({
  script: few,
  beside: few,
  command: few,
  conda: few,
  literal: few,
  variable: few,
  data: few,
  latest: few,
  space: few,
  batch: few,
});
const looks: fc.Arbitrary<Looks> = fc.record({
  keys: fc.nat(1000),
  comments: few,
  quotes: fc.boolean(),
  checkout: fc.nat(3),
  clock: fc.nat(1_000_000),
  junk: few,
  label: few,
  size: few,
});

const contentFields: readonly (keyof Content)[] = [
  "script",
  "beside",
  "command",
  "conda",
  "literal",
  "variable",
  "data",
  "latest",
  "space",
  "batch",
];

/** The same mapping with its keys in another order, all the way down; sequences keep theirs. */
function shuffled(value: unknown, seed: number): unknown {
  if (Array.isArray(value)) return value.map((item) => shuffled(item, seed));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, item], index) => ({
    rank: Math.imul(index + 1, 2_654_435_761 ^ seed) >>> 0,
    entry: [key, shuffled(item, seed)] as const,
  }));
  return Object.fromEntries(entries.toSorted((a, b) => a.rank - b.rank).map(({ entry }) => entry));
}

function toYaml(value: object, { keys, comments, quotes }: Looks): string {
  const text = stringify(shuffled(value, keys), {
    lineWidth: 0,
    ...(quotes ? { defaultStringType: "QUOTE_DOUBLE", defaultKeyType: "PLAIN" } : {}),
  });
  if (comments === 0) return text;
  const lines = text.split("\n");
  return [`# note ${comments}`, ...lines.map((line) => (/^\w+:$/.test(line) ? `${line} # ${comments}` : line))].join(
    "\n",
  );
}

const made = { made: { type: "uri_folder" } };

function filesOf(is: Content, how: Looks): Record<string, string> {
  const prep = {
    $schema: "https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json",
    type: "command",
    name: `prep_${how.label}`,
    version: String(1 + how.label),
    description: `the ${how.label}th`,
    code: "./src",
    command: `python main.py --data \${{inputs.data}} --rate \${{inputs.rate}} --made \${{outputs.made}} --mode ${is.command}`,
    environment: { image: "python:3.12", conda_file: "./conda.yml" },
    environment_variables: { LEVEL: String(is.variable) },
    inputs: { data: { type: "uri_folder" }, rate: { type: "number", default: is.literal / 2 } },
    outputs: made,
    tags: { looks: String(how.label) },
  };
  const conda = { name: "env", dependencies: ["python=3.12", { pip: [`numpy==${is.conda + 1}.0`] }] };
  const after = (node: string) => ({ before: `\${{parent.jobs.${node}.outputs.made}}` });
  const pipeline = {
    type: "pipeline",
    display_name: `look ${how.label}`,
    settings: { default_compute: "azureml:serverless" },
    inputs: { images: { type: "uri_folder", path: "./images" } },
    jobs: {
      prep: {
        type: "command",
        component: "./prep/component.yml",
        inputs: { data: "${{parent.inputs.images}}" },
        resources: { instance_type: ["Standard_D2_v3", "Standard_D4_v3", "Standard_D8_v3"][how.size] },
      },
      train: {
        type: "command",
        command: "cat ${{inputs.before}}/file > ${{outputs.made}}/file",
        environment: "azureml:learner@latest",
        inputs: after("prep"),
        outputs: made,
      },
      tune: {
        type: "sweep",
        sampling_algorithm: "grid",
        search_space: { rate: { type: "choice", values: [0, is.space + 1] } },
        objective: { goal: "maximize", primary_metric: "score" },
        limits: { max_total_trials: 2 },
        trial: {
          type: "command",
          command: "cat ${{inputs.before}}/file && echo ${{search_space.rate}} > ${{outputs.made}}/file",
          environment: { image: "busybox" },
          inputs: { before: { type: "uri_folder" }, rate: { type: "number" } },
          outputs: made,
        },
        inputs: after("train"),
        outputs: { made: {} },
      },
      score: {
        type: "parallel",
        mini_batch_size: String(is.batch + 1),
        input_data: "${{inputs.before}}",
        inputs: after("tune"),
        outputs: made,
        task: { type: "run_function", code: "./score", entry_script: "score.py", environment: { image: "busybox" } },
      },
    },
  };
  return {
    "pipeline.yml": toYaml(pipeline, how),
    "prep/component.yml": toYaml(prep, how),
    "prep/conda.yml": `${stringify(conda)}`,
    "prep/src/main.py": `print(${is.script})\n`,
    "prep/src/lib/beside.py": `value = ${is.beside}\n`,
    "prep/src/__pycache__/main.pyc": `junk ${how.junk}`,
    "score/score.py": "def run(batch): return batch\\n",
    "images/one.bin": `image ${is.data}`,
  };
}

/** What each node is given, as far as it does not come from another node. */
const givenOf = (is: Content): Record<string, string> => ({
  prep: [is.script, is.beside, is.command, is.conda, is.literal, is.variable, is.data].join(),
  train: String(is.latest),
  tune: String(is.space),
  score: String(is.batch),
});

const after: Readonly<Record<string, string>> = { train: "prep", tune: "train", score: "tune" };

test("an edit of sources runs what sees it and reuses what does not", async () => {
  const root = await mkdtemp(join(tmpdir(), "mlpipe-sources-"));
  const environments: Record<string, string> = {};
  let checkouts = 0;
  try {
    await fc.assert(
      fc.asyncProperty(
        content,
        looks,
        fc.array(
          fc.oneof(
            { weight: 3, arbitrary: fc.record({ kind: fc.constant("looks" as const), looks }) },
            {
              weight: 5,
              arbitrary: fc.record({
                kind: fc.constant("content" as const),
                field: fc.nat(contentFields.length - 1),
                value: few,
              }),
            },
          ),
          { maxLength: 6 },
        ),
        async (first, firstLooks, edits) => {
          const world = createWorld({ environments });
          const history = (checkouts += 1);
          const given = new Set<string>();
          const is = { ...first };
          let how = firstLooks;
          let runs = 0;

          async function run(): Promise<void> {
            runs += 1;
            const folder = join(root, String(history), `checkout ${how.checkout}`);
            await write(folder, filesOf(is, how), how.clock);
            environments["azureml:learner@latest"] = `learner/versions/${is.latest + 1}`;
            const plan = await planAt(folder, (path, text) => world.store.put(path, text));
            // What a node makes is told by what it was given, a half of it: often another change makes the same bytes.
            const own = givenOf(is);
            const program: Program = ({ name }, read) => half(`${own[name]} ${read["before"] ?? ""}`);
            const { statuses } = await world.run(`r${runs}`, plan, program);
            const outputs: Record<string, string> = {};
            const expected: Record<string, string> = {};
            for (const name of ["prep", "train", "tune", "score"]) {
              const before = outputs[after[name] ?? ""];
              const all = `${name} ${own[name]} ${before === undefined ? "" : `file=${before}`}`;
              expected[name] = given.has(all) ? "reused" : "completed";
              given.add(all);
              outputs[name] = half(`${own[name]} ${before === undefined ? "" : `file=${before}`}`);
            }
            expect(statuses).toEqual(expected);
          }

          await run();
          for (const edit of edits) {
            if (edit.kind === "looks") how = edit.looks;
            else Object.assign(is, { [contentFields[edit.field] ?? ""]: edit.value });
            await run();
          }
        },
      ),
      { numRuns: 25 },
    );
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}, 120_000);

const half = (text: string) => String(Buffer.from(text).reduce((sum, byte) => sum + byte, 0) % 2);

/** Writes the files as somebody else's machine would have them: with times of its own. */
async function write(folder: string, files: Readonly<Record<string, string>>, clock: number): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
    await utimes(join(folder, path), 1_700_000_000 + clock, 1_700_000_000 + clock);
  }
}

/** The plan that a server makes of what the command line sends. */
async function planAt(folder: string, put: (path: string, text: string) => void): Promise<Plan> {
  const { document, localReferences, issues } = await loadPipeline(join(folder, "pipeline.yml"), createFileSource());
  const errors = issues.filter(({ severity }) => severity === "error");
  if (document === undefined || errors.length > 0) throw new Error(errors.map(formatIssue).join("\n"));
  const uris = await storeAll(localReferences, async (_label, locals) => {
    const hash = await snapshotHash(await Promise.all(locals.map(hashFile)));
    const place = `mlpipe/uploads/${hash}/`;
    for (const { path, localPath } of locals) put(`${place}${path}`, await readFile(localPath, "utf8"));
    return { uri: `azureml://datastores/store/paths/${place}`, hash };
  });
  const result = await compilePlan(withUploads(document, uris), { inputs: {} });
  if (result.plan === undefined) throw new Error(result.issues.map(formatIssue).join("\n"));
  return result.plan;
}
