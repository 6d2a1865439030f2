import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import { afterEach, beforeEach, expect, test } from "vitest";
import { cliEntry } from "./run-cli.ts";

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "mlpipe-entry-"))));
afterEach(() => rm(folder, { recursive: true }));

/** Runs an entry file under a Node that says it is old. */
async function runUnderOldNode(entry: string, args: readonly string[]) {
  const old = "Object.defineProperty(process,'versions',{value:{...process.versions,node:'20.11.1'}})";
  const child = spawn(process.execPath, [
    "--import",
    `data:text/javascript,${encodeURIComponent(old)}`,
    entry,
    ...args,
  ]);
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (text: Buffer) => (output.stdout += text.toString()));
  child.stderr.on("data", (text: Buffer) => (output.stderr += text.toString()));
  const [code] = (await once(child, "close")) as [number];
  return { code, ...output };
}

test("under an old Node the command hands over to the Node that the project brings, exit code included", async () => {
  expect(await runUnderOldNode(cliEntry, ["--version"])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^\d+\.\d+/) as string,
    stderr: "",
  });
  expect((await runUnderOldNode(cliEntry, ["no-such-command"])).code).toBe(2);
});

test("under an old Node with no other there it says in one line what to do", async () => {
  await mkdir(join(folder, "cli"));
  await writeFile(join(folder, "package.json"), '{"type":"module"}');
  await copyFile(cliEntry, join(folder, "cli/mlpipe.js"));
  const { code, stderr } = await runUnderOldNode(join(folder, "cli/mlpipe.js"), ["status"]);
  expect({ code, lines: stderr.trimEnd().split("\n").length }).toEqual({ code: 1, lines: 1 });
  expect(stderr).toContain("npm ci");
});
