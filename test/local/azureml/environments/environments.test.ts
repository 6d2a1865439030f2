import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createEnvironments } from "#local/azureml/environments/environments.ts";
import { findInterpreter } from "#local/azureml/environments/interpreters.ts";

const run = promisify(execFile);
const quiet = () => undefined;
let root: string;
let index: string;
let withoutUv: Record<string, string | undefined>;

/** A find-links folder with one source-free wheel, so that no registry is asked. */
async function writeWheel(folder: string, name: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const script = `
import sys, zipfile
name, folder = sys.argv[1:]
info = f"{name}-1.0.dist-info"
with zipfile.ZipFile(f"{folder}/{name}-1.0-py3-none-any.whl", "w") as wheel:
    wheel.writestr(f"{name}.py", "answer = 42\\ndef main(): print(answer)\\n")
    wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\\nName: {name}\\nVersion: 1.0\\n")
    wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    wheel.writestr(f"{info}/entry_points.txt", f"[console_scripts]\\n{name}-tool = {name}:main\\n")
    wheel.writestr(f"{info}/RECORD", "")
`;
  await run("python3", ["-c", script, name, folder]);
}

function condaFile(...pip: string[]): string {
  return JSON.stringify({
    dependencies: ["pip", { pip: ["--no-index", `--find-links ${index}`, ...pip] }],
  });
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "mlpipe-environments-"));
  index = join(root, "index");
  await writeWheel(index, "tinything");
  // A PATH with nothing but what is linked here proves which installer ran.
  withoutUv = { ...process.env, PATH: await pathWithout("uv") };
});

afterAll(() => rm(root, { recursive: true, force: true }));

async function pathWithout(program: string): Promise<string> {
  const folders = (process.env["PATH"] ?? "").split(":");
  const clean = await Promise.all(
    folders.map(async (folder) =>
      (await readdir(folder).catch((): string[] => [])).includes(program) ? [] : [folder],
    ),
  );
  return clean.flat().join(":");
}

// Installers take seconds, and more on a busy machine.
describe("environments", { timeout: 180_000 }, () => {
  test("a conda file is built once, and a second stack on the same cache finds it", async () => {
    const options = { cacheFolder: join(root, "once"), log: quiet, host: withoutUv };
    const lines: string[] = [];
    const first = await createEnvironments(options).prepare({ condaFile: condaFile("tinything") }, (line) =>
      lines.push(line),
    );
    expect(lines.join("\n")).toMatch(/Python 3\.\d+.*\n[^]*tinything[^]*Environment ready: .* MB, \d+ s/);
    expect((await run(join(first.binFolder, "tinything-tool"))).stdout).toBe("42\n");

    const again: string[] = [];
    const second = await createEnvironments(options).prepare({ condaFile: condaFile("tinything") }, (line) =>
      again.push(line),
    );
    expect(second).toEqual(first);
    expect(again).toEqual([]);
  });

  test("two stacks that want the same at once build it once", async () => {
    const options = { cacheFolder: join(root, "both"), log: quiet, host: withoutUv };
    const told: string[] = [];
    const [one, two] = await Promise.all(
      [createEnvironments(options), createEnvironments(options)].map((stack) =>
        stack.prepare({ condaFile: condaFile("tinything") }, (line) => told.push(line)),
      ),
    );
    expect(one).toEqual(two);
    expect(told.filter((line) => line.startsWith("Environment ready"))).toHaveLength(1);
    expect(told).toContainEqual(expect.stringMatching(/^Waiting for the same environment, which process \d+ builds$/));
  });

  test("the lock of a builder that died is taken over, and its half-built folder goes", async () => {
    const cacheFolder = join(root, "dead");
    const prepared = await createEnvironments({ cacheFolder, log: quiet, host: withoutUv }).prepare({}, quiet);
    const environments = join(cacheFolder, "environments");
    const hash = (await readdir(environments)).find((name) => !name.includes(".")) ?? "";
    await rm(join(environments, hash));
    await rm(join(prepared.binFolder, ".."), { recursive: true });
    const halfBuilt = join(environments, `${hash}.gone`);
    await mkdir(halfBuilt);
    await writeFile(
      join(environments, `${hash}.lock`),
      JSON.stringify({ pid: process.pid, startTime: "1", folder: halfBuilt }),
    );

    const rebuilt = await createEnvironments({ cacheFolder, log: quiet, host: withoutUv }).prepare({}, quiet);
    expect((await run(join(rebuilt.binFolder, "python"), ["-c", "print(1)"])).stdout).toBe("1\n");
    expect((await readdir(environments)).filter((name) => /\.(lock|gone|dead)$/.test(name))).toEqual([]);
  });

  test("a failed build tells the installer's last lines, leaves nothing and is tried again", async () => {
    const cacheFolder = join(root, "failed");
    const environments = createEnvironments({ cacheFolder, log: quiet, host: withoutUv });
    const wanted = { condaFile: condaFile("tinything", "laterthing") };
    await expect(environments.prepare(wanted, quiet)).rejects.toMatchObject({
      code: "ImageBuildFailure",
      message: expect.stringContaining("No matching distribution found for laterthing"),
    });
    expect(await readdir(join(cacheFolder, "environments"))).toEqual([]);
    await writeWheel(index, "laterthing");
    await expect(environments.prepare(wanted, quiet)).resolves.toBeDefined();
  });

  test("a cache that was emptied under a running stack is built anew", async () => {
    const cacheFolder = join(root, "emptied");
    const environments = createEnvironments({ cacheFolder, log: quiet, host: withoutUv });
    await environments.prepare({}, quiet);
    await rm(cacheFolder, { recursive: true });
    const { binFolder } = await environments.prepare({}, quiet);
    expect(await readdir(binFolder)).toContain("python");
  });

  test("a conda file that pip cannot build fails with what to write instead", async () => {
    const environments = createEnvironments({
      cacheFolder: join(root, "bad"),
      log: quiet,
      host: withoutUv,
    });
    await expect(environments.prepare({ condaFile: "dependencies: [pytorch]" }, quiet)).rejects.toMatchObject({
      code: "ImageBuildFailure",
      message: expect.stringContaining("list `torch` under `pip`"),
    });
  });

  test("what no index has for its Python is known before anything is built", async () => {
    const cacheFolder = join(root, "known");
    const environments = createEnvironments({ cacheFolder, log: quiet, host: withoutUv });
    const fault = (...pip: string[]) => environments.findFault({ condaFile: condaFile(...pip) });
    expect(await fault("tinything")).toBeUndefined();
    expect(await fault("tinything>=1,<2", 'tinything==9; python_version < "3"')).toBeUndefined();
    expect(await fault("tinything~=2.0", "nobodys-thing")).toMatch(
      /^no package index of this machine has `tinything~=2\.0` \(there is 1\.0\), `nobodys-thing` for Python 3\.\d+\.\d+$/,
    );
    await expect(readdir(cacheFolder)).rejects.toThrow("ENOENT");
  });

  test("nothing is held against an environment by an index that does not answer", async () => {
    const host = {
      ...withoutUv,
      PIP_INDEX_URL: "http://127.0.0.1:9/simple",
      PIP_EXTRA_INDEX_URL: "",
      PIP_CONFIG_FILE: "/dev/null",
    };
    const environments = createEnvironments({ cacheFolder: join(root, "silent"), log: quiet, host });
    expect(await environments.findFault({ condaFile: "dependencies: [pip, {pip: [tinything==9]}]" })).toBeUndefined();
  });

  test.each([
    ["dependencies: [python=2.7]", "Python 2.7 cannot be had"],
    ["dependencies: [pytorch]", "list `torch` under `pip`"],
    ["dependencies: {}", "`dependencies` is not a list"],
  ])("%s is known to be wrong", async (text, expected) => {
    const environments = createEnvironments({ cacheFolder: join(root, "wrong"), log: quiet, host: withoutUv });
    expect(await environments.findFault({ condaFile: text })).toContain(expected);
  });

  test("stopping ends a build in hand", async () => {
    const environments = createEnvironments({
      cacheFolder: join(root, "stopped"),
      log: quiet,
      host: withoutUv,
    });
    const building = environments.prepare({ condaFile: condaFile("tinything") }, quiet);
    await Promise.all([expect(building).rejects.toMatchObject({ code: "ImageBuildFailure" }), environments.stop()]);
  });

  test("uv builds the same environment, with the indexes pip is configured for", async ({ skip }) => {
    const uvFolder = await findUv();
    if (uvFolder === undefined) return skip("uv is not on PATH");
    const host = {
      ...withoutUv,
      PATH: `${uvFolder}:${withoutUv["PATH"]}`,
      PIP_FIND_LINKS: index,
      PIP_NO_INDEX: "1",
    };
    const environments = createEnvironments({ cacheFolder: join(root, "uv"), log: quiet, host });
    const lines: string[] = [];
    const { binFolder } = await environments.prepare(
      { condaFile: JSON.stringify({ dependencies: [{ pip: ["tinything"] }] }) },
      (line) => lines.push(line),
    );
    expect((await run(join(binFolder, "tinything-tool"))).stdout).toBe("42\n");
    expect(lines.join("\n")).toMatch(/Resolved 1 package/);
  });
});

async function findUv(): Promise<string | undefined> {
  for (const folder of (process.env["PATH"] ?? "").split(":")) {
    if ((await readdir(folder).catch((): string[] => [])).includes("uv")) return folder;
  }
  return undefined;
}

describe("interpreters", () => {
  test("a shim that refuses to run is no Python, and the nearest newer one is used and named", async () => {
    const bin = join(root, "bin");
    await mkdir(bin, { recursive: true });
    const { path, version, minor } = await findInterpreter(undefined, process.env);
    await writeFile(join(bin, `python3.${minor}`), `#!/bin/sh\nexec "${path}" "$@"\n`, { mode: 0o755 });
    await writeFile(join(bin, `python3.${minor - 1}`), "#!/bin/sh\nexit 127\n", { mode: 0o755 });
    const found = await findInterpreter(`3.${minor - 1}`, { PATH: bin, PYENV_ROOT: join(root, "none") });
    expect(found).toEqual({
      path,
      version,
      minor,
      note: `Python 3.${minor - 1} is not on this machine: Python ${version} is used`,
    });
  });

  test("a Python that is nowhere on the machine is asked for by name", async () => {
    await expect(findInterpreter("3.99", process.env)).rejects.toThrow(
      /Python 3\.99 or newer is not on this machine \(python3 is 3\.\d+\.\d+\)/,
    );
  });
});
