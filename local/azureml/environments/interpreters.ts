// Finds a Python on this machine. A name on PATH proves nothing (version managers put shims there that refuse to run),
// so every candidate is asked who it is.
import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { MlpipeError } from "#shared/errors.ts";

const run = promisify(execFile);
const newestMinor = 15;

interface Interpreter {
  readonly path: string;
  /** `3.11.7`. */
  readonly version: string;
  readonly minor: number;
}

export interface FoundInterpreter extends Interpreter {
  /** Why this one, when it is not the one asked for. */
  readonly note: string | undefined;
}

export type HostEnvironment = Readonly<Record<string, string | undefined>>;

/**
 * The interpreter for `wanted` (`3.10`; any when undefined): that minor version, else the nearest newer one.
 * @throws MlpipeError `Unavailable` when there is no such Python on the machine.
 */
export async function findInterpreter(wanted: string | undefined, host: HostEnvironment): Promise<FoundInterpreter> {
  if (wanted === undefined) {
    for (const name of ["python3", "python"]) {
      const found = await ask(name, host);
      if (found !== undefined) return { ...found, note: undefined };
    }
  }
  const least = wanted === undefined ? 9 : Number(wanted.split(".")[1] ?? Number.NaN);
  if (Number.isNaN(least) || (wanted !== undefined && !wanted.startsWith("3.")))
    throw new MlpipeError("Unavailable", `Python ${wanted} cannot be had: ask for a Python 3`);
  for (let minor = least; minor <= Math.max(newestMinor, least); minor += 1) {
    for (const candidate of [`python3.${minor}`, ...(await versionManaged(minor, host))]) {
      const found = await ask(candidate, host);
      if (found?.minor !== minor) continue;
      const note =
        minor === least ? undefined : `Python ${wanted} is not on this machine: Python ${found.version} is used`;
      return { ...found, note };
    }
  }
  const fallback = await ask("python3", host);
  if (fallback !== undefined && fallback.minor >= least) return { ...fallback, note: undefined };
  throw new MlpipeError(
    "Unavailable",
    `Python ${wanted ?? "3"} or newer is not on this machine${fallback === undefined ? "" : ` (python3 is ${fallback.version})`}: install it and put it on PATH`,
  );
}

async function ask(candidate: string, host: HostEnvironment): Promise<Interpreter | undefined> {
  const question = "import sys, venv; print(sys.executable); print('%d.%d.%d' % sys.version_info[:3])";
  try {
    const { stdout } = await run(candidate, ["-I", "-c", question], {
      timeout: 20_000,
      env: { ...host },
    });
    const [path, version] = stdout.trim().split("\n");
    if (path === undefined || version === undefined || !version.startsWith("3.")) return undefined;
    return { path, version, minor: Number(version.split(".")[1]) };
  } catch {
    // Absent, a shim without its version, or a Python without venv: no candidate.
    return undefined;
  }
}

/** Interpreters that pyenv keeps off PATH. */
async function versionManaged(minor: number, host: HostEnvironment): Promise<string[]> {
  const root = host["PYENV_ROOT"] ?? join(host["HOME"] ?? "/", ".pyenv");
  const versions = await readdir(join(root, "versions")).catch(() => []);
  return versions
    .filter((version) => version.startsWith(`3.${minor}.`))
    .toReversed()
    .map((version) => join(root, "versions", version, "bin", "python3"));
}
