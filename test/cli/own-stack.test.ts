// The command line with the real stack below it: real processes, real HTTP, jobs that need no Python.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RunDocument } from "#shared/api.ts";
import { cliEntry, runCli } from "./run-cli.ts";

const root = join(import.meta.dirname, "../..");
const soon = { timeout: 60_000 };
let cwd: string;
let env: Record<string, string>;

const pipeline = (command: string) => `type: pipeline
inputs:
  words: {type: uri_folder}
  times: 1
jobs:
  copy:
    command: ${JSON.stringify(command)}
    environment: {image: none}
    inputs:
      words: \${{parent.inputs.words}}
      times: \${{parent.inputs.times}}
    outputs:
      result: {type: uri_folder}
`;

beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), "mlpipe-own-"));
  env = { MLPIPE_CACHE: join(cwd, "cache") };
  await mkdir(join(cwd, "words"));
  await writeFile(join(cwd, "words/a.txt"), "some words");
  const copy = "echo copying ${{inputs.times}} times && cp ${{inputs.words}}/a.txt ${{outputs.result}}/b.txt";
  await writeFile(join(cwd, "copy.yml"), pipeline(copy));
  await writeFile(
    join(cwd, "fail.yml"),
    pipeline("ls ${{inputs.words}} ${{outputs.result}} ${{inputs.times}}; echo no luck; exit 3"),
  );
  await writeFile(
    join(cwd, "sleep.yml"),
    pipeline("echo ${{inputs.words}} ${{inputs.times}} ${{outputs.result}}; echo asleep; sleep 600"),
  );
});
afterAll(() => rm(cwd, { recursive: true }));

const mlpipe = (...args: string[]) => runCli(args, { cwd, env });

/** Ids of the processes that were started on the folder and live. */
async function processesOnFolder(): Promise<string[]> {
  const ids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const isOurs = async (id: string) => (await readFile(`/proc/${id}/cmdline`, "utf8").catch(() => "")).includes(cwd);
  const ours = await Promise.all(ids.map(isOurs));
  return ids.filter((_, index) => ours[index]);
}

describe("without a server", { timeout: 120_000 }, () => {
  test("run starts a stack of its own, waits for the run and stops it: exit code 0, the document last", async () => {
    const result = await mlpipe("run", "copy.yml", "--input", "words=words", "--input", "times=2", "--json");
    expect(result).toMatchObject({ code: 0 });
    const document = RunDocument.parse(JSON.parse(result.stdout));
    expect(document).toMatchObject({ status: "completed", nodes: [{ name: "copy", status: "completed" }] });
    expect(result.stderr).toContain("copy: completed");
    expect(await processesOnFolder()).toEqual([]);
  });

  test("a pipeline in TypeScript is registered, run and scheduled by its name", async () => {
    await writeFile(join(cwd, "package.json"), '{"type": "module"}');
    await writeFile(
      join(cwd, "twice.ts"),
      `import { commandComponent, integer, pipeline, uriFile } from "${join(root, "authoring/mlpipe.ts")}";
const twice = commandComponent({
  name: "twice",
  inputs: { count: integer() },
  outputs: { result: uriFile() },
  environment: { image: "none" },
  command: "echo $(( 2 * \${{inputs.count}} )) | tee \${{outputs.result}}",
});
export default pipeline({ name: "doubled", inputs: { count: integer({ default: 4 }) } }, ({ inputs, node }) => {
  return { result: node(twice, { count: inputs.count }).outputs.result };
});
`,
    );
    await writeFile(
      join(cwd, "mondays.yml"),
      'name: mondays\ntrigger: {type: cron, expression: "0 3 * * 1"}\ncreate_job: {type: pipeline, job: azureml:doubled, inputs: {count: 3}}\n',
    );
    const registered = await mlpipe("pipeline", "register", "twice.ts", "--json");
    expect(JSON.parse(registered.stdout)).toMatchObject({ name: "doubled" });
    expect(await mlpipe("run", "doubled", "--input", "count=21", "--json")).toMatchObject({ code: 0 });
    const scheduled = await mlpipe("schedule", "apply", "mondays.yml", "--json");
    expect(JSON.parse(scheduled.stdout)).toMatchObject({ name: "mondays" });
  });

  test("a run whose node fails exits with 1 and shows its log's last lines", async () => {
    const { code, stdout } = await mlpipe("run", "fail.yml", "--input", "words=words");
    expect(code).toBe(1);
    expect(stdout).toMatch(/Node copy failed \(exit code 3\)/);
    expect(stdout).toContain("| no luck");
  });

  test("what has run is looked at through a stack that is up for the command only", async () => {
    const { runId } = RunDocument.parse(
      JSON.parse((await mlpipe("run", "copy.yml", "-i", "words=words", "-i", "times=5", "--json")).stdout),
    );
    const status = await mlpipe("status");
    expect(status).toMatchObject({ code: 0, stdout: expect.stringContaining(runId) as string });
    expect(status.stderr).toBe("The stack was up for this command only: mlpipe dev keeps it up.\n");
    expect((await mlpipe("logs", runId, "copy")).stdout).toContain("copying 5 times");
    expect((await mlpipe("logs", runId, "nobody")).code).toBe(3);
    expect(await processesOnFolder()).toEqual([]);
  });

  test("nothing can be looked at where nothing has run", async () => {
    const { code, stderr } = await mlpipe("status", "--home", "never");
    expect(code).toBe(4);
    expect(stderr).toContain("begin with `mlpipe run <pipeline.yml> --watch --home never`");
    expect(await readdir(cwd)).not.toContain("never");
  });

  test("what is wrong with the file or an input is said before any stack is started", async () => {
    await writeFile(
      join(cwd, "bad.yml"),
      "type: pipeline\njobs:\n  a:\n    component: ./nope.yml\n  b:\n    command: ls\n",
    );
    const { code, stderr } = await mlpipe("run", "bad.yml");
    expect(code).toBe(2);
    expect(stderr).toMatch(/bad\.yml:4:\d+ jobs\.a\.component/);
    expect(stderr).toMatch(/bad\.yml:\d+:\d+ jobs\.b/);
    expect(stderr).not.toContain("ready");
  });

  test("a pipeline that is right is said to be so, with the inputs it wants", async () => {
    const { code, stdout } = await mlpipe("validate", "copy.yml");
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: "copy.yml is valid. To run it:\n  mlpipe run copy.yml --input words=<path> --watch\n",
    });
  });
});

describe("with mlpipe dev running", { timeout: 120_000 }, () => {
  let dev: ChildProcess;
  let devOutput = "";
  beforeAll(async () => {
    dev = spawn(process.execPath, [cliEntry, "dev"], { cwd, env: { PATH: process.env.PATH ?? "", HOME: cwd, ...env } });
    dev.stdout?.on("data", (text: Buffer) => (devOutput += text.toString()));
    while (!devOutput.includes("Ctrl-C stops the stack") && dev.exitCode === null) await sleep(100);
  });
  afterAll(async () => {
    if (dev.exitCode !== null) return;
    dev.kill("SIGTERM");
    await once(dev, "close");
  });

  test("the key is not printed, only where it lies", async () => {
    const { key } = JSON.parse(await readFile(join(cwd, ".mlpipe/stack.json"), "utf8")) as { key: string };
    expect(devOutput).not.toContain(key);
    expect(devOutput).toContain(".mlpipe/stack.json");
  });

  test("a second start on the folder says who holds it, exit code 3", async () => {
    const { code, stderr } = await mlpipe("dev");
    expect(code).toBe(3);
    expect(stderr).toContain(`process ${dev.pid}`);
  });

  test("a run is started, watched, looked at and its files brought home", async () => {
    const started = await mlpipe("run", "copy.yml", "-i", "words=words", "--json");
    const { runId } = RunDocument.parse(JSON.parse(started.stdout));
    const watched = await mlpipe("status", runId, "--watch");
    expect(watched).toMatchObject({ code: 0, stdout: expect.stringContaining("copy: completed") as string });
    expect((await mlpipe("status")).stdout).toContain(runId);
    expect((await mlpipe("status", runId)).stdout).toContain("✔ copy");
    expect((await mlpipe("logs", runId, "copy")).stdout).toContain("copying 1 times");
    expect((await mlpipe("outputs", "download", runId, "--to", "home")).code).toBe(0);
    expect(await readFile(join(cwd, "home/copy/result/b.txt"), "utf8")).toBe("some words");
  });

  test("plan says what would run, what stands from an earlier run, and starts nothing", async () => {
    const before = (await mlpipe("status", "--json")).stdout;
    const changed = await mlpipe("plan", "copy.yml", "-i", "words=words", "-i", "times=7");
    expect(changed).toMatchObject({ code: 0 });
    expect(changed.stdout).toMatch(/copy\s+run/);
    expect((await mlpipe("plan", "copy.yml", "-i", "words=words")).stdout).toMatch(
      /copy\s+reuse\s+\$0\.00\s+nothing that counts.*serverless/,
    );
    expect((await mlpipe("status", "--json")).stdout).toBe(before);
  });

  test("the same idempotency key is the same run", async () => {
    const ids = await Promise.all(
      [1, 2].map(async () => {
        const { stdout } = await mlpipe("run", "copy.yml", "-i", "words=words", "--idempotency-key", "once", "--json");
        return RunDocument.parse(JSON.parse(stdout)).runId;
      }),
    );
    expect(ids[0]).toBe(ids[1]);
  });

  test("a log is followed while the job writes, and cancel ends the run with exit code 1 for who watches", async () => {
    const { runId } = RunDocument.parse(
      JSON.parse((await mlpipe("run", "sleep.yml", "-i", "words=words", "--json")).stdout),
    );
    const watching = mlpipe("status", runId, "--watch");
    const following = mlpipe("logs", "-f", runId, "copy");
    await expect.poll(async () => (await mlpipe("logs", runId, "copy")).stdout, soon).toContain("asleep");
    expect((await mlpipe("cancel", runId, "--reason", "enough")).stdout).toMatch(/being canceled|has ended: canceled/);
    expect(await watching).toMatchObject({ code: 1, stdout: expect.stringContaining("canceled") as string });
    expect(await following).toMatchObject({ code: 0, stdout: expect.stringContaining("asleep") as string });
  });

  test("Ctrl-C stops everything", async () => {
    dev.kill("SIGINT");
    const [code] = (await once(dev, "close")) as [number];
    expect(code).toBe(0);
    expect(await processesOnFolder()).toEqual([]);
  });
});
