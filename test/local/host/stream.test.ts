import { execFileSync } from "node:child_process";
import { Agent, request as openRequest } from "node:http";
import { buildSync } from "esbuild";
import { describe, expect, test } from "vitest";
import { createTempFolder, createApp, fixture, startApp } from "./start-app.ts";

describe("stream mode", () => {
  test("headers, parameters and body pass, and query keys show up among the parameters", async () => {
    const { url } = await startApp(fixture("stream-app"));
    const answer = await fetch(`${url}/api/echo/a%20b?x=1&x=2&code=k`, {
      method: "POST",
      body: "hello",
      headers: { "x-sent": "yes" },
    });
    expect(answer.headers.get("x-seen")).toBe("yes");
    expect(await answer.json()).toEqual({
      url: `${url}/api/echo/a%20b?x=1&x=2&code=k`,
      params: { id: "a b", x: "1,2" },
      body: "hello",
    });
  });

  test("a request body of unknown length goes through while it is still being sent", async () => {
    const { url, keys } = await startApp(fixture("stream-app"));
    expect((await fetch(`${url}/api/pass`, { method: "POST", body: "x" })).status).toBe(401);
    const request = openRequest(`${url}/api/pass`, { method: "POST", headers: { "x-functions-key": keys.default } });
    request.write("first ");
    const response = await new Promise<AsyncIterable<Buffer>>((resolve) => request.on("response", resolve));
    request.end("second");
    let text = "";
    for await (const chunk of response) text += chunk.toString();
    expect(text).toBe("first second");
  });

  test("the first chunk of an answer arrives before the last is made", async () => {
    const { url } = await startApp(fixture("stream-app"));
    const answer = await fetch(`${url}/api/slowly`);
    const chunks: string[] = [];
    for await (const chunk of answer.body ?? []) chunks.push(new TextDecoder().decode(chunk));
    expect(chunks).toEqual(["one ", "two"]);
  });

  test("a handler that throws or returns nothing answers 500 at once, one that breaks half-way cuts the answer", async () => {
    const { url, output } = await startApp(fixture("stream-app"));
    expect((await fetch(`${url}/api/breaks`)).status).toBe(500);
    expect((await fetch(`${url}/api/breaks`, { method: "POST", body: "with a body" })).status).toBe(500);
    expect(output()).toContain("broken on purpose");
    expect((await fetch(`${url}/api/nothing`)).status).toBe(500);
    expect(output()).toContain("returned nothing in stream mode");
    const late = await fetch(`${url}/api/breaksLate`);
    await expect(late.text()).rejects.toThrow("terminated");
  });

  test("a caller that goes away half-way harms nobody else", async () => {
    const { url, output } = await startApp(fixture("stream-app"));
    const leaving = new AbortController();
    const answer = await fetch(`${url}/api/slowly`, { signal: leaving.signal });
    leaving.abort();
    await expect(answer.text()).rejects.toThrow("aborted");
    const request = openRequest(`${url}/api/echo/1`, { method: "POST" }).on("error", () => {});
    request.write("never finished");
    await fetch(`${url}/api/slowly`);
    request.destroy();
    expect(await (await fetch(`${url}/api/slowly`)).text()).toBe("one two");
    expect(output()).not.toContain("Host.Http");
  });

  test("a body over the limit is 413, declared or chunked", async () => {
    const { url } = await startApp(fixture("stream-app"), { env: { FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: "1000" } });
    expect((await fetch(`${url}/api/echo/1`, { method: "POST", body: "x".repeat(1001) })).status).toBe(413);
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode("x".repeat(1001)));
        controller.close();
      },
    });
    expect((await fetch(`${url}/api/echo/1`, { method: "POST", body, duplex: "half" } as RequestInit)).status).toBe(
      413,
    );
  });

  test("a body that the handler leaves unread, in whole or in part, does not stand before the next request of its connection", async () => {
    const { url } = await startApp(fixture("stream-app"));
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const send = (path: string, chunks: readonly Buffer[]) =>
      new Promise<string>((resolve, reject) => {
        const request = openRequest(`${url}/api/${path}`, { method: "POST", agent }, (response) => {
          response.toArray().then((parts) => resolve(parts.join("")), reject);
        });
        request.on("error", reject);
        for (const chunk of chunks) request.write(chunk);
        request.end();
      });
    const large = Array.from({ length: 64 }, () => Buffer.alloc(64 * 1024, "x"));
    for (let i = 0; i < 5; i++) {
      expect(await send("early", large)).toBe("unread");
      expect(JSON.parse(await send("echo/1", [Buffer.from("b")]))).toMatchObject({ body: "b" });
      expect(await send("half", large)).toBe("half");
      expect(JSON.parse(await send("echo/1", [Buffer.from("c")]))).toMatchObject({ body: "c" });
    }
    agent.destroy();
  });

  test("nothing of it listens beyond the loopback interface", async ({ skip }) => {
    skip(process.platform !== "linux", "reads Linux's socket table");
    const { child } = await startApp(fixture("stream-app"));
    const files = [`/proc/${child.pid}/net/tcp`, `/proc/${child.pid}/net/tcp6`];
    const table = execFileSync("sh", ["-c", `ls -l /proc/${child.pid}/fd; cat ${files.join(" ")}`], {
      encoding: "utf8",
    });
    const inodes = new Set([...table.matchAll(/socket:\[(\d+)\]/g)].map((match) => match[1]));
    const rows = table.split("\n").map((line) => line.trim().split(/\s+/));
    const listening = rows.filter((row) => row[3] === "0A" && inodes.has(row[9] ?? ""));
    expect(listening.map((row) => row[1]?.split(":")[0])).toEqual(["0100007F", "0100007F"]);
  });

  test("the same app as an ESM bundle answers the same", async () => {
    const folder = createApp({ "package.json": '{"type":"module","main":"dist/main.js"}' });
    buildSync({
      entryPoints: [`${fixture("stream-app")}/main.ts`],
      outfile: `${folder}/dist/main.js`,
      bundle: true,
      platform: "node",
      format: "esm",
      external: ["@azure/functions-core"],
      banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
    });
    const { url } = await startApp(folder, { stateFolder: createTempFolder() });
    expect(await (await fetch(`${url}/api/echo/1`, { method: "POST", body: "b" })).json()).toMatchObject({
      params: { id: "1" },
      body: "b",
    });
  });
});
