// Builds one environment in a folder of its own: uv where there is one, else venv and pip.
import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { addUvSettings, toBuilderEnvironment } from "./builder-environment.ts";
import type { PythonEnvironment } from "./conda-file.ts";
import { runInstaller } from "./installer.ts";
import { findInterpreter } from "./interpreters.ts";
import type { HostEnvironment } from "./interpreters.ts";

const run = promisify(execFile);

export interface BuildRequest {
  readonly folder: string;
  readonly wanted: PythonEnvironment;
  readonly host: HostEnvironment;
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
}

// An image-only environment has no pip until a job calls it: most never do, and it costs seconds.
const lateInstaller = `#!/bin/sh
here=$(dirname "$0")
"$here/python" -m ensurepip --default-pip >/dev/null && exec "$here/python" -m pip "$@"
`;

/**
 * Creates `folder/bin/python` with the wanted packages.
 * @throws Error whose message says what went wrong, ending with the installer's last lines.
 */
export async function buildEnvironment({ folder, wanted, host, signal, onLine }: BuildRequest): Promise<void> {
  const python = await findInterpreter(wanted.python, host);
  onLine(`Python ${python.version}`);
  if (python.note !== undefined) onLine(python.note);
  const startedAt = Date.now();
  const env = toBuilderEnvironment(host);
  if (wanted.requirements.length === 0 && !wanted.wantsPip) {
    await runInstaller({
      command: python.path,
      args: ["-m", "venv", "--without-pip", folder],
      env,
      signal,
      onLine,
    });
    for (const name of ["pip", "pip3"]) await writeFile(join(folder, "bin", name), lateInstaller, { mode: 0o755 });
    return;
  }
  await mkdir(folder, { recursive: true });
  const requirements = join(folder, "requirements.txt");
  // An index URL may hold a password.
  await writeFile(requirements, `${wanted.requirements.join("\n")}\n`, { mode: 0o600 });
  const install = (await hasUv(env)) ? installWithUv : installWithPip;
  try {
    await install({
      folder,
      requirements,
      python: python.path,
      wantsPip: wanted.wantsPip,
      env,
      signal,
      onLine,
    });
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    const hint = wanted.fromConda.filter((name) => text.toLowerCase().includes(name.toLowerCase()));
    if (hint.length === 0 || signal.aborted) throw cause;
    throw new Error(
      `${text}\nConda packages are installed by pip under the same name; if pip knows ${hint.join(", ")} by another, list that under \`pip\``,
      { cause },
    );
  }
  onLine(
    `Environment ready: Python ${python.version}, ${await megabytesOf(folder)} MB, ${Math.round((Date.now() - startedAt) / 1000)} s`,
  );
}

interface Install {
  readonly folder: string;
  readonly requirements: string;
  readonly python: string;
  readonly wantsPip: boolean;
  readonly env: Record<string, string>;
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
}

async function hasUv(env: Record<string, string>): Promise<boolean> {
  return run("uv", ["--version"], { env, timeout: 20_000 }).then(
    () => true,
    () => false,
  );
}

async function installWithUv({ folder, requirements, python, wantsPip, env, signal, onLine }: Install): Promise<void> {
  const uvEnv = await addUvSettings(env, python);
  const seed = wantsPip ? ["--seed"] : [];
  await runInstaller({
    command: "uv",
    args: ["venv", "--allow-existing", ...seed, "--python", python, folder],
    env: uvEnv,
    signal,
    onLine,
  });
  const args = ["pip", "install", "--python", join(folder, "bin", "python"), "--requirements", requirements];
  await runInstaller({ command: "uv", args, env: uvEnv, signal, onLine });
}

async function installWithPip({ folder, requirements, python, env, signal, onLine }: Install): Promise<void> {
  await runInstaller({ command: python, args: ["-m", "venv", folder], env, signal, onLine });
  const args = ["-m", "pip", "install", "--progress-bar", "off", "--requirement", requirements];
  await runInstaller({ command: join(folder, "bin", "python"), args, env, signal, onLine });
}

async function megabytesOf(folder: string): Promise<number> {
  const { stdout } = await run("du", ["-sk", folder], { timeout: 60_000 }).catch(() => ({
    stdout: "0",
  }));
  return Math.round(Number.parseInt(stdout, 10) / 1024);
}
