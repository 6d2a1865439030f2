import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createAddressGuard } from "#functions/webhooks/guard-address.ts";
import { postMessage } from "#functions/webhooks/post-message.ts";
import { createSecret, signatureHeaders } from "#functions/webhooks/sign.ts";

const loopback = createAddressGuard(["127.0.0.0/8", "::1"]);

let url: string;
let requests: { path: string; body: string; headers: IncomingMessage["headers"] }[];
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let close: () => void;

beforeEach(async () => {
  requests = [];
  answer = (_request, response) => response.writeHead(204).end();
  const server = createServer((request, response) => {
    void request.toArray().then((chunks) => {
      requests.push({ path: request.url ?? "", body: Buffer.concat(chunks).toString(), headers: request.headers });
      answer(request, response);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?key=1`;
  close = () => {
    server.close();
    server.closeAllConnections();
  };
});
afterEach(() => close());

describe("one try", () => {
  test("posts the body with its signature", async () => {
    const secret = createSecret();
    const body = '{"type":"run.completed"}';
    const result = await postMessage(loopback, url, body, signatureHeaders("msg_1", 1_700_000_000, body, [secret]));
    expect(result).toEqual({ kind: "delivered", status: 204 });
    expect(requests).toHaveLength(1);
    expect(requests[0]).toMatchObject({ path: "/hook?key=1", body });
    expect(requests[0]?.headers).toMatchObject({ "webhook-id": "msg_1", "webhook-timestamp": "1700000000" });
    const key = Buffer.from(secret.replace("whsec_", ""), "base64");
    const expected = createHmac("sha256", key).update(`msg_1.1700000000.${body}`).digest("base64");
    expect(requests[0]?.headers["webhook-signature"]).toBe(`v1,${expected}`);
  });

  test("is signed as the specification's own example is", () => {
    const headers = signatureHeaders("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, '{"test": 2432232314}', [
      "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    ]);
    expect(headers["webhook-signature"]).toBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  });

  test("is signed with both secrets while they are changed", () => {
    const both = signatureHeaders("i", 1, "b", [createSecret(), createSecret()])["webhook-signature"]?.split(" ");
    expect(both).toHaveLength(2);
    expect(new Set(both).size).toBe(2);
  });

  test("follows no redirect", async () => {
    answer = (_request, response) => response.writeHead(302, { location: url.replace("/hook", "/elsewhere") }).end();
    expect(await postMessage(loopback, url, "{}", {})).toEqual({
      kind: "failed",
      reason: "it answered 302: redirects are not followed",
    });
    expect(requests).toHaveLength(1);
  });

  test("hears when it may be repeated, and when it is not wanted any more", async () => {
    answer = (_request, response) => response.writeHead(429, { "retry-after": "17" }).end();
    expect(await postMessage(loopback, url, "{}", {})).toEqual({
      kind: "failed",
      reason: "it answered 429",
      retryAfterSeconds: 17,
    });
    answer = (_request, response) => response.writeHead(410).end();
    expect(await postMessage(loopback, url, "{}", {})).toMatchObject({ kind: "refused" });
  });

  test("reads nothing of an answer without an end", async () => {
    let isClosed = false;
    answer = (_request, response) => {
      response.on("close", () => (isClosed = true));
      response.writeHead(200);
      const more = () => void (response.destroyed || (response.write("x".repeat(65_536)), setImmediate(more)));
      more();
    };
    expect(await postMessage(loopback, url, "{}", {})).toMatchObject({ kind: "delivered" });
    for (let turns = 0; !isClosed && turns < 200; turns += 1) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(isClosed).toBe(true);
  });

  test("says why nobody was there", async () => {
    close();
    expect(await postMessage(loopback, url, "{}", {})).toEqual({
      kind: "failed",
      reason: "it cannot be reached (ECONNREFUSED)",
    });
  });
});

describe("a destination that must not be reached", () => {
  const closed = createAddressGuard([]);

  test.each([
    "https://127.0.0.1/x",
    "https://2130706433/x",
    "https://0x7f.1/x",
    "https://[::1]/x",
    "https://[::ffff:7f00:1]/x",
    "https://169.254.169.254/metadata",
  ])("as an address, however it is written: %s", async (address) => {
    expect(await postMessage(closed, address, "{}", {})).toMatchObject({ kind: "refused" });
  });

  test("behind a name is refused when it is connected to", async () => {
    const named = url.replace("127.0.0.1", "localhost").replace("http:", "https:");
    expect(await postMessage(closed, named, "{}", {})).toMatchObject({
      kind: "refused",
      reason: expect.stringContaining("private, local"),
    });
    expect(requests).toEqual([]);
  });

  test("by plain http is refused unless it is an exception", async () => {
    expect(await postMessage(closed, "http://203.0.114.1/x", "{}", {})).toMatchObject({
      kind: "refused",
      reason: expect.stringContaining("plain http"),
    });
    expect(await postMessage(loopback, url.replace("127.0.0.1", "localhost"), "{}", {})).toMatchObject({
      kind: "delivered",
    });
  });
});
