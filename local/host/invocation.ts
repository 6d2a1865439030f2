// One invocation, phase by phase as the Node worker does it: arguments, pre hooks, the function, post hooks, response.
import type { InvocationResult } from "./contract.ts";
import type {
  CoreInvocationContext,
  CoreLog,
  CoreRegistry,
  FunctionCallback,
  HookCallback,
  ProgrammingModel,
  RegisteredFunction,
} from "./core-module.ts";
import { copyTypedData } from "./typed-data.ts";

export interface InvocationOptions {
  readonly registry: CoreRegistry;
  readonly model: ProgrammingModel;
  readonly target: RegisteredFunction;
  readonly request: CoreInvocationContext["request"];
  /** Receives what is left of a log entry after the log hooks. */
  readonly log: CoreLog;
  /** Looks at the function's result before it becomes a response; may throw to fail the invocation. */
  readonly checkResult?: (result: unknown) => void;
}

/**
 * Runs the protocol once.
 * @throws whatever the app threw, unless that was null or undefined (the worker takes those for success)
 */
export async function runInvocation(options: InvocationOptions): Promise<InvocationResult> {
  const { registry, target, request } = options;
  const hookData = {};
  // Filled in as soon as the library has made it; log entries before that carry none.
  const scope: { hookData: object; invocationContext?: object } = { hookData };
  const core: CoreInvocationContext = {
    invocationId: request.invocationId,
    request,
    metadata: target.metadata,
    state: undefined,
    log(level, category, text) {
      logThroughHooks(options, { ...scope, level, category, message: text });
    },
  };
  const model = await options.model.getInvocationModel(core);
  const { context, inputs } = await model.getArguments();
  scope.invocationContext = context;

  const before: {
    hookData: object;
    invocationContext: object;
    inputs: unknown[];
    functionCallback: FunctionCallback;
  } = {
    hookData,
    invocationContext: context,
    inputs,
    functionCallback: target.callback,
  };
  core.state = "preInvocationHooks";
  await runHooks(registry.hooks("preInvocation"), before);

  const after: {
    hookData: object;
    invocationContext: object;
    inputs: unknown[];
    result: unknown;
    error: unknown;
  } = {
    hookData,
    invocationContext: context,
    inputs: before.inputs,
    result: null,
    error: null,
  };
  core.state = "invocation";
  try {
    after.result = await model.invokeFunction(context, before.inputs, before.functionCallback);
  } catch (error) {
    after.error = error;
  }
  core.state = "postInvocationHooks";
  await runHooks(registry.hooks("postInvocation"), after);
  core.state = undefined;

  if (after.error !== null && after.error !== undefined) throw after.error;
  options.checkResult?.(after.result);
  const response = await model.getResponse(context, after.result);
  return {
    // The library answers null for null, which is no typed data.
    returnValue: response.returnValue ? copyTypedData(response.returnValue) : undefined,
    outputData: (response.outputData ?? []).map(({ name, data }) => ({
      name,
      data: copyTypedData(data),
    })),
  };
}

/** Runs app or invocation hooks one after the other on one shared, mutable context. */
export async function runHooks(hooks: readonly HookCallback[], context: object): Promise<void> {
  for (const hook of hooks.slice()) await hook(context);
}

interface LogEntry {
  hookData: object;
  invocationContext?: object;
  level: Parameters<CoreLog>[0];
  category: Parameters<CoreLog>[1];
  message: string;
}

function logThroughHooks(options: InvocationOptions, entry: LogEntry): void {
  for (const hook of options.registry.hooks("log")) hook(entry);
  options.log(entry.level, entry.category, entry.message);
}
