import { readFile } from "node:fs/promises";
import { createServer, request as sendRequest, type IncomingMessage } from "node:http";
import { once } from "node:events";
import { createHash, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findFreePorts } from "#local/free-ports.ts";
import { createPassThrough } from "#local/storage/pass-through.ts";
import { startStorage } from "./start-storage.ts";

describe("the pass-through before Azurite", () => {
  let storage: Awaited<ReturnType<typeof startStorage>>;
  beforeAll(async () => {
    storage = await startStorage({});
    await storage.blobs.createContainer("data");
  });
  afterAll(() => storage.close());

  test("ranges, conditions, HEAD and listings answer as the service does", async () => {
    const folder = storage.blobs.getContainerClient("data");
    const blob = folder.getBlockBlobClient("digits");
    const { etag = "" } = await blob.upload("0123456789", 10, { metadata: { made: "here" } });
    expect((await blob.downloadToBuffer(2, 3)).toString()).toBe("234");
    expect(await blob.getProperties()).toMatchObject({
      contentLength: 10,
      etag,
      metadata: { made: "here" },
    });
    await expect(blob.download(0, 10, { conditions: { ifMatch: '"0x0"' } })).rejects.toMatchObject({
      statusCode: 412,
    });
    await expect(folder.getBlobClient("nothing").getProperties()).rejects.toMatchObject({
      statusCode: 404,
    });
    const names: string[] = [];
    for await (const item of folder.listBlobsFlat()) names.push(item.name);
    expect(names).toContain("digits");
  });

  test("a wrong signature is refused by the service itself", async () => {
    const answer = await fetch(
      `${storage.url}/testaccount/data/digits?sv=2018-11-09&ss=b&srt=o&sp=r&se=2099-12-31&sig=bad`,
    );
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain("failed to authenticate");
  });

  test("200 MB up and down keep the process small and the bytes the same", async () => {
    const blob = storage.blobs.getContainerClient("data").getBlockBlobClient("large");
    const chunk = randomBytes(1024 * 1024);
    const before = await residentMegabytes(storage.pid());
    const sent = createHash("sha256");
    const bytes = Readable.from(
      (function* () {
        for (let i = 0; i < 200; i++) {
          sent.update(chunk);
          yield chunk;
        }
      })(),
    );
    await blob.uploadStream(bytes, 8 * 1024 * 1024, 2);
    const received = createHash("sha256");
    const { readableStreamBody, contentLength } = await blob.download();
    for await (const part of readableStreamBody ?? []) received.update(part as Buffer);
    expect(contentLength).toBe(200 * 1024 * 1024);
    expect(received.digest("hex")).toBe(sent.digest("hex"));
    expect((await residentMegabytes(storage.pid(), "VmHWM")) - before).toBeLessThan(80);
  });
});

describe("the pass-through before a server of the test", () => {
  async function startBoth(onRequest: (request: IncomingMessage) => void, expects100 = false) {
    const [upstreamPort = 0] = await findFreePorts(1);
    const upstream = createServer((request, response) => {
      onRequest(request);
      request.resume().on("end", () => response.end(request.headers.host));
    });
    if (expects100) upstream.on("checkContinue", (_request, response) => response.writeHead(417).end());
    upstream.listen(upstreamPort, "127.0.0.1");
    const server = createPassThrough({
      upstreamPort,
      onAnswer: () => undefined,
      serve: () => false,
    });
    server.listen(0, "127.0.0.1");
    await Promise.all([once(upstream, "listening"), once(server, "listening")]);
    const address = server.address();
    if (typeof address !== "object" || address === null) throw new Error("no address");
    const close = () => {
      for (const one of [server, upstream]) {
        one.close();
        one.closeAllConnections();
      }
    };
    return { port: address.port, upstream, close };
  }

  test("headers arrive as they were sent, Host and repeated ones among them", async () => {
    let seen: string[] = [];
    const { port, close } = await startBoth((request) => (seen = request.rawHeaders));
    const headers = ["Host", "account.blob.example", "x-MS-Meta-Case", "1", "x-twice", "a", "x-twice", "b"];
    const request = sendRequest({ host: "127.0.0.1", port, headers, setHost: false }).end();
    const [answer] = (await once(request, "response")) as [IncomingMessage];
    expect((await answer.toArray()).join("")).toBe("account.blob.example");
    expect(seen.slice(0, headers.length)).toEqual(headers);
    close();
  });

  test("a client that waits for 100 sends nothing before the server behind agrees", async () => {
    for (const [refuses, status] of [
      [false, 200],
      [true, 417],
    ] as const) {
      const { port, close } = await startBoth(() => undefined, refuses);
      const headers = { expect: "100-continue", "content-length": 4 };
      const request = sendRequest({ host: "127.0.0.1", port, method: "PUT", headers });
      let continues = 0;
      request.on("continue", () => {
        continues += 1;
        request.end("body");
      });
      request.flushHeaders();
      const [answer] = (await once(request, "response")) as [IncomingMessage];
      answer.resume();
      expect([answer.statusCode, continues]).toEqual([status, refuses ? 0 : 1]);
      request.destroy();
      close();
    }
  });

  test("connections to the server behind are kept and shared by the calls", async () => {
    const sockets = new Set<unknown>();
    const { port, close } = await startBoth((request) => sockets.add(request.socket));
    for (let i = 0; i < 20; i++) await (await fetch(`http://127.0.0.1:${port}/${i}`)).text();
    expect(sockets.size).toBe(1);
    close();
  });

  test("while the server behind is away callers are told to try again", async () => {
    const { port, upstream, close } = await startBoth(() => undefined);
    upstream.close();
    upstream.closeAllConnections();
    const answer = await fetch(`http://127.0.0.1:${port}/a/b/c`, { method: "PUT", body: "x" });
    expect([answer.status, answer.headers.get("x-ms-error-code")]).toEqual([503, "ServerBusy"]);
    close();
  });

  test("a client that goes away ends the call behind it", async () => {
    const gone = Promise.withResolvers<boolean>();
    const { port, close } = await startBoth((request) => request.on("close", () => gone.resolve(request.complete)));
    const request = sendRequest({
      host: "127.0.0.1",
      port,
      method: "PUT",
      headers: { "content-length": 1000 },
    });
    request.on("error", () => undefined);
    request.write("some");
    setTimeout(() => request.destroy(), 50);
    expect(await gone.promise).toBe(false);
    close();
  });
});

async function residentMegabytes(pid: number, field = "VmRSS"): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
}
