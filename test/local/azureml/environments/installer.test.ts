import { expect, test } from "vitest";
import { startTimeOf } from "#local/azureml/executor/process-table.ts";
import { runInstaller } from "#local/azureml/environments/installer.ts";

const env = { PATH: process.env["PATH"] ?? "" };

function runShell(
  script: string,
  onLine: (line: string) => void,
  signal = new AbortController().signal,
): Promise<void> {
  return runInstaller({ command: "bash", args: ["-c", script], env, signal, onLine });
}

test("credentials in URLs reach neither the lines nor the error", async () => {
  const lines: string[] = [];
  const script =
    "echo from https://me:secret@index.example/simple/ >&2; echo get https://index.example/x.whl?sig=secret; exit 1";
  const text = "from https://***@index.example/simple/\nget https://index.example/x.whl?***";
  await expect(runShell(script, (line) => lines.push(line))).rejects.toThrow(/^.*\n.*$/);
  expect(lines.toSorted().join("\n")).toBe(text);
  await expect(runShell(script, () => undefined)).rejects.not.toThrow("secret");
});

test("an aborted installer goes with everything it started", async () => {
  const abort = new AbortController();
  let child = 0;
  const running = runShell(
    "sleep 1000 & echo $!; wait",
    (line) => {
      child = Number(line);
      abort.abort();
    },
    abort.signal,
  );
  await expect(running).rejects.toThrow("aborted");
  await expect.poll(() => startTimeOf(child)).toBeUndefined();
  expect(child).toBeGreaterThan(1);
});

test("an installer that is not there is named", async () => {
  const request = {
    command: "no-such-installer",
    args: [],
    env,
    signal: new AbortController().signal,
    onLine: () => undefined,
  };
  await expect(runInstaller(request)).rejects.toThrow("no-such-installer");
});
