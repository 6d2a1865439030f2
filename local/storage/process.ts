// The storage account of a stack: Azurite as a child, the pass-through before it and Event Grid behind that. Forked by
// the supervisor, which sends its options; ends when the supervisor does.
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { pino } from "pino";
import { z } from "zod";
import { receiveOptions } from "../child-options.ts";
import { EventFaults } from "../event-faults.ts";
import { createEventGrid } from "../event-grid.ts";
import { openOutbox } from "../event-outbox.ts";
import { keepCompiledSoon } from "../keep-compiled.ts";
import { startAzurite } from "./azurite.ts";
import { createBlobCreated } from "./blob-created.ts";
import { createCommits } from "./commits.ts";
import { createControl } from "./control.ts";
import { createPassThrough } from "./pass-through.ts";

const StorageOptions = z.object({
  stateFolder: z.string(),
  /** Clients' port and Azurite's own. */
  port: z.number().int(),
  azuritePort: z.number().int(),
  accountName: z.string(),
  accountKey: z.string(),
  /** ARM id of the account: the events' topic. */
  topic: z.string(),
  /** Opens `/_embedded/...`. */
  token: z.string(),
  subscriptions: z.array(
    z.object({
      name: z.string(),
      endpoint: z.string(),
      subjectBeginsWith: z.string().optional(),
      subjectEndsWith: z.string().optional(),
      includedEventTypes: z.array(z.string()).optional(),
    }),
  ),
  faults: EventFaults.optional(),
  retryScale: z.number().positive().optional(),
  knockMs: z.number().positive().optional(),
});
export type StorageOptions = z.input<typeof StorageOptions>;

const stopGraceMs = 8000;

async function main(): Promise<void> {
  // Heard from the first moment on: the supervisor may be gone before we serve.
  const abandoned = once(process, "disconnect");
  const options = StorageOptions.parse(await receiveOptions());
  const { stateFolder, port, azuritePort, accountName, accountKey, topic, token, subscriptions } = options;
  const { faults, retryScale, knockMs } = options;
  const log = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime });
  mkdirSync(stateFolder, { recursive: true, mode: 0o700 });
  const azuriteReady = startAzurite({ folder: stateFolder, port: azuritePort, accountName, accountKey });
  const url = `http://127.0.0.1:${port}`;
  const outbox = openOutbox(join(stateFolder, "events.sqlite"));
  const grid = createEventGrid({ log, faults, retryScale, knockMs, outbox });
  const commits = createCommits();
  const server = createPassThrough({
    upstreamPort: azuritePort,
    upstreamReady: azuriteReady,
    onAnswer: createBlobCreated({
      upstreamPort: azuritePort,
      url,
      topic,
      accountName,
      accountKey,
      publish: grid.publish,
      onCommit: (container, blob) => commits.add(container, blob),
    }),
    serve: createControl({ grid, commits, token }),
  });

  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const azurite = await azuriteReady;
  let isStopping = false;
  void abandoned.then(async () => {
    isStopping = true;
    grid.close();
    server.close();
    server.closeAllConnections();
    await azurite.stop(stopGraceMs);
    process.exit(0);
  });
  void azurite.ended.then(() => {
    if (isStopping) return;
    log.error("Azurite ended by itself");
    process.exit(1);
  });
  for (const subscription of subscriptions) grid.subscribe({ ...subscription, topic });
  process.send?.({ type: "ready", url });
  keepCompiledSoon();
}

main().catch((error: unknown) => {
  console.error(
    error instanceof z.ZodError ? z.prettifyError(error) : error instanceof Error ? error.message : String(error),
  );
  process.exit(1);
});
