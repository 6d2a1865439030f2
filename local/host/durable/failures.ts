// The texts in which failures travel. Durable hands text from one instance to the next, never an error object.
import type { InvocationFailure } from "../contract.ts";
import type { FailureDetails } from "./events.ts";

/** Why an instance ended in Failed. */
export interface OrchestrationFailure {
  /** The instance's output and what a parent gets as the reason. */
  readonly output: string;
  /** What a parent gets as details. */
  readonly details: string;
}

/** The app asked for something that this host does not do. It fails the instance. */
export class Refused extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = "Refused";
  }
}

/** A mistake of the app that the cloud swallows: there the instance would stay Running for ever. */
export class WouldHang extends Refused {
  constructor(reason: string) {
    super(`${reason} (would hang: in the cloud this instance stays Running for ever and says nothing)`);
    this.name = "WouldHang";
  }
}

/** The history holds something that the code no longer asks for. */
export class NonDeterministic extends Refused {
  constructor(reason: string) {
    super(
      `Non-Deterministic workflow detected: ${reason}. An orchestrator must do the same in every replay: no clock, no random, no changed code under a running instance`,
    );
    this.name = "NonDeterministic";
  }
}

/** What a thrown value says about itself, whatever it is. */
export function textOf(error: unknown): { message: string; stack: string } {
  if (isInvocationFailure(error)) return { message: error.userMessage, stack: error.userStack };
  if (error instanceof Error) return { message: error.message, stack: error.stack ?? "" };
  return { message: String(error), stack: "" };
}

export function orchestrationFailure(name: string, message: string, stack: string): OrchestrationFailure {
  return {
    output: `Orchestrator function '${name}' failed: ${message}`,
    details: `Message: ${message}, StackTrace: ${stack}`,
  };
}

/** The fields of `TaskFailed` for an activity. The two spaces are the real host's. */
export function activityFailure(name: string, error: unknown) {
  const { message, stack } = textOf(error);
  const details = failureDetails(message);
  return {
    Reason: `Activity function '${name}' failed:  ${details?.ErrorMessage ?? message}`,
    Details: dotNetException(`Result: Failure\nException: ${message}\nStack: ${stack}`, stack),
    FailureDetails: details,
  };
}

/** An exception of .NET as its JSON serialiser writes it. */
export function dotNetException(message: string, stack: string): string {
  return JSON.stringify({
    $type: "System.Exception, System.Private.CoreLib",
    ClassName: "System.Exception",
    Message: message,
    Data: null,
    InnerException: null,
    HelpURL: null,
    StackTraceString: stack,
    RemoteStackTraceString: null,
    RemoteStackIndex: 0,
    ExceptionMethod: null,
    HResult: -2146233088,
    Source: null,
    WatsonBuckets: null,
  });
}

/** Structured failures: the library puts JSON into the message once the app has registered an exception properties provider. */
function failureDetails(message: string): FailureDetails | null {
  if (!message.startsWith('{"errorType"')) return null;
  try {
    const raw = JSON.parse(message) as Record<string, unknown>;
    return {
      ErrorType: String(raw["errorType"]),
      ErrorMessage: String(raw["errorMessage"]),
      StackTrace: typeof raw["stackTrace"] === "string" ? raw["stackTrace"] : null,
      IsNonRetriable: raw["isNonRetriable"] === true,
      Properties: (raw["properties"] as Record<string, unknown> | undefined) ?? null,
      InnerFailure: null,
    };
  } catch {
    return null;
  }
}

function isInvocationFailure(error: unknown): error is InvocationFailure {
  return error instanceof Error && "userMessage" in error && typeof error.userMessage === "string";
}
