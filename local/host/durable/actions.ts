// What an orchestrator function hands back: everything it wants done since the start of its execution, as one list.

export const ActionType = {
  CallActivity: 0,
  CallActivityWithRetry: 1,
  CallSubOrchestrator: 2,
  CallSubOrchestratorWithRetry: 3,
  ContinueAsNew: 4,
  CreateTimer: 5,
  WaitForExternalEvent: 6,
  CallEntity: 7,
  CallHttp: 8,
  SignalEntity: 9,
  WhenAny: 11,
  WhenAll: 12,
} as const;

type TypeOf<Name extends keyof typeof ActionType> = (typeof ActionType)[Name];

export interface RetryOptions {
  readonly firstRetryIntervalInMilliseconds: number;
  readonly maxNumberOfAttempts: number;
  readonly backoffCoefficient?: number;
  readonly maxRetryIntervalInMilliseconds?: number;
  readonly retryTimeoutInMilliseconds?: number;
}

export interface HttpRequestAction {
  readonly method: string;
  readonly uri: string;
  readonly content?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly tokenSource?: unknown;
  readonly asynchronousPatternEnabled?: boolean;
}

interface CallActivity {
  readonly actionType: TypeOf<"CallActivity">;
  readonly functionName: string;
  /** A string arrives JSON-encoded by the library, anything else as it is. */
  readonly input?: unknown;
}

interface CallActivityWithRetry extends Omit<CallActivity, "actionType"> {
  readonly actionType: TypeOf<"CallActivityWithRetry">;
  readonly retryOptions: RetryOptions;
}

export interface CallSubOrchestrator {
  readonly actionType: TypeOf<"CallSubOrchestrator">;
  readonly functionName: string;
  readonly input?: unknown;
  readonly instanceId?: string;
  readonly version?: string;
}

interface CallSubOrchestratorWithRetry extends Omit<CallSubOrchestrator, "actionType"> {
  readonly actionType: TypeOf<"CallSubOrchestratorWithRetry">;
  readonly retryOptions: RetryOptions;
}

export interface CreateTimer {
  readonly actionType: TypeOf<"CreateTimer">;
  /** ISO 8601. */
  readonly fireAt: string;
  readonly isCanceled: boolean;
}

export interface EntityAction {
  readonly actionType: TypeOf<"CallEntity"> | TypeOf<"SignalEntity">;
  /** `@name@key`, the name in lower case. */
  readonly instanceId: string;
  readonly operation: string;
  readonly input?: unknown;
}

interface Compound {
  readonly actionType: TypeOf<"WhenAny"> | TypeOf<"WhenAll">;
  readonly compoundActions: readonly Action[];
}

export type Action =
  | CallActivity
  | CallActivityWithRetry
  | CallSubOrchestrator
  | CallSubOrchestratorWithRetry
  | { readonly actionType: TypeOf<"ContinueAsNew">; readonly input?: unknown }
  | CreateTimer
  | { readonly actionType: TypeOf<"WaitForExternalEvent">; readonly externalEventName: string }
  | { readonly actionType: TypeOf<"CallHttp">; readonly httpRequest: HttpRequestAction }
  | EntityAction
  | Compound;

export interface OrchestratorState {
  readonly isDone: boolean;
  /** One entry per yield. */
  readonly actions: readonly Action[];
  /** Set as soon as the function has thrown; empty when it threw something without a message. */
  readonly error?: string;
  readonly output?: unknown;
  readonly customStatus?: unknown;
}

/**
 * Reads the state that the library returned, or attached to the error it threw.
 * @throws TypeError when the text is not the protocol's.
 */
export function parseOrchestratorState(text: string): OrchestratorState {
  const raw: unknown = JSON.parse(text);
  if (typeof raw !== "object" || raw === null) throw new TypeError("it is not an object");
  const { isDone, actions, schemaVersion, ...rest } = raw as Record<string, unknown>;
  if (typeof isDone !== "boolean") throw new TypeError("isDone is not a boolean");
  if (typeof schemaVersion !== "number" || schemaVersion < 1) throw new TypeError("schemaVersion is below 1");
  if (!Array.isArray(actions) || actions.length !== 1 || !Array.isArray(actions[0])) {
    throw new TypeError("actions is not one list in a list");
  }
  return { ...rest, isDone, actions: actions[0] as Action[] };
}
