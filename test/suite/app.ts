// The app as its users see it: over HTTP, with a key. The same calls serve an embedded stack and a deployed app.
import { inject, type TestContext } from "vitest";
import { RunDocument } from "#shared/api.ts";
import { runStatusFacts } from "#shared/domain/run.ts";
import type { Stack } from "#local/stack.ts";
import { type Controls, createControls } from "./controls.ts";

export interface AppUnderTest {
  readonly url: string;
  readonly key: string;
  /** Only the embedded stack has faults to set and counters to read. */
  readonly embedded?: Pick<Stack, "storage" | "workspace"> & { readonly hostPid: number };
}

export interface Call {
  readonly method?: string;
  /** JSON, or text as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** `null` leaves it out. */
  readonly key?: string | null;
}

interface StartOptions {
  readonly name?: string;
  /** The pipeline's `settings:`. */
  readonly settings?: object;
}

/** An image that runs on Azure too; on one machine an image alone needs nothing installed. */
const image = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04";

export type App = ReturnType<typeof createApp>;

export function createApp({ url, key }: Pick<AppUnderTest, "url" | "key">) {
  /** An answer, whatever its status. @param path below `/api/` */
  async function call(path: string, { method = "GET", body, headers = {}, key: sent = key }: Call = {}) {
    return fetch(`${url}/api/${path}`, {
      method,
      headers: {
        ...(sent === null ? {} : { "x-functions-key": sent }),
        ...(body === undefined || typeof body === "string" ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      signal: AbortSignal.timeout(120_000),
    });
  }

  async function getRun(
    runId: string,
    waitSeconds = 0,
    etag?: string,
  ): Promise<{ document: RunDocument; etag: string }> {
    const headers: Record<string, string> = etag === undefined ? {} : { "if-none-match": etag };
    for (;;) {
      const answer = await call(`runs/${runId}?wait=${waitSeconds}`, { headers });
      if (answer.status === 304) continue;
      if (answer.status !== 200) throw new Error(`GET runs/${runId}: ${answer.status} ${await answer.text()}`);
      return { document: RunDocument.parse(await answer.json()), etag: answer.headers.get("etag") ?? "" };
    }
  }

  /** The run as soon as `isReached`; the test's own limit ends a wait for what never comes. */
  async function until(runId: string, isReached: (run: RunDocument) => boolean): Promise<RunDocument> {
    let seen = await getRun(runId);
    while (!isReached(seen.document)) {
      if (runStatusFacts[seen.document.status].isTerminal)
        throw new Error(`the run ended first: ${JSON.stringify(seen.document, undefined, 1)}`);
      seen = await getRun(runId, 10, seen.etag);
    }
    return seen.document;
  }

  return {
    url,
    key,
    call,
    getRun,
    until,

    /** Starts an inline pipeline of these nodes, which takes nothing over from earlier runs. */
    async start(jobs: Readonly<Record<string, unknown>>, { name, settings }: StartOptions = {}): Promise<RunDocument> {
      const pipeline = { type: "pipeline", jobs, ...(name === undefined ? {} : { name }) };
      const body = { pipeline: { ...pipeline, settings: { force_rerun: true, ...settings } } };
      const answer = await call("runs", { method: "POST", body });
      if (answer.status !== 202) throw new Error(`POST runs: ${answer.status} ${await answer.text()}`);
      return RunDocument.parse(await answer.json());
    },

    /** The run once it has ended. */
    ended: (runId: string) => until(runId, ({ status }) => runStatusFacts[status].isTerminal),

    /** The whole log of a node that has ended. */
    async log(runId: string, node: string): Promise<string> {
      return (await call(`runs/${runId}/nodes/${node}/logs`)).text();
    },

    /** One file of an output as text. */
    async read(runId: string, node: string, output: string, path: string): Promise<string> {
      return (await call(`runs/${runId}/nodes/${node}/outputs/${output}/${path}`)).text();
    },
  };
}

/** A node that runs a shell command. */
export function shell(command: string, more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return { type: "command", command, environment: { image }, ...more };
}

/** Writes `text` into the output `result`. */
export function writing(text: string, more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const command = `printf '%s' '${text}' > "\${{outputs.result}}/text"`;
  return shell(command, { outputs: { result: { type: "uri_folder" } }, ...more });
}

/** Copies what `node` wrote and adds `text`. */
export function appending(node: string, text: string, more: Readonly<Record<string, unknown>> = {}) {
  const command = `{ cat "\${{inputs.before}}/text"; printf '%s' '${text}'; } > "\${{outputs.result}}/text"`;
  return shell(command, {
    inputs: { before: `\${{parent.jobs.${node}.outputs.result}}` },
    outputs: { result: { type: "uri_folder" } },
    ...more,
  });
}

export function nodeOf(run: RunDocument, name: string): RunDocument["nodes"][number] {
  const node = run.nodes.find((one) => one.name === name);
  if (node === undefined) throw new Error(`the run has no node ${name}`);
  return node;
}

/** The shared app of the suite. */
export function sharedApp(): { app: App; controls: Controls | undefined } {
  const given = inject("app");
  return { app: createApp(given), controls: given.embedded === undefined ? undefined : createControls(given.embedded) };
}

/** The body of a case that needs the embedded stack's faults or counters; on a deployed app it is passed over, and says so. */
export function onEmbedded(
  controls: Controls | undefined,
  body: (controls: Controls) => Promise<void>,
): (context: TestContext) => Promise<void> {
  return async ({ skip, task }) => {
    if (controls !== undefined) return body(controls);
    console.log(`skipped on a deployed app, which takes no faults: ${task.name}`);
    return skip("a deployed app takes no faults");
  };
}
