// How long the stack takes until everything serves, part by part: the first start on an empty folder, then warm ones.
// node bench/stack-start.ts [warm starts, 5 when not said]
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { startStack, type Stack } from "#local/stack.ts";

const warmStarts = Number(process.argv[2] ?? 5);
const home = await mkdtemp(join(tmpdir(), "mlpipe-bench-"));
const rows: Record<string, number>[] = [];

try {
  for (let i = 0; i <= warmStarts; i++) {
    const start = performance.now();
    const stack = await startStack({ home });
    const serving = performance.now() - start;
    const answer = await fetch(`${stack.url}/api/runs`, { headers: { "x-functions-key": stack.key } });
    await answer.text();
    const answered = performance.now() - start;
    const stopping = performance.now();
    await stack.stop();
    rows.push({
      ...roundAll(stack.readyMs),
      serving,
      answered,
      stop: performance.now() - stopping,
      status: answer.status,
    });
  }
  console.log(
    `Milliseconds from startStack; ${cpus().length} cores, Node ${process.versions.node}. Row 0 is the first start of the folder.`,
  );
  console.table(rows.map(roundAll));
} finally {
  await rm(home, { recursive: true, force: true });
}

function roundAll(row: Stack["readyMs"] | Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, Math.round(value)]));
}
