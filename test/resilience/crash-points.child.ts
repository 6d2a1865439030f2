// Loaded into every part of a stack before its own code: counts the moments after which something of the part outlives it, and
// kills the process at the one that was asked for. `--import crash-points.child.ts?folder=...` names the folder that it is told in.
//
// Such a moment lies before and after each durable write (a commit of a database, a file of the executor, a process that is
// started) and each call of another part (before it leaves, and once the answer is there but nothing has been made of it).
import childProcess from "node:child_process";
import { subscribe } from "node:diagnostics_channel";
import { appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import fs from "node:fs/promises";
import type { ClientRequest } from "node:http";
import { syncBuiltinESMExports } from "node:module";
import { basename } from "node:path";
import { DatabaseSync, StatementSync } from "node:sqlite";
import { type Arm, type Part, type Point, toEpochMs } from "./crash-points.ts";

const folder = new URL(import.meta.url).searchParams.get("folder") ?? "";
const part = partOf(process.argv[1] ?? "");

/** The last arm seen, and the points since. */
let nonce = "";
let count = 0;

if (part !== undefined && folder !== "") {
  watchDatabases();
  watchCalls();
  if (part === "workspace") watchExecutor();
  watchReady();
}

function partOf(script: string): Part | undefined {
  if (script.endsWith("local/host/process.ts")) return "host";
  if (script.endsWith("local/azureml/process.ts")) return "workspace";
  if (script.endsWith("local/storage/process.ts")) return "storage";
  return undefined;
}

function point(what: string, when: "before" | "after"): void {
  const arm = readArm();
  if (arm !== undefined && arm.nonce !== nonce) {
    nonce = arm.nonce;
    count = 0;
  }
  count += 1;
  write({ nonce, count, what: `${when} ${what}`, at: toEpochMs(performance.now()), pid: process.pid });
  if (arm === undefined || arm.at !== count) return;
  if (arm.next === undefined) rmSync(`${folder}/${part}.arm`);
  else writeFileSync(`${folder}/${part}.arm`, JSON.stringify(arm.next));
  write({ nonce, count, what: `killed ${when} ${what}`, at: toEpochMs(performance.now()), pid: process.pid });
  if (arm.withChildren === true) for (const pid of children()) kill(pid);
  kill(process.pid);
}

function write(one: Point): void {
  appendFileSync(`${folder}/${part}.points`, `${JSON.stringify(one)}\n`);
}

function readArm(): Arm | undefined {
  try {
    return JSON.parse(readFileSync(`${folder}/${part}.arm`, "utf8")) as Arm;
  } catch {
    return undefined;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // Gone already.
  }
}

function children(): number[] {
  const lists = readdirSync("/proc/self/task").map((task) =>
    readFileSync(`/proc/self/task/${task}/children`, "utf8").trim(),
  );
  return lists.join(" ").split(/\s+/).filter(Boolean).map(Number);
}

function watchDatabases(): void {
  const databases = new WeakMap<object, DatabaseSync>();
  replaceMethod(DatabaseSync.prototype, "prepare", (original) => {
    return function (this: DatabaseSync, ...parameters) {
      const statement = original.apply(this, parameters);
      databases.set(statement as StatementSync, this);
      return statement;
    };
  });
  replaceMethod(DatabaseSync.prototype, "exec", (original) => {
    return function (this: DatabaseSync, sql) {
      if (!isCommit(String(sql), this)) return original.call(this, sql);
      return around(`commit ${nameOf(this)}`, () => original.call(this, sql));
    };
  });
  for (const method of ["run", "get", "all"]) {
    replaceMethod(StatementSync.prototype, method, (original) => {
      return function (this: StatementSync, ...parameters) {
        const database = databases.get(this);
        if (database === undefined || !isCommit(this.sourceSQL, database)) return original.apply(this, parameters);
        return around(`commit ${nameOf(database)}`, () => original.apply(this, parameters));
      };
    });
  }
}

type Method = (...parameters: unknown[]) => unknown;

function replaceMethod(owner: object, name: string, make: (original: Method) => Method): void {
  Object.assign(owner, { [name]: make(Reflect.get(owner, name) as Method) });
}

function nameOf(database: DatabaseSync): string {
  return basename(database.location() ?? "memory");
}

/** Whether the statement makes something last: the end of a transaction, or a change outside of any. */
function isCommit(sql: string, database: DatabaseSync): boolean {
  if (/^\s*commit/i.test(sql)) return true;
  return !database.isTransaction && /^\s*(insert|update|delete|replace)/i.test(sql);
}

function around<T>(what: string, act: () => T): T {
  point(what, "before");
  const result = act();
  point(what, "after");
  return result;
}

function watchCalls(): void {
  subscribe("http.client.request.created", (message) => {
    const { request } = message as { request: ClientRequest };
    const call = toCall(request.method, request.path);
    if (call !== undefined) point(call, "before");
  });
  subscribe("http.client.response.finish", (message) => {
    const { request } = message as { request: ClientRequest };
    const call = toCall(request.method, request.path);
    if (call !== undefined) point(call, "after");
  });
  subscribe("undici:request:create", (message) => {
    const { request } = message as { request: { method: string; path: string } };
    const call = toCall(request.method, request.path);
    if (call !== undefined) point(call, "before");
  });
  subscribe("undici:request:headers", (message) => {
    const { request } = message as { request: { method: string; path: string } };
    const call = toCall(request.method, request.path);
    if (call !== undefined) point(call, "after");
  });
}

/** Method and the end of the path, without query; undefined for what the host says to itself. */
function toCall(method: string, path: string): string | undefined {
  const [place = ""] = path.split("?", 1);
  return /^\/(durabletask|api)\//.test(place) ? undefined : `${method} ${place.split("/").slice(-4).join("/")}`;
}

function watchExecutor(): void {
  for (const [name, place] of [
    ["writeFile", 0],
    ["rename", 1],
  ] as const) {
    replaceMethod(fs, name, (original) => async (...parameters) => {
      const file = parameters[place];
      if (!isRecord(file)) return original(...parameters);
      point(`write ${basename(file)}`, "before");
      await original(...parameters);
      point(`write ${basename(file)}`, "after");
    });
  }
  replaceMethod(childProcess, "spawn", (original) => (...parameters) => {
    if (parameters[0] !== "bash") return original(...parameters);
    return around("spawn job", () => original(...parameters));
  });
  syncBuiltinESMExports();
}

/** The executor's own files lie in the job's folder itself, what the job reads and writes below it. */
function isRecord(file: unknown): file is string {
  return typeof file === "string" && /\/jobs\/[^/]+\/[^/]+$/.test(file);
}

function watchReady(): void {
  const send = process.send?.bind(process);
  if (send === undefined) return;
  Object.assign(process, {
    send(message: unknown, ...rest: []) {
      const isReady = typeof message === "object" && message !== null && "type" in message && message.type === "ready";
      if (isReady) write({ nonce, count: 0, what: "ready", at: toEpochMs(performance.now()), pid: process.pid });
      return send(message as object, ...rest);
    },
  });
}
