// What a package installer sees of this machine. uv does not read pip's configuration, so pip's own answer about it is
// put into uv's words: the same indexes, wherever the user wrote them down.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { HostEnvironment } from "./interpreters.ts";

const run = promisify(execFile);

const passedNames = new Set([
  "PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TMPDIR", "TZ",
  "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
  "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "NETRC",
  "CC", "CXX", "CFLAGS", "LDFLAGS", "LD_LIBRARY_PATH", "CUDA_HOME", "CUDA_PATH",
]); // prettier-ignore
const passedPrefixes = ["PIP_", "UV_", "XDG_", "GIT_SSL_"];

/** Environment of the installer: what it needs of `host`, no more. */
export function toBuilderEnvironment(host: HostEnvironment): Record<string, string> {
  const passed: Record<string, string> = {};
  for (const [name, value] of Object.entries(host)) {
    if (value === undefined) continue;
    if (passedNames.has(name.toUpperCase()) || passedPrefixes.some((prefix) => name.startsWith(prefix)))
      passed[name] = value;
  }
  return {
    LANG: "C.UTF-8",
    ...passed,
    PYTHONUNBUFFERED: "1",
    PIP_NO_INPUT: "1",
    PIP_DISABLE_PIP_VERSION_CHECK: "1",
  };
}

const uvNames: Readonly<Record<string, string>> = {
  "index-url": "UV_DEFAULT_INDEX",
  "extra-index-url": "UV_INDEX",
  "find-links": "UV_FIND_LINKS",
  "no-index": "UV_NO_INDEX",
  cert: "SSL_CERT_FILE",
};

/** `builder` with pip's configuration (files and `PIP_*`) said in uv's variables; what is set for uv already wins. */
export async function addUvSettings(builder: Record<string, string>, python: string): Promise<Record<string, string>> {
  const options = await readPipFiles(builder, python);
  const settings: Record<string, string> = {};
  for (const [option, name] of Object.entries(uvNames)) {
    const value = builder[`PIP_${option.replaceAll("-", "_").toUpperCase()}`] ?? options[option];
    if (value === undefined) continue;
    settings[name] = value
      .trim()
      .split(/\s+/)
      .join(name === "UV_FIND_LINKS" ? "," : " ");
  }
  // pip looks at all indexes and takes the best version; uv would stop at the first that knows the name.
  return {
    UV_INDEX_STRATEGY: "unsafe-best-match",
    UV_NO_PROGRESS: "1",
    UV_PYTHON_DOWNLOADS: "never",
    ...settings,
    ...builder,
  };
}

/** Options of pip's configuration files, as the Python's own pip or the one on PATH tells them. */
async function readPipFiles(env: Record<string, string>, python: string): Promise<Record<string, string>> {
  const ask = (command: string, ...args: string[]) =>
    run(command, [...args, "config", "list"], { env, timeout: 30_000 });
  const listed = await ask(python, "-m", "pip")
    .catch(() => ask("pip"))
    .catch(() => ({ stdout: "" }));
  const options: Record<string, string> = {};
  for (const line of listed.stdout.split("\n")) {
    const [, option, value] = /^(?:global|install)\.([\w-]+)='(.*)'$/.exec(line) ?? [];
    if (option !== undefined && value !== undefined) options[option] = value.replaceAll("\\n", " ");
  }
  return options;
}
