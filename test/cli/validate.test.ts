// What is told of a pipeline file before anything is stored or started.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type FakeApp, fakeKey, startFakeApp } from "./fake-app.ts";
import { runCli } from "./run-cli.ts";

let app: FakeApp;
let cwd: string;
beforeEach(async () => {
  app = await startFakeApp();
  cwd = await mkdtemp(join(tmpdir(), "mlpipe-validate-"));
});
afterEach(async () => {
  await app.stop();
  await rm(cwd, { recursive: true });
});

async function mlpipe(command: string, text: string) {
  await writeFile(join(cwd, "p.yml"), text);
  return runCli([command, "p.yml"], { cwd, env: { MLPIPE_URL: app.url, MLPIPE_KEY: fakeKey } });
}

const first = "  first: {command: 'echo > ${{outputs.o}}', environment: {image: x}, outputs: {o: }}";
const second = (output: string) =>
  `  second: {command: 'cat \${{inputs.i}}', environment: {image: x}, inputs: {i: "\${{parent.jobs.first.outputs.${output}}}"}}`;
const spark = "  clean: {type: spark, entry: {file: clean.py}, outputs: {rows: }}";

test.each(["validate", "run", "plan"])("%s tells a wrong wiring with its line, and sends nothing", async (command) => {
  const { code, stderr } = await mlpipe(command, ["type: pipeline", "jobs:", first, second("oo")].join("\n"));
  expect(code).toBe(2);
  expect(stderr).toMatch(/error: .*p\.yml:4:\d+ jobs\.second\.inputs\.i: node `first` has no output `oo`/);
  expect(app.requests).toEqual([]);
});

test("a pipeline without fault is valid", async () => {
  const { code, stdout, stderr } = await mlpipe("validate", ["type: pipeline", "jobs:", first, second("o")].join("\n"));
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toContain("p.yml is valid");
});

test("a node that cannot run is a warning to one who checks, and an error to one who runs; nothing is stored", async () => {
  const text = ["type: pipeline", "jobs:", spark].join("\n");
  const checked = await mlpipe("validate", text);
  expect(checked.code).toBe(0);
  expect(checked.stderr).toMatch(/warning: .*p\.yml:3:3 jobs\.clean: node `clean` cannot run: it is a Spark job/);
  const run = await mlpipe("run", text);
  expect(run.code).toBe(2);
  expect(run.stderr).toMatch(/error: .*p\.yml:3:3 jobs\.clean: node `clean` cannot run: it is a Spark job/);
  expect(app.requests.map(({ path }) => path)).toEqual(["/api/plan"]);
});

test("one who checks is not told to run what cannot run", async () => {
  const { stdout } = await mlpipe("validate", ["type: pipeline", "jobs:", spark].join("\n"));
  expect(stdout).toBe("p.yml is valid, and cannot run as it is: it has a node that cannot.\n");
});

test("what the server has against other nodes is told with what is known here, each at its line", async () => {
  app.state.refused = { first: "no index has it" };
  const { code, stderr } = await mlpipe("run", ["type: pipeline", "jobs:", first, spark].join("\n"));
  expect(code).toBe(2);
  expect(stderr).toMatch(
    /p\.yml:3:3 jobs\.first: node `first` cannot run: no index has it\n.*p\.yml:4:3 jobs\.clean: .*\n.*2 nodes cannot run; nothing was started/,
  );
});

test("what the server has against a node of a run is told at its line", async () => {
  const issues = [
    { path: "jobs.first", message: "node `first` cannot run: no index has it", severity: "error" as const },
  ];
  app.state.problem = { code: "InvalidRequest", detail: "jobs.first: node `first` cannot run", issues };
  const { code, stderr } = await mlpipe("run", ["type: pipeline", "jobs:", first].join("\n"));
  expect(code).toBe(2);
  expect(stderr).toMatch(/error: .*p\.yml:3:3 jobs\.first: node `first` cannot run: no index has it/);
});
