#!/usr/bin/env node
// Plain JavaScript, so that an old Node can read it: it hands over to the Node that the project brings, or says what to do.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import module from "node:module";
import { fileURLToPath } from "node:url";

// Code that has been compiled once is not compiled again at the next start; an old Node does not know how.
module.enableCompileCache?.();

const [major, minor] = process.versions.node.split(".").map(Number);
const runsTypeScript = major > 22 || (major === 22 && minor >= 18);
const ownNode = fileURLToPath(new URL("../node_modules/node/bin/node", import.meta.url));

if (runsTypeScript) {
  await import("./main.ts");
} else if (existsSync(ownNode)) {
  const child = spawn(ownNode, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
} else {
  console.error(
    `mlpipe needs Node 22.18 or newer, this is ${process.versions.node}: type \`npm ci\` in mlpipe's folder, which brings Node 24.`,
  );
  process.exit(1);
}
