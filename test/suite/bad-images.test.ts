// Images that cannot be right end the run where they are read, with the file and the reason, before anything is trained on them.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { RunDocument } from "#shared/api.ts";
import { runCli } from "../cli/run-cli.ts";
import { nodeOf, sharedApp } from "./app.ts";

const { app, controls } = sharedApp();
const root = fileURLToPath(new URL("../..", import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mlpipe-images-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

type Files = Record<string, Buffer>;

/** An idx file of unsigned bytes: http://yann.lecun.com/exdb/mnist/ */
function idx(shape: readonly number[], bytes: number, magic = 0x800 + shape.length): Buffer {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.writeUInt32BE(magic);
  for (const [index, size] of shape.entries()) header.writeUInt32BE(size, 4 + 4 * index);
  return Buffer.concat([header, Buffer.alloc(bytes, 1)]);
}

const rightFiles = (): Files => ({
  "train-images-idx3-ubyte": idx([3, 2, 2], 12),
  "train-labels-idx1-ubyte": idx([3], 3),
  "t10k-images-idx3-ubyte": idx([2, 2, 2], 8),
  "t10k-labels-idx1-ubyte": idx([2], 2),
});

const cases: [title: string, spoil: (files: Files) => void, reason: RegExp][] = [
  ["cut short", (files) => (files["train-images-idx3-ubyte"] = idx([3, 2, 2], 5)), /train-images.*ends 7 bytes before/],
  ["of another magic", (files) => (files["t10k-labels-idx1-ubyte"] = idx([2], 2, 0x803)), /t10k-labels.*magic number/],
  ["of another count", (files) => (files["train-labels-idx1-ubyte"] = idx([4], 4)), /announces 3 images.*4 labels/],
  ["not there", (files) => delete files["t10k-images-idx3-ubyte"], /t10k-images-idx3-ubyte is missing/],
];

// The first time, prep's Python packages are installed.
test.for(cases)("images that are %s", { timeout: 10 * 60_000 }, async ([title, spoil, reason]) => {
  const files = rightFiles();
  spoil(files);
  const images = await mkdtemp(join(folder, title.replaceAll(" ", "-")));
  for (const [name, content] of Object.entries(files)) await writeFile(join(images, name), content);
  const args = ["run", "pipelines/fashion_mnist.yml", "--input", `images=${images}`, "--force", "--watch", "--json"];
  const answer = await runCli([...args, "--server", app.url], { cwd: root, env: { MLPIPE_KEY: app.key } });
  expect(answer.code).not.toBe(0);
  const run = RunDocument.parse(JSON.parse(answer.stdout.trimEnd().split("\n").at(-1) ?? ""));
  expect(run.nodes.map(({ name, status }) => [name, status])).toEqual([
    ["prep", "failed"],
    ["train", "skipped"],
    ["score", "skipped"],
    ["promote", "skipped"],
  ]);
  expect(nodeOf(run, "prep").failure?.logTail?.join("\n")).toMatch(reason);
  const puts = (await controls?.jobPuts(run.runId)) ?? ["not known of a deployed app"];
  expect(puts).toHaveLength(1);
});
