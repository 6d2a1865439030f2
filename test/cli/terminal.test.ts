// The live view on a pseudo-terminal, which util-linux's `script` makes.
import { spawn, spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type FakeApp, fakeKey, newNode, newRun, startFakeApp } from "./fake-app.ts";
import { cliEntry } from "./run-cli.ts";

const program = "script";
const hasScript = /util-linux/.test(spawnSync(program, ["--version"]).stdout?.toString() ?? "");
const hideCursor = "\u001B[?25l";
const showCursor = "\u001B[?25h";

let app: FakeApp;
let cwd: string;
beforeEach(async () => {
  app = await startFakeApp();
  cwd = await mkdtemp(join(tmpdir(), "mlpipe-terminal-"));
});
afterEach(async () => {
  await app.stop();
  await rm(cwd, { recursive: true });
});

function watchOnTerminal(env: Record<string, string> = {}) {
  const command = `stty columns 60 rows 24; exec "${process.execPath}" "${cliEntry}" status sharp_pipe_1 --watch`;
  const child = spawn(program, ["--quiet", "--return", "--flush", "--command", command, "/dev/null"], {
    cwd,
    env: {
      PATH: process.env.PATH ?? "",
      TERM: "xterm",
      SHELL: "/bin/sh",
      MLPIPE_URL: app.url,
      MLPIPE_KEY: fakeKey,
      ...env,
    },
  });
  let screen = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (screen += text));
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  return { child, ended, screen: () => screen };
}

describe.skipIf(!hasScript)("on a terminal (skipped where there is no util-linux script)", () => {
  const train = newNode("train", { status: "running", attempt: 1, instanceType: "Standard_NC24ads_A100_v4" });
  const completed = newRun({
    status: "completed",
    lastUpdatedTime: "2026-01-05T10:00:09Z",
    nodes: [newNode("train", { status: "completed", attempt: 1 })],
  });

  test("a run is drawn in place, in colour, within the columns, and leaves the cursor as it was", async () => {
    app.runs.set("sharp_pipe_1", newRun({ nodes: [train, newNode("score-with-a-rather-long-name-of-its-own")] }));
    app.upcoming.push(completed);
    const { ended, screen } = watchOnTerminal();
    expect(await ended).toBe(0);
    expect(screen()).toContain("\u001B[32m");
    expect(screen().lastIndexOf(showCursor)).toBeGreaterThan(screen().lastIndexOf(hideCursor));
    const lines = stripVTControlCharacters(screen()).split(/\r?\n/);
    expect(lines.some((line) => line.includes("✔ train"))).toBe(true);
    const drawn = lines.filter((line) => /^\W?\s?(train|score)|nodes/.test(line));
    for (const line of drawn) expect(line.length).toBeLessThan(60);
  });

  test("Ctrl-C leaves the cursor as it was", async () => {
    app.runs.set("sharp_pipe_1", newRun({ nodes: [train] }));
    const { child, ended, screen } = watchOnTerminal();
    await expect.poll(screen, { timeout: 20_000 }).toContain("train");
    child.stdin.write("\u0003");
    expect(await ended).toBe(130);
    expect(screen().lastIndexOf(showCursor)).toBeGreaterThan(screen().lastIndexOf(hideCursor));
    expect(screen()).toContain("mlpipe cancel sharp_pipe_1");
  });

  test("NO_COLOR takes the colours and leaves the drawing; CI takes both", async () => {
    app.runs.set("sharp_pipe_1", completed);
    const plain = watchOnTerminal({ NO_COLOR: "1" });
    expect(await plain.ended).toBe(0);
    expect(plain.screen()).toContain(hideCursor);
    expect(plain.screen()).not.toContain("\u001B[32m");
    const ci = watchOnTerminal({ CI: "true" });
    expect(await ci.ended).toBe(0);
    expect(ci.screen()).not.toContain("\u001B");
  });
});
