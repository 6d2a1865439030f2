// Components and pipelines by name and version: registered once, found again, and written down in the runs that use them.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  AssetVersionList,
  ComponentDocument,
  ComponentList,
  PipelineList,
  PipelineVersion,
  PlanAnswer,
  Problem,
  RunDocument,
} from "#shared/api.ts";
import { runCli } from "#test/cli/run-cli.ts";
import { nodeOf, sharedApp } from "./app.ts";

const { app } = sharedApp();
const environment = { image: "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04" };
/** Names of this file's own, in a workspace that may have others. */
const mark = crypto.randomUUID().slice(0, 8);
const named = (what: string) => `${what}_${mark}`;

/** A component that writes `text` and what it is given. */
function saying(name: string, text: string, more: object = {}) {
  return {
    type: "command",
    name,
    inputs: { word: { type: "string", default: "nothing" } },
    outputs: { result: { type: "uri_folder" } },
    environment,
    command: `printf '%s' '${text} '"\${{inputs.word}}" > "\${{outputs.result}}/text"`,
    ...more,
  };
}

const put = (path: string, document: object) => app.call(path, { method: "PUT", body: { document } });

async function register(document: { name: string }, version?: string): Promise<ComponentDocument> {
  const query = version === undefined ? "" : `?version=${version}`;
  const answer = await put(`components/${document.name}${query}`, document);
  if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`);
  return ComponentDocument.parse(await answer.json());
}

async function registerPipeline(name: string, document: object, version?: string): Promise<PipelineVersion> {
  const answer = await put(`pipelines/${name}${version === undefined ? "" : `?version=${version}`}`, document);
  if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`);
  return PipelineVersion.parse(await answer.json());
}

const problemOf = async (answer: Response) => Problem.parse(await answer.json());

async function startNamed(name: string, body: object = {}, key?: string): Promise<RunDocument> {
  const headers: Record<string, string> = key === undefined ? {} : { "idempotency-key": key };
  const answer = await app.call(`pipelines/${name}/runs`, { method: "POST", body, headers });
  if (answer.status !== 202) throw new Error(`${answer.status} ${await answer.text()}`);
  return RunDocument.parse(await answer.json());
}

describe("registering a component", () => {
  test("twice with the same content is one version, also at the same time", async () => {
    const name = named("same");
    const answers = await Promise.all(Array.from({ length: 8 }, () => register(saying(name, "x"))));
    expect(new Set(answers.map(({ version }) => version)).size).toBe(1);
    expect(answers[0]?.version).toMatch(/^[0-9a-f]{12}$/);
    const again = await register({ ...saying(name, "x"), name });
    const versions = AssetVersionList.parse(await (await app.call(`components/${name}/versions`)).json());
    expect(versions.versions.map(({ version }) => version)).toEqual([again.version]);
    expect((await register(saying(name, "y"))).version).not.toBe(again.version);
  });

  test("with other content under a taken version is refused, and the first content stays", async () => {
    const name = named("taken");
    await register(saying(name, "first", { version: 1 }));
    const refused = await put(`components/${name}`, saying(name, "second", { version: "1" }));
    expect(refused.status).toBe(409);
    expect(await problemOf(refused)).toMatchObject({
      code: "Conflict",
      detail: expect.stringContaining(`Version 1 of component ${name} holds other content`),
    });
    expect((await register(saying(name, "first"), "1")).version).toBe("1");
    expect((await register(saying(name, "second"), "2")).version).toBe("2");
    const found = ComponentDocument.parse(await (await app.call(`components/${name}?version=1`)).json());
    expect(found.spec["command"]).toContain("first");
    expect(found.versions).toEqual(["2", "1"]);
  });

  test("with different contents at the same time lets one through", async () => {
    const name = named("race");
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, index) => put(`components/${name}?version=1`, saying(name, `text ${index}`))),
    );
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409, 409, 409, 409, 409]);
    const { spec } = ComponentDocument.parse(await answers.find(({ status }) => status === 200)?.json());
    const kept = ComponentDocument.parse(await (await app.call(`components/${name}`)).json());
    expect(kept.spec).toEqual(spec);
  });

  test.for([
    ["components/Big", saying("Big", "x"), /name/],
    ["components/other_name", saying(named("one"), "x"), /the component is called/],
    [`components/${named("v")}?version=a%2Fb`, saying(named("v"), "x"), /version/],
    [`components/${named("v")}`, saying(named("v"), "x", { version: "a/b" }), /no version/],
    [`components/${named("v")}`, { ...saying(named("v"), "x"), command: "echo ${{inputs.none}}" }, /no input `none`/],
    [`components/${named("v")}`, { ...saying(named("v"), "x"), code: "./src" }, /local path|src/],
    ["components/%2E%2E", saying("x", "x"), /./],
    [`components/${"a".repeat(256)}`, saying("a".repeat(256), "x"), /name/],
    ["components/%C3%A4", saying("ä", "x"), /name/],
  ] as const)("at %s with what is no component is told why", async ([path, document, reason]) => {
    const answer = await put(path, document);
    expect([400, 404]).toContain(answer.status);
    expect(await answer.text()).toMatch(answer.status === 400 ? reason : /^/);
  });

  test("from a file takes its code and its version along, and shows it again", async () => {
    const folder = await mkdtemp(join(tmpdir(), "mlpipe-registry-"));
    const mlpipe = (...args: string[]) =>
      runCli(args, { cwd: folder, env: { MLPIPE_URL: app.url, MLPIPE_KEY: app.key, COLUMNS: "80" } });
    const name = named("filed");
    await mkdir(join(folder, "src"));
    await writeFile(join(folder, "src/say.sh"), 'printf "said %s" "$1" > "$2/text"\n');
    const text = `
$schema: https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json
type: command
name: ${name}
version: 1
inputs: {word: {type: string}}
outputs: {result: {type: uri_folder}}
code: ./src
environment: {image: ${environment.image}}
command: bash say.sh \${{inputs.word}} \${{outputs.result}}
`;
    await writeFile(join(folder, "component.yml"), text);
    const first = await mlpipe("component", "register", "component.yml");
    expect(first).toMatchObject({ code: 0, stdout: expect.stringContaining(`component: azureml:${name}:1\n`) });
    const [again, second] = [
      await mlpipe("component", "register", "component.yml"),
      await mlpipe("component", "register", "component.yml", "--version", "2", "--json"),
    ];
    expect(again).toMatchObject({ code: 0, stdout: first.stdout, stderr: "" });
    expect(JSON.parse(second.stdout)).toMatchObject({ name, version: "2" });
    await writeFile(join(folder, "src/say.sh"), "true\n");
    const refused = await mlpipe("component", "register", "component.yml");
    expect(refused).toMatchObject({ code: 3, stderr: expect.stringContaining("holds other content") });

    expect((await mlpipe("component", "list", name)).stdout).toMatch(/^VERSION.*\n2 .*\n1 .*\n$/);
    expect((await mlpipe("component", "show", `${name}:1`)).stdout).toContain("command: bash say.sh");
    expect(await mlpipe("component", "show", `${name}:7`)).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("it has 2, 1"),
    });
    const jobs = { it: { component: `azureml:${name}:1`, inputs: { word: "hello" } } };
    const run = await app.ended((await app.start(jobs)).runId);
    expect(await app.read(run.runId, "it", "result", "text")).toBe("said hello");
    await rm(folder, { recursive: true });
  });
});

describe("a registered component", () => {
  test("is found by name, label, version and id; the run says which it was, and stays with it", async () => {
    const name = named("resolved");
    await register(saying(name, "one"), "1");
    await register(saying(name, "two"), "2");
    const jobs = {
      bare: { component: `azureml:${name}` },
      newest: { component: `azureml:${name}@latest`, inputs: { word: "w" } },
      first: { component: `azureml:${name}:1` },
      by_id: { component: `azureml://components/${name}/versions/1` },
    };
    const started = await app.start(jobs);
    // What the name means later is not what it meant.
    await register(saying(name, "three"), "3");
    const run = await app.ended(started.runId);
    const texts = await Promise.all(Object.keys(jobs).map((node) => app.read(run.runId, node, "result", "text")));
    expect(texts).toEqual(["two nothing", "two w", "one nothing", "one nothing"]);
    const assets = (of: RunDocument) => of.assets?.map(({ reference, version }) => [reference, version]);
    expect(assets(run)).toEqual([
      [`azureml://components/${name}/versions/1`, "1"],
      [`azureml:${name}`, "2"],
      [`azureml:${name}:1`, "1"],
      [`azureml:${name}@latest`, "2"],
    ]);
    expect(nodeOf(run, "newest").component).toBe(name);

    const answer = await app.call(`runs/${run.runId}/rerun`, { method: "POST", body: { force: true } });
    const rerun = await app.ended(RunDocument.parse(await answer.json()).runId);
    expect(assets(rerun)).toEqual(assets(run));
    expect(await app.read(rerun.runId, "newest", "result", "text")).toBe("two w");
    const fresh = await app.ended((await app.start(jobs)).runId);
    expect(await app.read(fresh.runId, "newest", "result", "text")).toBe("three w");
  });

  test("may be a pipeline, and use what is registered itself", async () => {
    const [inner, outer] = [named("inner"), named("outer")];
    await register(saying(inner, "inner"), "1");
    const flow = {
      type: "pipeline",
      name: outer,
      inputs: { word: { type: "string" } },
      outputs: { result: { type: "uri_folder" } },
      jobs: {
        only: {
          component: `azureml:${inner}@latest`,
          inputs: { word: "${{parent.inputs.word}}" },
          outputs: { result: "${{parent.outputs.result}}" },
        },
      },
    };
    await register(flow, "1");
    const jobs = { sub: { type: "pipeline", component: `azureml:${outer}:1`, inputs: { word: "deep" } } };
    const run = await app.ended((await app.start(jobs)).runId);
    expect(await app.read(run.runId, "sub.only", "result", "text")).toBe("inner deep");
    expect(run.assets?.map(({ name, version }) => `${name} ${version}`)).toEqual([`${inner} 1`, `${outer} 1`]);
  });

  test("that is not there is told with what there is, before anything starts", async () => {
    const name = named("known");
    await register(saying(name, "x"), "1");
    const jobs = {
      version: { component: `azureml:${name}:9` },
      spelling: { component: `azureml:${named("konwn")}:1` },
      label: { component: `azureml:${name}@production` },
      registry: { component: "azureml://registries/azureml/components/train/versions/1" },
      kind: { component: `azureml://data/${name}/versions/1` },
    };
    const answer = await app.call("plan", { method: "POST", body: { pipeline: { type: "pipeline", jobs } } });
    expect(answer.status).toBe(400);
    const { issues = [] } = await problemOf(answer);
    expect(Object.fromEntries(issues.map(({ path, message }) => [path.split(".")[1], message]))).toEqual({
      version: expect.stringContaining("it has 1"),
      spelling: expect.stringContaining(`did you mean \`azureml:${name}\`?`),
      label: expect.stringContaining("no label but `latest`"),
      registry: expect.stringContaining("in the registry azureml"),
      kind: expect.stringContaining("no registered component"),
    });
  });
});

describe("the list of components", () => {
  test("comes in pages, in the order of names", async () => {
    const names = ["a", "b", "c"].map((letter) => named(`page_${letter}`));
    await Promise.all(names.map((name) => register(saying(name, "x"), "1")));
    const found: string[] = [];
    let link: string | undefined = `${app.url}/api/components?limit=2`;
    while (link !== undefined) {
      const page: ComponentList = ComponentList.parse(
        await (await app.call(link.slice(`${app.url}/api/`.length))).json(),
      );
      expect(page.components.length).toBeLessThanOrEqual(2);
      found.push(...page.components.map(({ name }) => name));
      link = page.nextLink;
    }
    expect(found).toEqual(found.toSorted((a, b) => (a < b ? -1 : 1)));
    expect(new Set(found).size).toBe(found.length);
    expect(found).toEqual(expect.arrayContaining(names));
  });

  test.for(["limit=0", "limit=x", "limit=1001"])("refuses %s", async (query) => {
    expect((await app.call(`components?${query}`)).status).toBe(400);
    expect((await app.call(`pipelines?${query}`)).status).toBe(400);
  });
});

describe("a registered pipeline", () => {
  const using = (component: string, word: string) => ({
    type: "pipeline",
    settings: { force_rerun: true },
    inputs: { word },
    jobs: { only: { component, inputs: { word: "${{parent.inputs.word}}" } } },
  });

  test("runs by name: its newest version, or the one that is asked for", async () => {
    const [step, name] = [named("step"), named("flow")];
    await register(saying(step, "s"), "1");
    const first = await registerPipeline(name, using(`azureml:${step}@latest`, "one"));
    expect(await registerPipeline(name, using(`azureml:${step}@latest`, "one"))).toEqual(first);
    const second = await registerPipeline(name, using(`azureml:${step}@latest`, "two"), "2");
    const refused = await put(`pipelines/${name}?version=2`, using(`azureml:${step}:1`, "three"));
    expect([refused.status, (await problemOf(refused)).code]).toEqual([409, "Conflict"]);

    const newest = await app.ended((await startNamed(name)).runId);
    const older = await app.ended((await startNamed(name, { version: first.version, inputs: { word: "w" } })).runId);
    expect(newest.assets?.[0]).toEqual({ kind: "pipeline", reference: name, name, version: "2" });
    expect(older.assets?.[0]).toEqual({
      kind: "pipeline",
      reference: `${name}:${first.version}`,
      name,
      version: first.version,
    });
    expect(await app.read(newest.runId, "only", "result", "text")).toBe("s two");
    expect(await app.read(older.runId, "only", "result", "text")).toBe("s w");

    const { versions } = AssetVersionList.parse(await (await app.call(`pipelines/${name}/versions`)).json());
    expect(versions.map(({ version }) => version)).toEqual([second.version, first.version]);
    const { pipelines } = PipelineList.parse(await (await app.call(`pipelines?limit=1000`)).json());
    expect(pipelines).toContainEqual({ name, source: "registered", latestVersion: "2" });
    const shown = (await (await app.call(`pipelines/${name}?version=${first.version}`)).json()) as object;
    expect(shown).toMatchObject({ name, version: first.version, document: { inputs: { word: "one" } } });
  });

  test("is planned by name too, with what its names stand for", async () => {
    const [step, name] = [named("planned_step"), named("planned")];
    await register(saying(step, "s"), "5");
    await registerPipeline(name, using(`azureml:${step}@latest`, "one"), "1");
    const answer = await app.call("plan", { method: "POST", body: { name, inputs: { word: "mine" } } });
    const plan = PlanAnswer.parse(await answer.json());
    expect(plan.nodes).toMatchObject([{ name: "only", action: "run", inputs: { word: "mine" } }]);
    expect(plan.assets?.map(({ reference, version }) => [reference, version])).toEqual([
      [name, "1"],
      [`azureml:${step}@latest`, "5"],
    ]);
    const wrong = await Promise.all(
      [{}, { name, pipeline: { type: "pipeline", jobs: {} } }, { pipeline: "jobs: {}", version: "1" }].map((body) =>
        app.call("plan", { method: "POST", body }),
      ),
    );
    expect(wrong.map(({ status }) => status)).toEqual([400, 400, 400]);
  });

  test("that was started with a key is found again by it, whatever the names mean by then", async () => {
    const [step, name] = [named("keyed_step"), named("keyed")];
    const key = `key ${mark}`;
    await register(saying(step, "s"), "1");
    await registerPipeline(name, using(`azureml:${step}@latest`, "one"), "1");
    const { runId } = await startNamed(name, {}, key);
    await register(saying(step, "t"), "2");
    await registerPipeline(name, using(`azureml:${step}@latest`, "two"), "2");
    expect((await startNamed(name, {}, key)).runId).toBe(runId);
    const other = await app.call(`pipelines/${name}/runs`, {
      method: "POST",
      body: { version: "2" },
      headers: { "idempotency-key": key },
    });
    expect(other.status).toBe(409);
    await app.ended(runId);
    expect(await app.read(runId, "only", "result", "text")).toBe("s one");
  });

  test("cannot take the name of a deployed one, nor hold what is no pipeline", async () => {
    const deployed = PipelineList.parse(await (await app.call("pipelines?limit=1000")).json()).pipelines.find(
      ({ source }) => source === "deployed",
    );
    const jobs = { only: { command: "true", environment } };
    const taken = await put(`pipelines/${deployed?.name ?? "none"}`, { type: "pipeline", jobs });
    expect(taken.status).toBe(deployed === undefined ? 200 : 409);
    const broken = await put(`pipelines/${named("broken")}`, { type: "pipeline", jobs: { only: { command: "true" } } });
    expect(broken.status).toBe(400);
    expect((await app.call(`pipelines/${named("broken")}`)).status).toBe(404);
  });

  test.for(["a b", "ä", "a/b", "..", "x".repeat(81)])("cannot be called %j", async (name) => {
    const jobs = { only: { command: "true", environment } };
    const answer = await put(`pipelines/${encodeURIComponent(name)}`, { type: "pipeline", jobs });
    expect([400, 404]).toContain(answer.status);
  });

  test("of a name or version that nobody registered is not found, and what there is is told", async () => {
    const name = named("lonely");
    await registerPipeline(name, { type: "pipeline", jobs: { only: { command: "true", environment } } }, "1");
    const start = (path: string, body: object) => app.call(`pipelines/${path}/runs`, { method: "POST", body });
    const version = await start(name, { version: "2" });
    expect([version.status, (await problemOf(version)).detail]).toEqual([
      404,
      `Pipeline ${name} has no version 2; it has 1`,
    ]);
    const spelling = await start(named("lonley"), {});
    expect((await problemOf(spelling)).detail).toContain(`did you mean ${name}?`);
  });

  test("runs and is planned from the command line by its name", async () => {
    const folder = await mkdtemp(join(tmpdir(), "mlpipe-registry-"));
    const mlpipe = (...args: string[]) =>
      runCli(args, { cwd: folder, env: { MLPIPE_URL: app.url, MLPIPE_KEY: app.key, COLUMNS: "80" } });
    const [step, name] = [named("typed_step"), named("typed")];
    await register(saying(step, "s"), "1");
    const document = { ...using(`azureml:${step}@latest`, "one"), inputs: { word: { type: "string" } } };
    await writeFile(join(folder, "flow.yml"), JSON.stringify(document));
    const registered = await mlpipe("pipeline", "register", "flow.yml", "--name", name, "--version", "1");
    expect(registered).toMatchObject({ code: 0, stdout: expect.stringContaining(`mlpipe run ${name} --watch`) });
    // Declared as text, so it is no data, whatever it looks like.
    const word = "https://example.org/a";
    const plan = await mlpipe("plan", `${name}:1`, "-i", `word=${word}`);
    expect(plan.stdout).toMatch(/only +typed_step\S* +run .*serverless/);
    expect(plan.stdout).toContain(`only.word  ${word}`);
    expect(plan.stdout).toMatch(new RegExp(`azureml:${step}@latest +component ${step} +1`));
    const run = await mlpipe("run", `azureml:${name}@latest`, "-i", `word=${word}`, "--watch", "--json");
    expect(run.code).toBe(0);
    const { runId } = RunDocument.parse(JSON.parse(run.stdout));
    expect(await app.read(runId, "only", "result", "text")).toBe(`s ${word}`);
    expect((await mlpipe("status", runId)).stdout).toMatch(new RegExp(`${name} +pipeline ${name} +1`));
    expect((await mlpipe("pipeline", "show", `${name}:1`)).stdout).toContain("jobs:");
    expect((await mlpipe("pipeline", "list")).stdout).toMatch(new RegExp(`${name} +registered +1`));
    expect((await mlpipe("pipeline", "list", name)).stdout).toMatch(/^VERSION.*\n1 .*\n$/);
    await rm(folder, { recursive: true });
  });
});
