// Python environments of command jobs: built once per content, kept for ever, shared by every component and stack that
// asks for the same. An environment that names an image only gets a Python with nothing installed.
import { createHash, randomBytes } from "node:crypto";
import { access, mkdir, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isMlpipeError } from "#shared/errors.ts";
import { buildEnvironment } from "./build-environment.ts";
import { toBuilderEnvironment } from "./builder-environment.ts";
import { takeBuildLock } from "./build-lock.ts";
import { parseCondaFile } from "./conda-file.ts";
import type { PythonEnvironment } from "./conda-file.ts";
import { findUnavailable } from "./find-unavailable.ts";
import { findInterpreter } from "./interpreters.ts";
import type { HostEnvironment } from "./interpreters.ts";

interface EnvironmentRequest {
  /** Text of the conda file, YAML or JSON. */
  readonly condaFile?: string;
}

interface PreparedEnvironment {
  /** Folder with `python`, to stand first on PATH. */
  readonly binFolder: string;
}

export interface Environments {
  /**
   * The environment, built when it is not there yet. `onProgress` gets the installer's lines.
   * @throws EnvironmentFailure when it cannot be built; the next call tries again.
   */
  prepare(environment: EnvironmentRequest, onProgress: (line: string) => void): Promise<PreparedEnvironment>;
  /** Why it can never be built on this machine, in a sentence; undefined when it is there or nothing is known against it. */
  findFault(environment: EnvironmentRequest): Promise<string | undefined>;
  /** Ends builds in hand. */
  stop(): Promise<void>;
}

export interface EnvironmentsOptions {
  readonly cacheFolder: string;
  readonly log: (level: "debug" | "info" | "warn" | "error", fields: Record<string, unknown>, text: string) => void;
  /** Environment variables of this machine's user (PATH, PIP_*, UV_*, proxies); `process.env` when absent. */
  readonly host?: HostEnvironment;
  /** Longest build; 3600 when absent. */
  readonly buildTimeoutSeconds?: number;
}

/** The environment cannot be built; the message ends with the installer's last lines. */
export class EnvironmentFailure extends Error {
  readonly code = "ImageBuildFailure";
}

interface Build {
  readonly result: Promise<PreparedEnvironment>;
  readonly listeners: Set<(line: string) => void>;
}

const nothingInstalled: PythonEnvironment = {
  python: undefined,
  wantsPip: false,
  requirements: [],
  fromConda: [],
};

export function createEnvironments(options: EnvironmentsOptions): Environments {
  const { log, host = process.env, buildTimeoutSeconds = 3600 } = options;
  const root = join(options.cacheFolder, "environments");
  const builds = new Map<string, Build>();
  const hashes = new Map<string, { hash: string; wanted: PythonEnvironment }>();
  const stopping = new AbortController();

  async function prepare(
    environment: EnvironmentRequest,
    onProgress: (line: string) => void,
  ): Promise<PreparedEnvironment> {
    const { hash, wanted } = identify(environment);
    let build = builds.get(hash);
    if (build === undefined) {
      const listeners = new Set<(line: string) => void>();
      const tell = (line: string) => {
        for (const listener of listeners) listener(line);
      };
      build = { listeners, result: findOrBuild(hash, wanted, tell) };
      builds.set(hash, build);
      build.result.catch(() => builds.delete(hash));
    }
    build.listeners.add(onProgress);
    try {
      const prepared = await build.result;
      if (await isWhole(prepared.binFolder)) return prepared;
    } finally {
      build.listeners.delete(onProgress);
    }
    // Somebody emptied the cache, or the Python under it is gone.
    if (builds.get(hash) === build) builds.delete(hash);
    return prepare(environment, onProgress);
  }

  function identify(environment: EnvironmentRequest): { hash: string; wanted: PythonEnvironment } {
    const key = environment.condaFile ?? "";
    const known = hashes.get(key);
    if (known !== undefined) return known;
    const wanted = toPythonEnvironment(environment);
    const { python, wantsPip, requirements } = wanted;
    const hash = createHash("sha256")
      .update(JSON.stringify([1, python, wantsPip, requirements]))
      .digest("hex")
      .slice(0, 20);
    hashes.set(key, { hash, wanted });
    return { hash, wanted };
  }

  async function findOrBuild(
    hash: string,
    wanted: PythonEnvironment,
    tell: (line: string) => void,
  ): Promise<PreparedEnvironment> {
    const published = join(root, hash);
    const found = await findPublished(published);
    if (found !== undefined) return found;
    await mkdir(root, { recursive: true });
    const folder = join(root, `${hash}.${randomBytes(4).toString("hex")}`);
    const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(buildTimeoutSeconds * 1000)]);
    const release = await takeBuildLock({
      path: join(root, `${hash}.lock`),
      folder,
      signal,
      onWait: (pid) => tell(`Waiting for the same environment, which process ${pid} builds`),
      isDone: async () => (await findPublished(published)) !== undefined,
    });
    try {
      const meanwhile = await findPublished(published);
      if (meanwhile !== undefined) return meanwhile;
      const startedAt = Date.now();
      log("info", { environment: hash, packages: wanted.requirements.length }, "environment build started");
      await buildEnvironment({ folder, wanted, host, signal, onLine: tell });
      await writeFile(join(folder, "environment.json"), JSON.stringify(wanted, undefined, 2), { mode: 0o600 });
      await publish(folder, published);
      log("info", { environment: hash, seconds: Math.round((Date.now() - startedAt) / 1000) }, "environment built");
      return (await findPublished(published)) ?? fail("The environment vanished while it was built");
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      log("warn", { environment: hash }, "environment build failed");
      throw error;
    } finally {
      await release?.();
    }
  }

  async function findFault(environment: EnvironmentRequest): Promise<string | undefined> {
    const { hash, wanted } = identify(environment);
    if ((await findPublished(join(root, hash))) !== undefined) return undefined;
    const { path: python, version } = await findInterpreter(wanted.python, host);
    const { requirements } = wanted;
    if (requirements.length === 0) return undefined;
    const missing = await findUnavailable({ python, requirements, env: toBuilderEnvironment(host) });
    if (missing.length === 0) return undefined;
    const told = missing.map(({ requirement, versions }) => `\`${requirement}\`${toldVersions(versions)}`);
    return `no package index of this machine has ${told.join(", ")} for Python ${version}`;
  }

  return {
    async findFault(environment) {
      try {
        return await findFault(environment);
      } catch (error) {
        if (isMlpipeError(error)) return error.message;
        throw error;
      }
    },

    async prepare(environment, onProgress) {
      try {
        return await prepare(environment, onProgress);
      } catch (cause) {
        if (cause instanceof EnvironmentFailure) throw cause;
        const reason =
          cause instanceof Error && cause.name === "TimeoutError"
            ? `not built within ${buildTimeoutSeconds} s`
            : String(cause instanceof Error ? cause.message : cause);
        throw new EnvironmentFailure(
          isMlpipeError(cause) ? reason : `The Python environment could not be built:\n${reason}`,
          { cause },
        );
      }
    },
    async stop() {
      stopping.abort();
      await Promise.allSettled([...builds.values()].map((build) => build.result));
    },
  };
}

function toldVersions(versions: readonly string[]): string {
  const [newest, oldest] = [versions[0], versions.at(-1)];
  if (newest === undefined) return "";
  return newest === oldest ? ` (there is ${newest})` : ` (there are ${oldest} to ${newest})`;
}

function fail(message: string): never {
  throw new EnvironmentFailure(message);
}

function toPythonEnvironment({ condaFile }: EnvironmentRequest): PythonEnvironment {
  return condaFile === undefined || condaFile.trim() === "" ? nothingInstalled : parseCondaFile(condaFile);
}

/** A folder is published by a link with the hash's name: venvs cannot be moved, their scripts hold their own path. */
async function publish(folder: string, published: string): Promise<void> {
  await rm(published, { force: true });
  await symlink(folder, published);
}

async function findPublished(published: string): Promise<PreparedEnvironment | undefined> {
  const folder = await readlink(published).catch(() => undefined);
  if (folder === undefined) return undefined;
  const binFolder = join(folder, "bin");
  return (await isWhole(binFolder)) ? { binFolder } : undefined;
}

async function isWhole(binFolder: string): Promise<boolean> {
  return access(join(binFolder, "python")).then(
    () => true,
    () => false,
  );
}
