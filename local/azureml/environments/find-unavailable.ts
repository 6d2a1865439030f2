// Which packages of an environment no index of this machine has for its Python. pip itself is asked for the versions and compares
// them, so wheels, `requires-python` and markers count as they will when the environment is built.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { z } from "zod";

const run = promisify(execFile);

export interface PackageQuestion {
  /** Path of the interpreter that the environment is built with. */
  readonly python: string;
  /** Lines of a requirements file, options among them. */
  readonly requirements: readonly string[];
  /** Environment variables of the installer. */
  readonly env: Readonly<Record<string, string>>;
}

const Missing = z.array(z.object({ requirement: z.string(), versions: z.array(z.string()) }));
type Missing = z.infer<typeof Missing>;

const askingSeconds = 15;
const patienceMs = 30_000;

// pip's commands in one process: to start pip takes longer than to ask it.
const script = String.raw`
import contextlib, io, json, re, shlex, sys, time
from pip._internal.commands import create_command
from pip._vendor.packaging.requirements import Requirement

lines = json.load(sys.stdin)
end = time.monotonic() + float(sys.argv[1])
options = [word for line in lines if line.startswith("-") for word in shlex.split(line)]

def read(line):
    try:
        wanted = Requirement(re.sub(r"\s+(#.*|--\S.*)$", "", line))
    except Exception:
        return None
    return None if wanted.url or (wanted.marker and not wanted.marker.evaluate({"extra": ""})) else wanted

def missing(line, wanted):
    out, err = io.StringIO(), io.StringIO()
    pre = ["--pre"] if wanted.specifier.prereleases else []
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = create_command("index").main(["versions", wanted.name, *pre, *options])
    if re.search(r"Could not fetch|Retrying|connection|timed out", err.getvalue(), re.I):
        return None
    if code != 0:
        is_missing = "No matching distribution found" in err.getvalue()
        return {"requirement": line, "versions": []} if is_missing else None
    found = re.search(r"^Available versions: (.*)$", out.getvalue(), re.M)
    versions = found.group(1).split(", ") if found else []
    if not versions or any(wanted.specifier.contains(version, prereleases=True) for version in versions):
        return None
    return {"requirement": line, "versions": versions}

asked = [(line, read(line)) for line in lines if not line.startswith("-")]
# The pinned ones are the likeliest to be gone.
asked.sort(key=lambda each: -len(str(each[1].specifier)) if each[1] else 0)
found = []
for line, wanted in asked:
    if wanted is None or time.monotonic() > end:
        continue
    gone = missing(line, wanted)
    if gone:
        found.append(gone)
print(json.dumps(found))
`;

/**
 * The requirements that cannot be met, each with the versions that there are, newest first. Empty as well when nothing can be known: a
 * Python without pip, an index that does not answer.
 */
export async function findUnavailable({ python, requirements, env }: PackageQuestion): Promise<Missing> {
  try {
    const asking = run(python, ["-I", "-c", script, String(askingSeconds)], {
      // It is by its retries that pip tells of an index that does not answer.
      env: { ...env, PIP_RETRIES: "1", PIP_DEFAULT_TIMEOUT: "8" },
      timeout: patienceMs,
    });
    asking.child.stdin?.on("error", () => undefined);
    asking.child.stdin?.end(JSON.stringify(requirements));
    const { stdout } = await asking;
    return Missing.parse(JSON.parse(stdout));
  } catch {
    return [];
  }
}
