import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { createApp, fixture, startApp } from "./start-app.ts";

const env = {
  NIGHTLY: "0 0 3 * * *",
  "AzureWebJobs.disabledOne.Disabled": "true",
  FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: "1000",
};

interface Echo {
  readonly params: Record<string, string>;
}

async function raw(url: string, text: string): Promise<string> {
  const { port } = new URL(url);
  const socket = connect(Number(port), "127.0.0.1");
  socket.write(text);
  let answer = "";
  for await (const chunk of socket as AsyncIterable<Buffer>) answer += chunk.toString();
  return answer;
}

describe("HTTP triggers", () => {
  test("a request reaches the handler with the host's habits", async () => {
    const { url } = await startApp(fixture("esm-app"), { env });
    const path = `${url}/API/Echo/42/a%20b?x=1&X=2&y=%26`;
    const answer = await fetch(path, {
      method: "POST",
      body: "hello",
      headers: { "X-Mixed": "Case", traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-00` },
    });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({
      method: "POST",
      url: path,
      params: { id: "42", rest: "a b" },
      query: { x: "1,2", y: "&" },
      headers: { "x-mixed": "Case" },
      body: "hello",
      traceParent: `00-${"a".repeat(32)}-${"b".repeat(16)}-00`,
    });

    const absent = (await (await fetch(`${url}/api/echo/42`)).json()) as Echo;
    expect(absent).toMatchObject({ params: { id: "42" }, body: "" });
    expect(absent.params).not.toHaveProperty("rest");
    const parts = (await (await fetch(`${url}/api/files/a.b.c/x/y%2Fz`)).json()) as Echo;
    expect(parts.params).toEqual({ name: "a.b", ext: "c", path: "x/y%2Fz" });

    const repeated = await raw(
      url,
      "GET /api/echo/1 HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nX-A: 2\r\nConnection: close\r\n\r\n",
    );
    expect(repeated).toContain('"x-a":"1,2"');
    const chunked = await raw(
      url,
      "POST /api/echo/1 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    );
    expect(chunked).toContain('"body":""');
  });

  test("a constraint, a method or a path that does not fit is 404, and nonsense is 400", async () => {
    const { url } = await startApp(fixture("esm-app"), { env });
    const statuses = await Promise.all(
      [
        fetch(`${url}/api/echo/zero`),
        fetch(`${url}/api/echo/0`),
        fetch(`${url}/api/echo/1`, { method: "DELETE" }),
        fetch(`${url}/api/echo/1`, { method: "HEAD" }),
        fetch(`${url}/api/disabledOne`),
        fetch(`${url}/api/unserved`),
        fetch(`${url}/api/administration`),
        fetch(`${url}/`),
      ].map(async (answer) => (await answer).status),
    );
    expect(statuses).toEqual(Array.from({ length: 8 }, () => 404));
    expect((await fetch(`${url}/api/echo/%ff`)).status).toBe(400);
  });

  test("the first function by name takes a route that two could take, and a second with the same route is refused", async () => {
    const { url, output } = await startApp(fixture("esm-app"), { env });
    expect(await (await fetch(`${url}/api/users/me`)).text()).toBe("first");
    expect(await (await fetch(`${url}/api/clash`)).text()).toBe("A");
    expect(output()).toContain("The 'clashB' function is in error");
    expect(output()).toContain("The 'reserved' function is in error");
    expect(output()).toContain('"users/me" of "second"'.replace("users", "api/users"));
  });

  test("keys open what they are for, the header wins over the query, and a wrong key does not close an anonymous route", async () => {
    const { url, keys, output } = await startApp(fixture("esm-app"), { env });
    const status = async (path: string, key?: string) =>
      (await fetch(`${url}/api/${path}`, { headers: key === undefined ? {} : { "x-functions-key": key } })).status;
    expect(await status("secured")).toBe(401);
    expect(await status("secured", keys.default)).toBe(200);
    expect(await status("secured", keys.master)).toBe(200);
    expect(await status("secured", keys.system.eventgrid_extension)).toBe(401);
    expect(await status(`secured?code=${keys.default}`)).toBe(200);
    expect(await status(`secured?code=${keys.default}`, "wrong")).toBe(401);
    expect(await status("masterOnly", keys.default)).toBe(401);
    expect(await status("masterOnly", keys.master)).toBe(200);
    expect(await status("nothing", "wrong")).toBe(204);
    const refused = await fetch(`${url}/api/secured`);
    expect(await refused.text()).toBe("");
    expect(output()).not.toContain(keys.default);
  });

  test("what a handler returns or throws becomes the answer the real host gives", async () => {
    const { url, output } = await startApp(fixture("esm-app"), { env });
    const failed = await fetch(`${url}/api/fails`);
    expect([failed.status, await failed.text()]).toEqual([500, ""]);
    expect(output()).toContain("[Hidden Credential]");
    expect(output()).not.toContain("hunter2");
    expect((await fetch(`${url}/api/text`)).status).toBe(500);
    expect((await fetch(`${url}/api/nothing`)).status).toBe(204);
    expect((await fetch(`${url}/api/throwsNull`)).status).toBe(204);
    const cookies = await fetch(`${url}/api/cookies`);
    expect(cookies.status).toBe(201);
    expect(new Uint8Array(await cookies.arrayBuffer())).toEqual(new Uint8Array([0, 255, 1]));
    expect(cookies.headers.getSetCookie()).toEqual([
      "a=1%202; path=/; httponly",
      "b=x; max-age=60; path=/; samesite=strict",
    ]);
  });

  test("a body over the limit is answered 413 and never reaches the handler", async () => {
    const { url } = await startApp(fixture("esm-app"), { env });
    expect((await fetch(`${url}/api/echo/1`, { method: "POST", body: "x".repeat(1000) })).status).toBe(200);
    expect((await fetch(`${url}/api/echo/1`, { method: "POST", body: "x".repeat(1001) })).status).toBe(413);
    const chunk = `3e9\r\n${"x".repeat(1001)}\r\n`;
    const chunked = `POST /api/echo/1 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}0\r\n\r\n`;
    expect(await raw(url, chunked)).toMatch(/^HTTP\/1\.1 413 /);
  });

  test("hooks see and change an invocation, and log levels follow host.json", async () => {
    const { url, output } = await startApp(fixture("esm-app"), { env });
    expect(await (await fetch(`${url}/api/hooked`)).text()).toBe('{"body":"replaced handler"} from pre');
    await fetch(`${url}/api/talks`);
    await fetch(`${url}/api/quiet`);
    expect(output()).toMatch(/^\S+Z warning Function\.talks\.User it is \*\*\*$/m);
    expect(output()).not.toContain("kept quiet");
  });

  test("a stop lets running requests end, refuses new ones and says goodbye", async () => {
    const app = await startApp(fixture("esm-app"), { env });
    const slow = fetch(`${app.url}/api/slow`);
    await fetch(`${app.url}/api/nothing`);
    const stopped = app.stop();
    expect(await (await slow).text()).toBe("done");
    expect(await stopped).toBe(0);
    expect(app.output()).toContain("the app says goodbye");
    await expect(fetch(`${app.url}/api/nothing`)).rejects.toThrow("fetch failed");
  });

  test("a function that outlives functionTimeout fails, loudly", async () => {
    const { url, output } = await startApp(fixture("esm-app"), {
      env: { ...env, AzureFunctionsJobHost__functionTimeout: "00:00:00.1" },
    });
    expect((await fetch(`${url}/api/slow`)).status).toBe(500);
    expect(output()).toContain("Timeout value of 0.1 s");
  });

  test("a caller who waits longer than the cloud lets him is answered 504", async () => {
    const { url, output } = await startApp(fixture("esm-app"), { env, responseTimeoutMs: 50 });
    expect((await fetch(`${url}/api/slow`)).status).toBe(504);
    expect(output()).toContain("answer 202 and let the caller ask");
  });

  test("CORS settings answer preflights and mark answers for the origins they name", async () => {
    const main = 'import { app } from "@azure/functions"; app.put("thing", () => ({ body: "ok" }));';
    const settings =
      '{"Values":{"ORIGINAL":"file"},"Host":{"CORS":"http://one.test, http://two.test","CORSCredentials":true}}';
    const { url } = await startApp(createApp({ "main.js": main, "local.settings.json": settings }));
    const preflight = (origin: string) =>
      fetch(`${url}/api/thing`, { method: "OPTIONS", headers: { origin, "access-control-request-method": "PUT" } });
    const allowed = await preflight("http://two.test");
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get("access-control-allow-origin")).toBe("http://two.test");
    expect(allowed.headers.get("access-control-allow-methods")).toBe("PUT");
    expect((await preflight("http://evil.test")).headers.get("access-control-allow-origin")).toBeNull();
    const actual = await fetch(`${url}/api/thing`, { method: "PUT", headers: { origin: "http://one.test" } });
    expect([await actual.text(), actual.headers.get("access-control-allow-credentials")]).toEqual(["ok", "true"]);
  });
});
