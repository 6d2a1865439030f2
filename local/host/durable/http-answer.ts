// The few things that the management API needs of HTTP.
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON, unless it is a `text`. */
  readonly body?: unknown;
  readonly text?: string;
}

/** An answer other than success, thrown to the API's one catch. */
export class Refusal extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.name = "Refusal";
    this.status = status;
  }
}

/** The body as text. @throws Refusal when it is longer than `maximumBytes` or ends early. */
export async function readBody(request: IncomingMessage, maximumBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maximumBytes)
      throw new Refusal(413, `the body has more than ${maximumBytes} bytes: pass a reference instead`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

export function sendAnswer(response: ServerResponse, { status, headers = {}, body, text }: Answer): void {
  const content = text ?? (body === undefined ? "" : JSON.stringify(body));
  const type = text === undefined ? "application/json; charset=utf-8" : "text/plain; charset=utf-8";
  response.writeHead(status, STATUS_CODES[status] ?? "", {
    ...(content === "" ? {} : { "content-type": type }),
    "content-length": Buffer.byteLength(content),
    ...headers,
  });
  response.end(content);
}
