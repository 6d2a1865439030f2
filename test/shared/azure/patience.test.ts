import { createHttpHeaders, createPipelineRequest, type PipelineResponse, RestError } from "@azure/core-rest-pipeline";
import { describe, expect, test } from "vitest";
import { createPatience } from "#shared/azure/patience.ts";

interface Call {
  /** Milliseconds since the start. */
  readonly at: number;
  readonly method: string;
}

type Answer = { readonly status: number; readonly headers?: Record<string, string> } | "refused";

/** A service on a clock of its own: a sleep is over at once and the clock is later. */
function service(answer: (call: Call, count: number) => Answer) {
  let clock = 0;
  const calls: Call[] = [];
  const policy = createPatience({
    now: () => clock,
    sleep: (ms) => {
      clock += ms;
      return Promise.resolve();
    },
  });
  const send = (method: "GET" | "PUT" = "GET") => {
    const request = createPipelineRequest({ url: "https://service/x", method });
    return policy.sendRequest(request, (sent): Promise<PipelineResponse> => {
      const call = { at: clock, method: sent.method };
      calls.push(call);
      const told = answer(call, calls.length);
      if (told === "refused") return Promise.reject(new RestError("connect ECONNREFUSED", { code: "ECONNREFUSED" }));
      return Promise.resolve({
        request: sent,
        status: told.status,
        headers: createHttpHeaders(told.headers ?? {}),
        bodyAsText: "{}",
      });
    });
  };
  return {
    calls,
    send,
    wait: (ms: number) => {
      clock += ms;
    },
  };
}
const ok: Answer = { status: 200 };
const busy = (seconds: number): Answer => ({ status: 429, headers: { "retry-after": String(seconds) } });

describe("towards a service that is busy", () => {
  test("Retry-After is obeyed, with a little to spare for clocks that round", async () => {
    const { calls, send } = service((_call, count) => (count === 1 ? busy(3) : ok));
    expect((await send()).status).toBe(200);
    expect(calls.map(({ at }) => at)).toEqual([0, 3020]);
  });

  test("nobody else knocks before its time either, and writes are not held by reads", async () => {
    const { calls, send } = service((_call, count) => (count === 1 ? busy(60) : ok));
    await expect(send()).rejects.toMatchObject({ code: "Unavailable", retryAfterSeconds: 60 });
    await expect(send()).rejects.toMatchObject({ code: "Unavailable", retryAfterSeconds: 61 });
    expect(calls).toHaveLength(1);
    expect((await send("PUT")).status).toBe(200);
  });

  test("a time that is a date, or in milliseconds, is understood", async () => {
    const date = service((_call, count) =>
      count === 1 ? { status: 503, headers: { "retry-after": new Date(4_000).toUTCString() } } : ok,
    );
    await date.send();
    expect(date.calls.map(({ at }) => at)).toEqual([0, 4020]);
    const ms = service((_call, count) =>
      count === 1 ? { status: 429, headers: { "x-ms-retry-after-ms": "70" } } : ok,
    );
    await ms.send();
    expect(ms.calls.map(({ at }) => at)).toEqual([0, 90]);
  });
});

describe("towards a service that is down", () => {
  test("a call is tried four times in some seconds and then given back", async () => {
    const { calls, send } = service((_call, count) => (count <= 2 ? { status: 500 } : ok));
    expect((await send()).status).toBe(200);
    expect(calls.map(({ at }) => at)).toEqual([0, 500, 1500]);
  });

  test("two minutes cost a dozen calls, however many callers there are, and one finds out that it is back", async () => {
    const { calls, send, wait } = service(({ at }) => (at < 120_000 ? "refused" : ok));
    let last: number | undefined;
    for (let round = 0; round < 200 && last === undefined; round += 1) {
      const results = await Promise.allSettled([send(), send(), send()]);
      if (results.every(({ status }) => status === "fulfilled")) last = calls.at(-1)?.at;
      wait(1000);
    }
    expect(calls.filter(({ at }) => at < 120_000).length).toBeLessThan(20);
    expect(last).toBeLessThan(120_000 + 35_000);
  });

  test("what the service refuses with reason is nobody's outage", async () => {
    const { calls, send } = service(() => ({ status: 400 }));
    for (let round = 0; round < 10; round += 1) expect((await send()).status).toBe(400);
    expect(calls).toHaveLength(10);
  });
});
