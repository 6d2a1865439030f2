import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { endMarkerOutput, withEndMarker } from "#shared/domain/end-marker.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mlpipe-marker-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const marker = () => join(folder, ".ended.json");
/** The script as the service runs it: the placeholder pasted. */
const scriptOf = (command: string) => withEndMarker(command).replace(`\${{outputs.${endMarkerOutput}}}`, marker());
const told = () => (existsSync(marker()) ? (JSON.parse(readFileSync(marker(), "utf8")) as unknown) : undefined);

function run(command: string) {
  const { status, stdout } = spawnSync("bash", ["-c", scriptOf(command)], { encoding: "utf8", timeout: 10_000 });
  return { status, stdout, told: told() };
}

describe("the end marker", () => {
  test("tells exit code 0 of a command that succeeds", () => {
    expect(run("echo done")).toEqual({ status: 0, stdout: "done\n", told: { exitCode: 0 } });
  });

  test.each([
    ["exits", "exit 3", 3],
    ["fails at its last line", "true\nfalse", 1],
    ["replaces its shell", "exec bash -c 'exit 7'", 7],
    ["ends in a comment", "exit 4 # the end", 4],
    ["has a here-document", "cat <<X\nhello\nX\nexit 5", 5],
    ["sets a trap of its own", "trap 'exit 6' EXIT\ntrue", 6],
    ["is not found", "no_such_program_here", 127],
    ["kills itself", "kill -9 $BASHPID", 137],
  ])("tells the code of a command that %s", (_what, command, code) => {
    const { status, ...rest } = run(command);
    expect(rest.told).toEqual({ exitCode: code });
    expect(status).toBe(code);
  });

  test("is written when the job's processes are told to stop", async () => {
    const child = spawn("bash", ["-c", scriptOf("echo ready; sleep 60")], {
      detached: true,
      stdio: ["ignore", "pipe", "ignore"],
    });
    await once(child.stdout, "data");
    process.kill(-(child.pid ?? 0), "SIGTERM");
    await once(child, "exit");
    expect(told()).toEqual({ exitCode: 143 });
  });
});
