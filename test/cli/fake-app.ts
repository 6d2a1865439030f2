// A small app that speaks the HTTP contract from a script: what a run's document says next is up to the test.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type NodeExplanation,
  type NodeRun,
  RerunRequest,
  type RunDocument,
  StartInlineRunRequest,
  StartRunRequest,
  UploadRequest,
} from "#shared/api.ts";
import { type ErrorCode, errorKinds, type Issue } from "#shared/errors.ts";

interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

export type FakeApp = Awaited<ReturnType<typeof startFakeApp>>;

export const fakeKey = "a-key-of-the-fake-app";

/** A run of prep, train and score as it is before anything has happened. */
export function newRun(changes: Partial<RunDocument> = {}): RunDocument {
  return {
    runId: "sharp_pipe_1",
    pipeline: "fashion_mnist",
    experimentName: "fashion_mnist",
    status: "running",
    createdTime: "2026-01-05T10:00:00Z",
    lastUpdatedTime: "2026-01-05T10:00:00Z",
    nodes: ["prep", "train", "score"].map((name) => newNode(name)),
    outputs: {},
    tags: {},
    ...changes,
  };
}

export function newNode(name: string, changes: Partial<NodeRun> = {}): NodeRun {
  return { name, status: "waiting", component: name, dependsOn: [], attempt: 0, ...changes };
}

export async function startFakeApp() {
  const requests: SeenRequest[] = [];
  const runs = new Map<string, RunDocument>();
  /** `run/node` -> log text. */
  const logs = new Map<string, { text: string; isComplete: boolean }>();
  const metrics = new Map<string, unknown>();
  /** `run/node` -> why it ran. */
  const explanations = new Map<string, NodeExplanation>();
  /** `run/node/output/path` -> content. */
  const files = new Map<string, Buffer>();
  const stored = new Map<string, string>();
  /** `GET datasets/shots` -> what it is answered with 200, whatever else is known. */
  const answers = new Map<string, unknown>();
  /** Documents that follow one another, each as soon as somebody waits for a change. */
  const upcoming: RunDocument[] = [];
  /** Status of the next answers to break off after so many bytes. */
  const state = {
    problem: undefined as { code: ErrorCode; detail: string; issues?: Issue[] } | undefined,
    breakAfter: 0,
    isStoreClosed: false,
    /** Nodes that a plan refuses, with why. */
    refused: {} as Record<string, string>,
  };
  let url = "";
  let published = Promise.withResolvers<RunDocument>();

  async function nextPublished(waitSeconds: number): Promise<RunDocument | undefined> {
    const waiting = new AbortController();
    const nothing = sleep(waitSeconds * 1000, undefined, { signal: waiting.signal }).catch(() => undefined);
    const document = await Promise.race([published.promise, nothing]);
    waiting.abort();
    return document;
  }

  const server = createServer((request, response) => {
    void answer(request, response).catch((error: unknown) => {
      response.destroy();
      throw error;
    });
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString("utf8");
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://app");
    requests.push({ method: request.method ?? "", path: request.url ?? "", headers: request.headers, body });

    const json = (status: number, value: unknown, headers: Record<string, string> = {}) => {
      response.writeHead(status, { "content-type": "application/json", ...headers });
      response.end(JSON.stringify(value));
    };
    const problem = (code: ErrorCode, detail: string, issues: Issue[] = []) => {
      const { httpStatus, title } = errorKinds[code];
      response.writeHead(httpStatus, { "content-type": "application/problem+json" });
      response.end(JSON.stringify({ type: "about:blank", title, status: httpStatus, code, detail, issues }));
    };

    if (pathname.startsWith("/store/")) {
      if (state.isStoreClosed) return void response.writeHead(403).end();
      stored.set(decodeURIComponent(pathname.slice("/store/".length)), body);
      response.writeHead(201, { etag: '"1"', "last-modified": new Date(0).toUTCString() }).end();
      return;
    }
    if (request.headers["x-functions-key"] !== fakeKey) return problem("Unauthorized", "The key is missing or wrong");
    if (state.problem !== undefined) return problem(state.problem.code, state.problem.detail, state.problem.issues);

    const parts = pathname.split("/").slice(2).map(decodeURIComponent);
    const answer = answers.get(`${request.method} ${parts.join("/")}`);
    if (answer !== undefined) return json(200, answer);
    const [room, id = "", action, node = "", view, output = "", ...rest] = parts;
    if (request.method === "POST" && room === "pipelines" && action === "runs") {
      StartRunRequest.parse(JSON.parse(body));
      return json(202, runs.get("sharp_pipe_1") ?? newRun());
    }
    if (request.method === "POST" && room === "runs" && id === "") {
      StartInlineRunRequest.parse(JSON.parse(body));
      return json(202, runs.get("sharp_pipe_1") ?? newRun());
    }
    if (request.method === "POST" && room === "plan") {
      StartInlineRunRequest.parse(JSON.parse(body));
      const planned = {
        name: "prep",
        component: "prep",
        kind: "command",
        action: "run",
        instanceTypes: ["Standard_NC6s_v3"],
        dependsOn: [],
        inputs: {},
      };
      const refused = Object.entries(state.refused).map(([name, reason]) => ({
        ...planned,
        name,
        action: "refuse",
        reason,
      }));
      return json(200, { pipeline: "p", nodes: [planned, ...refused], warnings: [] });
    }
    if (request.method === "POST" && room === "uploads") {
      const { hash, files: wanted } = UploadRequest.parse(JSON.parse(body));
      const isThere = wanted.every(({ path }) => stored.has(`${hash}/${path}`));
      const upload = { url: `${url}/store/${hash}`, sas: "sig=secret", expires: "2099-01-01T00:00:00Z" };
      return json(200, {
        uri: `azureml://datastores/workspaceblobstore/paths/mlpipe/uploads/${hash}/`,
        ...(isThere ? {} : { upload }),
      });
    }
    if (room === "runs" && id === "") {
      const list = [...runs.values()].map((run) => ({
        runId: run.runId,
        pipeline: run.pipeline,
        status: run.status,
        createdTime: run.createdTime,
        lastUpdatedTime: run.lastUpdatedTime,
        nodeCount: run.nodes.length,
        completedNodeCount: run.nodes.filter(({ status }) => status === "completed").length,
      }));
      return json(200, { runs: list });
    }
    const run = runs.get(id);
    if (room !== "runs" || run === undefined) return problem("NotFound", `There is no run ${id}`);
    if (action === "cancel") return json(202, run);
    if (action === "rerun") {
      RerunRequest.parse(JSON.parse(body));
      return json(202, newRun({ runId: "calm_pine_2", continues: id }));
    }
    if (action === undefined) {
      const tag = (document: RunDocument) => `"${JSON.stringify(document).length}-${document.lastUpdatedTime}"`;
      if (request.headers["if-none-match"] !== tag(run)) return json(200, run, { etag: tag(run) });
      const next = upcoming.shift() ?? (await nextPublished(Number(searchParams.get("wait"))));
      if (next === undefined) return void response.writeHead(304).end();
      runs.set(id, next);
      return json(200, next, { etag: tag(next) });
    }
    const key = `${id}/${node}`;
    if (view === "why") return json(200, explanations.get(key));
    if (view === "metrics") return json(200, metrics.get(key) ?? { metrics: {}, params: {} });
    if (view === "logs") {
      const log = logs.get(key) ?? { text: "", isComplete: true };
      const from = Number(searchParams.get("from"));
      const bytes = Buffer.from(log.text).subarray(from, from + 10);
      response.writeHead(200, {
        "content-type": "text/plain",
        "x-mlpipe-next-offset": String(from + bytes.byteLength),
        "x-mlpipe-log-complete": String(log.isComplete && from + bytes.byteLength >= log.text.length),
      });
      response.end(bytes);
      return;
    }
    if (view === "outputs" && output === "") {
      const outputs = Map.groupBy(
        [...files].filter(([path]) => path.startsWith(`${key}/`)),
        ([path]) => path.split("/")[2] ?? "",
      );
      return json(200, {
        outputs: [...outputs].map(([name, entries]) => ({
          output: name,
          uri: `azureml://x/${name}/`,
          files: entries.map(([path, content]) => ({
            path: path.split("/").slice(3).join("/"),
            size: content.byteLength,
            lastModified: "2026-01-05T10:00:00Z",
            contentType: "application/octet-stream",
          })),
        })),
      });
    }
    const content = files.get(`${key}/${output}/${rest.join("/")}`);
    if (content === undefined) return problem("NotFound", "no such output");
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    const piece = content.subarray(from);
    response.writeHead(from === 0 ? 200 : 206, { "content-length": piece.byteLength });
    if (state.breakAfter > 0 && piece.byteLength > state.breakAfter) {
      response.write(piece.subarray(0, state.breakAfter), () => response.destroy());
      return;
    }
    response.end(piece);
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    url,
    requests,
    runs,
    logs,
    metrics,
    explanations,
    files,
    stored,
    answers,
    upcoming,
    state,
    /** Answers those who wait for a change. */
    publish(document: RunDocument) {
      published.resolve(document);
      published = Promise.withResolvers();
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
