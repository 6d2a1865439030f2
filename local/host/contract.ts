// What the host's parts agree on: the worker invokes functions, an extension (durable) is driven by them and serves its
// own webhooks. Names follow the Functions RPC.
import type { IncomingMessage, ServerResponse } from "node:http";

/** Exactly one member is set; none means null. */
export interface TypedData {
  string?: string;
  json?: string;
  bytes?: Uint8Array;
  int?: number;
  double?: number;
  http?: HttpData;
  stream?: Uint8Array;
}

export interface HttpData {
  url?: string;
  method?: string;
  statusCode?: string;
  nullableHeaders?: Record<string, { value: string }>;
  headers?: Record<string, string>;
  nullableQuery?: Record<string, { value: string }>;
  nullableParams?: Record<string, { value: string }>;
  cookies?: unknown[];
  body?: TypedData;
  enableContentNegotiation?: boolean;
}

export interface BindingMetadata {
  readonly type: string;
  readonly direction: "in" | "out";
  readonly [option: string]: unknown;
}

export interface FunctionMetadata {
  readonly name: string;
  readonly bindings: Readonly<Record<string, BindingMetadata>>;
  readonly retryOptions?: unknown;
}

export interface InvocationRequest {
  readonly functionName: string;
  /** Data of the trigger binding; the worker adds the other inputs (a durable client, say) from the extensions. */
  readonly trigger: TypedData;
  readonly triggerMetadata?: Readonly<Record<string, TypedData>>;
  /** Chosen by the caller when something else must carry the same id; a fresh one otherwise. */
  readonly invocationId?: string;
  /** W3C `traceparent` of what caused the call; a fresh one otherwise. */
  readonly traceParent?: string;
  /** Set from the second attempt on. */
  readonly retryContext?: RetryContext;
}

export interface RetryContext {
  readonly retryCount: number;
  /** -1 means for ever. */
  readonly maxRetryCount: number;
  readonly exception?: {
    readonly message: string;
    readonly stackTrace: string;
    readonly source: string;
  };
}

export interface InvocationResult {
  readonly returnValue: TypedData | undefined;
  readonly outputData: readonly { name: string; data: TypedData }[];
}

/** Rejection of `Worker.invoke`: what the host makes of a thrown error, message already credential-filtered. */
export interface InvocationFailure extends Error {
  readonly userMessage: string;
  readonly userStack: string;
}

export interface Worker {
  readonly functions: readonly FunctionMetadata[];
  invoke(request: InvocationRequest): Promise<InvocationResult>;
}

/** A host extension that owns triggers and HTTP endpoints of its own. */
export interface Extension {
  /** Value of an input binding of this extension on any function, e.g. the `durableClient` input. */
  inputBinding(binding: BindingMetadata): TypedData | undefined;
  /** Serves `/runtime/webhooks/{extension}/...`; the host has checked no key yet. */
  handleWebhook(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void>;
  start(): Promise<void>;
  /** Waits for work in hand up to `graceMs`, then leaves it for the next start. */
  stop(graceMs: number): Promise<void>;
}

export interface HostKeys {
  readonly master: string;
  /** Host-wide function key. */
  readonly default: string;
  readonly system: {
    readonly durabletask_extension: string;
    readonly eventgrid_extension: string;
    readonly blobs_extension: string;
  };
}

export interface HostLog {
  (level: "trace" | "debug" | "information" | "warning" | "error" | "critical", category: string, text: string): void;
}
