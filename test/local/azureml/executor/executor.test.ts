import { readFile, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Executor, JobPhase } from "#local/azureml/executor/contract.ts";
import { createExecutor } from "#local/azureml/executor/executor.ts";
import { startTimeOf } from "#local/azureml/executor/process-table.ts";
import { input, job, makeFolder, output, store } from "./job-fixture.ts";
import { startBlobStore } from "./start-blob-store.ts";
import type { BlobStore } from "./start-blob-store.ts";

const quiet = () => undefined;
let folder: Awaited<ReturnType<typeof makeFolder>>;
let blobs: BlobStore;
let executor: Executor;

beforeAll(async () => {
  [folder, blobs] = await Promise.all([makeFolder(), startBlobStore()]);
  executor = createExecutor({
    stateFolder: join(folder.path, "state"),
    cacheFolder: join(folder.path, "cache"),
    datastores: blobs.datastores,
    log: quiet,
    fetchInput: (url) =>
      Promise.resolve(url.endsWith("/gone") ? new Response("", { status: 404 }) : new Response(`from ${url}`)),
  });
});

afterAll(async () => {
  await executor.stop();
  await blobs.stop();
  await folder.remove();
});

const log = (jobName: string) =>
  blobs.read(`ExperimentRun/dcid.${jobName}/user_logs/std_log.txt`, "workspaceartifactstore");

describe("a job that ends", () => {
  test("goes through its phases, and its output and error text is the log", async () => {
    const execution = job("echo out; echo err >&2; pwd");
    const phases: JobPhase[] = [];
    expect(await executor.run(execution, (phase) => phases.push(phase))).toEqual({ status: "Completed", exitCode: 0 });
    expect(phases).toEqual(["Preparing", "Running", "Finalizing"]);
    expect(await log(execution.jobName)).toMatch(/^out\nerr\n\/.*\/exe\/wd\n$/);
  });

  test("asks nothing of the storage when it has no data and says nothing", async () => {
    const before = blobs.requests.length;
    await executor.run(job("true"), quiet);
    expect(blobs.requests.slice(before)).toEqual([]);
  });

  test("fails with its exit code and the log's last lines, and its outputs are kept", async () => {
    const execution = job("for i in $(seq 30); do echo line $i; done; echo half > ${{outputs.o}}/x; exit 3", {
      outputs: { o: output("uri_folder", "failed/o") },
    });
    const end = await executor.run(execution, quiet);
    expect(end).toMatchObject({ status: "Failed", exitCode: 3, code: "UserError" });
    expect(end).toHaveProperty(
      "message",
      expect.stringMatching(/exited with status code 3\..*user_logs\/std_log\.txt[^]*\nline 11\n[^]*line 30$/),
    );
    expect(await blobs.read("failed/o/x")).toBe("half\n");
  });

  test("runs every construct of bash", async () => {
    const execution = job("A=1 && (echo $A; echo two) | tee ./outputs/x > /dev/null\ncat <<EOF; exit 0\nheredoc\nEOF");
    expect(await executor.run(execution, quiet)).toMatchObject({ status: "Completed" });
    expect(await log(execution.jobName)).toBe("heredoc\n");
    expect(await blobs.read(`ExperimentRun/dcid.${execution.jobName}/outputs/x`, "workspaceartifactstore")).toBe(
      "1\ntwo\n",
    );
  });

  test("a process it left in the background is gone", async () => {
    const execution = job("sleep 1000 & echo $!");
    await executor.run(execution, quiet);
    const pid = Number(await log(execution.jobName));
    expect(pid).toBeGreaterThan(1);
    expect(await startTimeOf(pid)).toBeUndefined();
  });

  test("what a reader behind the command still writes is kept", async () => {
    const execution = job("exec > >(sleep 0.1; cat); echo late");
    await executor.run(execution, quiet);
    expect(await log(execution.jobName)).toBe("late\n");
  });
});

describe("variables", () => {
  test("are the service's, the job's, the data's places, and nothing else of this process", async () => {
    process.env["MLPIPE_TEST_SECRET"] = "x";
    await blobs.put("vars/in.txt", "1");
    const execution = job("env -0 > ./outputs/env", {
      serviceEnvironment: { AZUREML_RUN_ID: "r", A: "service" },
      environmentVariables: { A: "job", B: "two words" },
      inputs: {
        file: input("uri_file", "vars/in.txt"),
        direct: input("uri_folder", "vars/", "Direct"),
        number: { type: "literal", value: "1" },
      },
      outputs: { model: output("uri_folder", "vars/model") },
      distribution: { distributionType: "PyTorch", processCountPerInstance: 1 },
    });
    await executor.run(execution, quiet);
    const text = await blobs.read(`ExperimentRun/dcid.${execution.jobName}/outputs/env`, "workspaceartifactstore");
    const variables = Object.fromEntries(
      text.split("\0").map((line) => [line.split("=")[0], line.slice(line.indexOf("=") + 1)]),
    );
    expect(variables).toMatchObject({
      AZUREML_RUN_ID: "r",
      A: "job",
      B: "two words",
      LANG: "C.UTF-8",
      PYTHONUNBUFFERED: "1",
      AZURE_ML_INPUT_file: expect.stringMatching(/\/INPUT_file\/in\.txt$/),
      AZURE_ML_INPUT_direct: store("vars/"),
      AZURE_ML_OUTPUT_model: expect.stringMatching(/\/model$/),
      MASTER_ADDR: "127.0.0.1",
      WORLD_SIZE: "1",
      RANK: "0",
      PATH: expect.stringMatching(/^\/.*\/cache\/environments\/[^:]*\/bin:/),
    });
    expect(variables).not.toHaveProperty("MLPIPE_TEST_SECRET");
    expect(variables).not.toHaveProperty("AZURE_ML_INPUT_number");
    expect(variables).not.toHaveProperty("VITEST");
  });

  test("python is the environment's own", async () => {
    const execution = job("python -c 'import sys; print(sys.prefix)'");
    await executor.run(execution, quiet);
    expect(await log(execution.jobName)).toContain(join(folder.path, "cache", "environments"));
  });
});

describe("inputs", () => {
  beforeAll(async () => {
    await blobs.put("in/a file.txt", "spaced");
    await blobs.put("in/sub/ünï.txt", "unicode");
    await blobs.put("in/empty", "");
  });

  test("a folder keeps its names, a file is itself, a literal is pasted, and Direct is the URI", async () => {
    const execution = job(
      'cd ${{inputs.dir}} && find . -type f | sort && cat sub/* "${{ inputs.file }}"; echo; echo ${{inputs.n}} ${{inputs.uri}}',
      {
        inputs: {
          dir: input("uri_folder", "in"),
          file: input("uri_file", "in/a file.txt", "Download"),
          n: { type: "literal", value: "$((1+1))" },
          uri: input("uri_folder", "in/", "Direct"),
        },
      },
    );
    expect(await executor.run(execution, quiet)).toMatchObject({ status: "Completed" });
    expect(await log(execution.jobName)).toBe(
      `./a file.txt\n./empty\n./sub/ünï.txt\nunicodespaced\n2 ${store("in/")}\n`,
    );
  });

  test("a mount is read-only and shared with the cache, a download is the job's own", async () => {
    await blobs.put("mode/x", "as it was");
    const inputs = { m: input("uri_file", "mode/x"), d: input("uri_file", "mode/x", "Download") };
    const execution = job('stat -c %a "${{inputs.m}}" "${{inputs.d}}"; echo more >> ${{inputs.d}}', { inputs });
    await executor.run(execution, quiet);
    expect(await log(execution.jobName)).toBe("444\n644\n");
    const next = job("cat ${{inputs.m}}", { inputs });
    await executor.run(next, quiet);
    expect(await log(next.jobName)).toBe("as it was");
  });

  test("a cached file that was written through is fetched anew", async () => {
    await blobs.put("through/x", "true");
    const inputs = { m: input("uri_file", "through/x") };
    await executor.run(job("chmod +w ${{inputs.m}}; echo lie > ${{inputs.m}}", { inputs }), quiet);
    const next = job("cat ${{inputs.m}}", { inputs });
    await executor.run(next, quiet);
    expect(await log(next.jobName)).toBe("true");
  });

  test("a blob that changed is fetched anew, one that did not is not", async () => {
    await blobs.put("change/x", "1");
    const execution = () => job("cat ${{inputs.x}}", { inputs: { x: input("uri_file", "change/x") } });
    await executor.run(execution(), quiet);
    await executor.run(execution(), quiet);
    expect(blobs.requests.filter((request) => request === "GET workspaceblobstore/change/x")).toHaveLength(1);
    await blobs.put("change/x", "2");
    const last = execution();
    await executor.run(last, quiet);
    expect(await log(last.jobName)).toBe("2");
  });

  test("an https file outside the datastores is fetched", async () => {
    const execution = job('cat "${{inputs.x}}"', {
      inputs: { x: { type: "uri_file", uri: "https://files.example/a%20b.csv?sig=secret" } },
    });
    await executor.run(execution, quiet);
    expect(await log(execution.jobName)).toBe("from https://files.example/a%20b.csv?sig=secret");
  });

  test.each([
    [
      "a file that is not there",
      input("uri_file", "in/none"),
      /^Input `x` \(azureml:.*in\/none\): not found, there is nothing at this place$/,
    ],
    [
      "a folder that is not there",
      input("uri_folder", "none"),
      /^Input `x` \(azureml:.*\/none\): not found, there is no blob below this folder$/,
    ],
    ["a file declared as a folder", input("uri_folder", "in/empty"), /declare it as uri_file$/],
    ["a folder declared as a file", input("uri_file", "in/"), /must name one blob/],
    [
      "an unknown datastore",
      { type: "uri_folder", uri: "azureml://datastores/none/paths/x" },
      /^Input `x` \(azureml:.*\): no datastore none$/,
    ],
    [
      "a URL that answers 404",
      { type: "uri_file", uri: "https://files.example/gone?sig=secret/gone" },
      /^Input `x` \(https:\/\/files\.example\/gone\): the server answered 404$/,
    ],
  ])("%s fails the job before it starts, naming input and URI", async (_title, x, message) => {
    const phases: JobPhase[] = [];
    const end = await executor.run(job("true", { inputs: { x } }), (phase) => phases.push(phase));
    expect(end).toMatchObject({ status: "Failed", code: "DataAccess", message: expect.stringMatching(message) });
    expect(phases).toEqual(["Preparing"]);
  });

  test("a name that climbs out of its folder is refused", async () => {
    await blobs.put("evil/../../../../../../../tmp/x", "x").catch(() => undefined);
    await blobs.put("evil/a//b", "x");
    const end = await executor.run(job("true", { inputs: { x: input("uri_folder", "evil") } }), quiet);
    expect(end).toMatchObject({ code: "DataAccess", message: expect.stringContaining("cannot be a file's name") });
  });

  test("an expression for something the job does not have fails it", async () => {
    expect(await executor.run(job("echo ${{inputs.nope}}"), quiet)).toMatchObject({
      status: "Failed",
      code: "UserError",
      message: expect.stringContaining("nope"),
    });
  });
});

describe("code", () => {
  test("lies in the work folder, executable, a copy of its own, fetched once", async () => {
    await blobs.put("code/h/run.sh", "#!/bin/bash\necho ran; echo changed > lib/data.txt");
    await blobs.put("code/h/lib/data.txt", "data");
    const code = { uri: `http://127.0.0.1:${blobs.port}/devstoreaccount1/blobstore/code/h` };
    const execution = () => job("cat lib/data.txt; ./run.sh", { code });
    await executor.run(execution(), quiet);
    const second = execution();
    await executor.run(second, quiet);
    expect(await log(second.jobName)).toBe("dataran\n");
    expect(blobs.requests.filter((request) => request === "GET workspaceblobstore/code/h/run.sh")).toHaveLength(1);
  });

  test("that is not there fails the job", async () => {
    expect(await executor.run(job("true", { code: { uri: store("code/none") } }), quiet)).toMatchObject({
      code: "DataAccess",
      message: expect.stringMatching(/^Code \(.*code\/none\): /),
    });
  });
});

describe("outputs", () => {
  test("each file's content is known to the store by its hash, whether it came whole or in blocks", async () => {
    const sizes = [0, 5, 3_000_000, 20_000_000];
    const commands = sizes.map((size) => `head -c ${size} /dev/urandom > \${{outputs.o}}/${size}`);
    const sums = "cd ${{outputs.o}} && md5sum *";
    const execution = job([...commands, sums].join("\n"), { outputs: { o: output("uri_folder", "hashed/") } });
    expect(await executor.run(execution, quiet)).toMatchObject({ status: "Completed" });
    const container = blobs.datastores.client("workspaceblobstore");
    const lines = await Promise.all(
      sizes.map(async (size) => {
        const { contentMD5 = [] } = await container.getBlobClient(`hashed/${size}`).getProperties();
        return `${Buffer.from(contentMD5).toString("hex")}  ${size}`;
      }),
    );
    expect((await log(execution.jobName)).trim().split("\n").toSorted()).toEqual(lines.toSorted());
  });

  test("the file written last is committed last, after every other output and the artifacts", async () => {
    const command = `
trap 'printf "{}" > \${{outputs.ended}}' EXIT
mkdir -p "\${{outputs.data}}/sub dir"
for i in 1 2 3 4 5 6 7 8 9 10; do echo $i > "\${{outputs.data}}/sub dir/ünï $i.csv"; done
head -c 20000000 /dev/zero > \${{outputs.data}}/big
echo x > outputs/artifact; echo y > logs/own.log
touch -d "2099-01-01" \${{outputs.data}}/future
echo done`;
    const execution = job(command, {
      outputs: { ended: output("uri_file", "last/.ended.json"), data: output("uri_folder", "last/data/", "Upload") },
    });
    const before = blobs.requests.length;
    expect(await executor.run(execution, quiet)).toMatchObject({ status: "Completed" });
    const puts = blobs.requests
      .slice(before)
      .filter((request) => request.startsWith("PUT ") && !request.includes("user_logs"));
    expect(puts.at(-1)).toBe("PUT workspaceblobstore/last/.ended.json");
    expect(puts.filter((request) => request === "PUT workspaceblobstore/last/.ended.json")).toHaveLength(1);
    expect(puts).toContain("PUT workspaceblobstore/last/data/big blocklist");
    expect(puts).toContain(`PUT workspaceartifactstore/ExperimentRun/dcid.${execution.jobName}/logs/own.log`);
    expect(await blobs.list("last/data/")).toEqual(expect.arrayContaining(["sub dir/ünï 10.csv", "big", "future"]));
    expect(await log(execution.jobName)).toBe("done\n");
  });

  test("what one job wrote is not downloaded for the next", async () => {
    await executor.run(
      job("echo model > ${{outputs.o}}/m", { outputs: { o: output("uri_folder", "chain/o") } }),
      quiet,
    );
    const next = job("cat ${{inputs.i}}/m", { inputs: { i: input("uri_folder", "chain/o") } });
    await executor.run(next, quiet);
    expect(await log(next.jobName)).toBe("model\n");
    expect(blobs.requests).not.toContain("GET workspaceblobstore/chain/o/m");
  });

  test("a file output keeps the ending of its URI, and Direct is left to the program", async () => {
    const execution = job("echo ${{outputs.d}}; echo ${{outputs.f}} | grep -o '[^/]*$'; echo 1 > ${{outputs.f}}", {
      outputs: { f: output("uri_file", "single/model.keras"), d: output("uri_folder", "single/direct/", "Direct") },
    });
    await executor.run(execution, quiet);
    expect(await log(execution.jobName)).toBe(`${store("single/direct/")}\nmodel.keras\n`);
    expect(await blobs.read("single/model.keras")).toBe("1\n");
  });

  test("links to files are followed, pipes and links to folders are not", async () => {
    const execution = job("cd ${{outputs.o}}; echo 1 > a; ln -s a b; mkfifo p; ln -s / root; ln -s gone dangling", {
      outputs: { o: output("uri_folder", "links") },
    });
    expect(await executor.run(execution, quiet)).toMatchObject({ status: "Completed" });
    expect(await blobs.list("links/")).toEqual(["a", "b"]);
  });

  test("that cannot be written fail the job, naming the output", async () => {
    const outputs = { o: { type: "uri_folder", uri: "azureml://datastores/none/paths/x", mode: "Upload" } };
    expect(await executor.run(job("echo 1 > ${{outputs.o}}/x", { outputs }), quiet)).toMatchObject({
      status: "Failed",
      code: "DataAccess",
      message: "Output `o` (azureml://datastores/none/paths/x): no datastore none",
    });
  });
});

describe("environment", () => {
  test("that cannot be built fails the job with the installer's last lines, and the build's log is kept", async () => {
    const condaFile = JSON.stringify({ dependencies: [{ pip: ["--no-index", "no-such-thing"] }] });
    const execution = job("true", { environment: { name: "e", version: "1", image: "ubuntu", condaFile } });
    const phases: JobPhase[] = [];
    expect(await executor.run(execution, (phase) => phases.push(phase))).toMatchObject({
      status: "Failed",
      code: "ImageBuildFailure",
      message: expect.stringMatching(/no-such-thing/),
    });
    expect(phases).toEqual(["Preparing"]);
    const path = `ExperimentRun/dcid.${execution.jobName}/system_logs/environment.txt`;
    expect(await blobs.read(path, "workspaceartifactstore")).toMatch(/^Python 3[^]*no-such-thing/);
  });

  test("a job that is canceled while it waits for its environment ends at once", async () => {
    const never = createExecutor({
      stateFolder: join(folder.path, "never"),
      cacheFolder: join(folder.path, "cache"),
      datastores: blobs.datastores,
      log: quiet,
      environments: {
        prepare: () => new Promise(() => undefined),
        findFault: () => Promise.resolve(undefined),
        stop: () => Promise.resolve(),
      },
    });
    const execution = job("true");
    const end = never.run(execution, quiet);
    await never.cancel(execution.jobName);
    expect(await end).toEqual({ status: "Canceled", reason: "cancel" });
    await never.stop();
  });
});

describe("records", () => {
  test("a job that ended is not run or committed again", async () => {
    const execution = job("echo once >> $MARK", { environmentVariables: { MARK: join(folder.path, "mark") } });
    const end = await executor.run(execution, quiet);
    expect(await executor.run(execution, quiet)).toEqual(end);
    expect(await readFile(join(folder.path, "mark"), "utf8")).toBe("once\n");
  });

  test("another job of the same name starts over", async () => {
    const first = job("echo one");
    await executor.run(first, quiet);
    await executor.run({ ...first, command: "echo two" }, quiet);
    expect(await log(first.jobName)).toBe("two\n");
  });

  test("work folders go when a job completed and stay when it failed", async () => {
    const good = job("true");
    const bad = job("false");
    await executor.run(good, quiet);
    await executor.run(bad, quiet);
    const folderOf = (jobName: string) => readdir(join(folder.path, "state", "jobs", jobName));
    expect(await folderOf(bad.jobName)).toContain("exe");
    await expect.poll(() => folderOf(good.jobName)).not.toContain("exe");
  });
});

test("a state folder with a space in its path does not split commands", async () => {
  const spaced = createExecutor({
    stateFolder: join(folder.path, "my state"),
    cacheFolder: join(folder.path, "cache"),
    datastores: blobs.datastores,
    log: quiet,
  });
  await blobs.put("space/x", "1");
  const execution = job("cp ${{inputs.x}} ${{outputs.o}}/copied", {
    inputs: { x: input("uri_file", "space/x") },
    outputs: { o: output("uri_folder", "space/o") },
  });
  expect(await spaced.run(execution, quiet)).toMatchObject({ status: "Completed" });
  expect(await blobs.read("space/o/copied")).toBe("1");
  await spaced.stop();
});

test("only so many processes run at once", async () => {
  const narrow = createExecutor({
    stateFolder: join(folder.path, "narrow"),
    cacheFolder: join(folder.path, "cache"),
    datastores: blobs.datastores,
    log: quiet,
    maxConcurrent: 1,
  });
  await writeFile(join(folder.path, "gate"), "");
  const command = "mkdir $GATE.lock || exit 1; sleep 0.05; rmdir $GATE.lock";
  const ends = await Promise.all(
    [1, 2, 3].map(() => narrow.run(job(command, { environmentVariables: { GATE: join(folder.path, "gate") } }), quiet)),
  );
  expect(ends.map((end) => end.status)).toEqual(["Completed", "Completed", "Completed"]);
  expect((await stat(join(folder.path, "gate"))).isFile()).toBe(true);
  await narrow.stop();
});
