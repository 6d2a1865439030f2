// The workspace in a process of its own, as the stack's supervisor forks it: options in, `ready` or `failed` out.
import { pino } from "pino";
import { z } from "zod";
import { receiveOptions } from "../child-options.ts";
import { keepCompiledSoon } from "../keep-compiled.ts";
import { createExecutor } from "./executor/executor.ts";
import { Faults } from "./faults.ts";
import { startWorkspace } from "./server.ts";

const ProcessOptions = z.object({
  stateFolder: z.string().min(1),
  cacheFolder: z.string().min(1),
  port: z.int().min(0).max(65_535).default(0),
  mlflowPort: z.int().min(0).max(65_535).default(0),
  subscriptionId: z.string().min(1),
  resourceGroup: z.string().min(1),
  workspaceName: z.string().min(1),
  token: z.string().min(16),
  blob: z.object({
    protocol: z.enum(["http", "https"]),
    endpoint: z.string().min(1),
    accountName: z.string().min(1),
    accountKey: z.string().min(1),
  }),
  eventEndpoints: z.array(z.url()).default([]),
  eventRetryScale: z.number().min(0).optional(),
  eventKnockMs: z.number().positive().optional(),
  maxConcurrent: z.int().min(1).optional(),
  environmentsFile: z.string().min(1).optional(),
  takesAnyCompute: z.boolean().optional(),
  statusDelayMs: z.int().min(0).optional(),
  faults: Faults.optional(),
});

/** What this process tells its parent. */
export type WorkspaceMessage =
  | { readonly type: "ready"; readonly url: string; readonly caFile: string; readonly mlflowUrl: string }
  | { readonly type: "failed"; readonly message: string };

/** The fields of an error that hold no request: those of storage clients carry signed headers. */
function toLoggedError(error: unknown): unknown {
  return error instanceof Error ? { type: error.name, message: error.message, stack: error.stack } : String(error);
}

const logger = pino(
  { name: "azureml", level: "info", serializers: { err: toLoggedError } },
  pino.destination({ dest: 2, sync: true }),
);

function tell(message: WorkspaceMessage): void {
  process.send?.(message);
}

try {
  const options = ProcessOptions.parse(await receiveOptions());
  const workspace = await startWorkspace({ ...options, createExecutor, logger });
  let isStopping = false;
  const stop = () => {
    if (isStopping) return;
    isStopping = true;
    workspace.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  for (const event of ["SIGTERM", "SIGINT", "disconnect"]) process.once(event, stop);
  const { url, caFile, mlflowUrl } = workspace;
  tell({ type: "ready", url, caFile, mlflowUrl });
  keepCompiledSoon();
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  logger.fatal({ err: error }, "workspace could not start");
  tell({ type: "failed", message });
  process.exitCode = 1;
  if (process.connected) process.disconnect();
}
