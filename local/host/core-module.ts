// Answers `require("@azure/functions-core")`, the one door between `@azure/functions` and whatever hosts it. The library
// asks once per process and remembers the answer, so there is one registry per process and it is there before the app is.
import { registerHooks } from "node:module";
import type { FunctionMetadata, InvocationRequest, InvocationResult, RetryContext, TypedData } from "./contract.ts";

type CoreLogLevel = "trace" | "debug" | "information" | "warning" | "error" | "critical" | "none";
type CoreLogCategory = "user" | "system" | "customMetric";
export type CoreLog = (level: CoreLogLevel, category: CoreLogCategory, text: string) => void;
export type FunctionCallback = (...args: unknown[]) => unknown;
export type HookCallback = (context: object) => unknown;

const hookNames = ["preInvocation", "postInvocation", "appStart", "appTerminate", "log"] as const;
type HookName = (typeof hookNames)[number];

/** What the library builds one invocation from. `state` tells it whether a log call comes too late. */
export interface CoreInvocationContext {
  readonly invocationId: string;
  readonly request: {
    readonly invocationId: string;
    readonly functionId: string;
    readonly inputData: readonly { name: string; data: TypedData }[];
    readonly triggerMetadata: InvocationRequest["triggerMetadata"];
    readonly traceContext: {
      traceParent: string;
      traceState: string;
      attributes: Record<string, string>;
    };
    readonly retryContext: RetryContext | undefined;
  };
  readonly metadata: FunctionMetadata;
  state: "preInvocationHooks" | "invocation" | "postInvocationHooks" | undefined;
  readonly log: CoreLog;
}

interface InvocationModel {
  getArguments(): Promise<{ context: object; inputs: unknown[] }>;
  invokeFunction(context: object, inputs: unknown[], callback: FunctionCallback): Promise<unknown>;
  getResponse(context: object, result: unknown): Promise<Partial<InvocationResult>>;
}

export interface ProgrammingModel {
  readonly name: string;
  readonly version: string;
  getInvocationModel(context: CoreInvocationContext): InvocationModel | Promise<InvocationModel>;
  getCapabilities(defaults: Record<string, string>): Record<string, string> | Promise<Record<string, string>>;
}

export interface RegisteredFunction {
  readonly metadata: FunctionMetadata;
  readonly callback: FunctionCallback;
}

export interface CoreRegistry {
  /** By name, in the order of registration. */
  readonly functions: ReadonlyMap<string, RegisteredFunction>;
  hooks(name: HookName): readonly HookCallback[];
  model(): ProgrammingModel | undefined;
  /** From here on nothing can be registered or taken back. Hooks still can, as on the real worker. */
  lock(): void;
}

const moduleId = "@azure/functions-core";
const moduleUrl = "azure-functions-core:answer";
const slot = Symbol.for("azure.functions.core");

/**
 * Makes the module resolvable for `require` (an ESM `import` of it fails, as it does on the real worker).
 * @throws when this process already has one: the library would go on talking to the first.
 */
export function installCoreModule(log: CoreLog): CoreRegistry {
  if (Reflect.has(globalThis, slot)) {
    throw new Error("One process can host one function app: start a new process for the next one.");
  }
  const { registry, api } = createCoreModule(log);
  Reflect.set(globalThis, slot, api);
  registerHooks({
    resolve(specifier, context, nextResolve) {
      return specifier === moduleId && context.conditions.includes("require")
        ? { url: moduleUrl, format: "commonjs", shortCircuit: true }
        : nextResolve(specifier, context);
    },
    load(url, context, nextLoad) {
      if (url !== moduleUrl) return nextLoad(url, context);
      const source = `module.exports = globalThis[Symbol.for(${JSON.stringify(slot.description)})];`;
      return { format: "commonjs", source, shortCircuit: true };
    },
  });
  return registry;
}

/** The module's members, apart from its installation. */
function createCoreModule(log: CoreLog): { registry: CoreRegistry; api: object } {
  const functions = new Map<string, RegisteredFunction>();
  const hooks = Object.fromEntries(hookNames.map((name) => [name, [] as HookCallback[]])) as Record<
    HookName,
    HookCallback[]
  >;
  let model: ProgrammingModel | undefined;
  let isLocked = false;

  function refuseWhenLocked(what: string): void {
    if (isLocked)
      throw systemError(
        new Error(`${what} during app startup. Is a registration behind an await that nobody waits for?`),
      );
  }

  const api = {
    version: "3.13.0",
    hostVersion: "4.1045.0",
    Disposable,
    log,
    registerFunction(metadata: FunctionMetadata, callback: FunctionCallback): Disposable {
      refuseWhenLocked("A function can only be registered");
      checkName(metadata.name, functions);
      functions.set(metadata.name, { metadata, callback });
      return new Disposable(() => {
        refuseWhenLocked("A function can only be disposed");
        functions.delete(metadata.name);
      });
    },
    registerHook(name: string, callback: HookCallback): Disposable {
      const callbacks = hookNames.includes(name as HookName) ? hooks[name as HookName] : undefined;
      if (callbacks === undefined) throw systemError(new RangeError(`Unrecognized hook "${name}"`));
      callbacks.push(callback);
      return new Disposable(() => {
        const index = callbacks.indexOf(callback);
        if (index >= 0) callbacks.splice(index, 1);
      });
    },
    setProgrammingModel(next: ProgrammingModel): void {
      refuseWhenLocked("The programming model can only be set");
      if (model !== undefined) {
        log(
          "warning",
          "system",
          "A second copy of @azure/functions is loaded: its setup() and HttpResponse are not those of the first.",
        );
      }
      model = next;
    },
    getProgrammingModel: () => model,
  };

  return {
    api,
    registry: {
      functions,
      hooks: (name) => hooks[name],
      model: () => model,
      lock() {
        isLocked = true;
      },
    },
  };
}

function checkName(name: string, functions: ReadonlyMap<string, RegisteredFunction>): void {
  if (!/^[A-Za-z][A-Za-z0-9_-]{0,127}$/.test(name) || name.toLowerCase() === "host") {
    throw systemError(
      new Error(
        `The function name "${name}" is not allowed: a letter, then up to 127 letters, digits, "_" or "-", and not "host".`,
      ),
    );
  }
  const twin = [...functions.keys()].find((other) => other.toLowerCase() === name.toLowerCase());
  if (twin !== undefined) {
    throw systemError(
      new Error(`A function named "${twin}" is already registered; "${name}" would be the same to the host.`),
    );
  }
}

function systemError<E extends Error>(error: E): E {
  return Object.assign(error, { isAzureFunctionsSystemError: true });
}

// A class because the contract of the module says so: the library's callers may construct it.
class Disposable {
  #callOnDispose: (() => unknown) | undefined;

  constructor(callOnDispose: () => unknown) {
    this.#callOnDispose = callOnDispose;
  }

  static from(...disposables: { dispose(): unknown }[]): Disposable {
    return new Disposable(() => {
      for (const disposable of disposables) disposable.dispose();
    });
  }

  dispose(): unknown {
    const call = this.#callOnDispose;
    this.#callOnDispose = undefined;
    return call?.();
  }
}
