// Keeps the shape of the house where neither the compiler nor the linter can.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { describe, expect, test } from "vitest";
import { settingNames } from "#shared/settings.ts";
import { bundleOptions } from "../scripts/bundle-options.ts";

const root = join(import.meta.dirname, "..");
const left = new Set(["node_modules", ".git", ".mlpipe", "dist", "fixtures"]);

function filesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    if (left.has(entry.name)) return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

const sources = filesBelow(".").filter((path) => path.endsWith(".ts"));
const text = (path: string) => readFileSync(join(root, path), "utf8");
const main = text("main.ts");

describe("the house", () => {
  test("has every function and activity in main.ts", () => {
    const files = sources.filter((path) => /^functions\/(http|timer|events|activities)\//.test(path));
    const parts = new Set(["functions/http/run-accepted.ts"]);
    const missing = files.filter((path) => !parts.has(path) && !main.includes(`#${path}`));
    expect(files.length).toBeGreaterThan(20);
    expect(missing).toEqual([]);
  });

  test("has a test for every orchestration", () => {
    const names = sources.flatMap(
      (path) => /^orchestrations\/(run-[a-z-]+|collect-[a-z-]+)\.ts$/.exec(path)?.[1] ?? [],
    );
    expect(names).toContain("run-pipeline");
    for (const name of names) expect(sources).toContain(`test/orchestrations/${name}.test.ts`);
  });

  test("names every setting in local.settings.example.json", () => {
    const { Values } = JSON.parse(text("local.settings.example.json")) as { Values: Record<string, string> };
    const hosts = ["FUNCTIONS_WORKER_RUNTIME", "AzureWebJobsStorage"];
    const given = Object.keys(Values).filter((name) => !hosts.includes(name));
    expect(given.toSorted()).toEqual([...settingNames].toSorted());
  });

  test("asks nowhere outside local/ whether it runs locally", () => {
    const asks = /isLocal|NODE_ENV|AZURE_FUNCTIONS_ENVIRONMENT|devstoreaccount1|127\.0\.0\.1|localhost/;
    const app = sources.filter((path) => /^(functions|orchestrations|shared)\//.test(path) || path === "main.ts");
    expect(app.filter((path) => asks.test(text(path)))).toEqual([]);
  });

  test("reads the environment in main.ts alone", () => {
    const app = sources.filter((path) => /^(functions|orchestrations|shared)\//.test(path));
    expect(app.filter((path) => /process\.env\b(?!`)/.test(text(path).replaceAll(/\/\*\*[\s\S]*?\*\//g, "")))).toEqual(
      [],
    );
  });

  test("has no index.ts and no grab-bag", () => {
    expect(sources.filter((path) => /(^|\/)(index|utils?|helpers?)\.ts$/.test(path))).toEqual([]);
  });

  test("bundles into one file under its budget, with one copy of @azure/functions", async () => {
    const result = await build({
      ...bundleOptions,
      absWorkingDir: root,
      metafile: true,
      write: false,
      sourcemap: false,
    });
    const [file] = result.outputFiles;
    if (file === undefined) throw new Error("esbuild made no file");
    expect(file.contents.byteLength).toBeLessThan(3_400_000);
    expect(gzipSync(file.contents).byteLength).toBeLessThan(900_000);
    const inputs = Object.keys(result.metafile.inputs);
    const copies = new Set(inputs.flatMap((path) => /^(.*node_modules\/@azure\/functions)\//.exec(path)?.[1] ?? []));
    expect([...copies]).toHaveLength(1);
    expect(inputs.filter((path) => /^(local|cli|test|bench)\//.test(relative(root, join(root, path))))).toEqual([]);
  });

  test("has every platform's packages in the lock file, so that npm ci works anywhere", () => {
    const { packages } = JSON.parse(text("package-lock.json")) as {
      packages: Record<string, { optionalDependencies?: object }>;
    };
    const names = new Set(Object.keys(packages).map((path) => path.replace(/^.*node_modules\//, "")));
    const wanted = Object.values(packages).flatMap(({ optionalDependencies = {} }) =>
      Object.keys(optionalDependencies),
    );
    expect(wanted.length).toBeGreaterThan(20);
    expect(wanted.filter((name) => !names.has(name))).toEqual([]);
  });

  test("keeps large files out of the repository", () => {
    const large = filesBelow(".").filter(
      (path) => !path.endsWith("package-lock.json") && statSync(join(root, path)).size > 300_000,
    );
    expect(large).toEqual([]);
  });
});
