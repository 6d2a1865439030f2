// What the host makes of an error that the app threw: a text, with credentials taken out of it.
import type { InvocationFailure } from "./contract.ts";

// The host's own list, longest first where one starts another. From a token everything goes up to the next `<` or quote.
const tokens = [
  "DefaultEndpointsProtocol=http",
  "SharedAccessKey=",
  "Data Source=",
  "AccountKey=",
  "Password=",
  "Server=",
  "Token=",
  "pwd=",
  "[&?]sig=",
  "[&?/]code=",
  "key=",
];
const credential = new RegExp(`(?:${tokens.join("|")})[^<"']*`, "gi");

/** `text` with every credential-like stretch replaced, as the host does it before a message leaves the worker. */
export function hideCredentials(text: string): string {
  return text.replace(credential, "[Hidden Credential]");
}

/** As `hideCredentials`, line by line: a stack keeps its frames. */
export function hideCredentialsByLine(text: string): string {
  return text.split("\n").map(hideCredentials).join("\n");
}

/** The rejection of `Worker.invoke` for whatever was thrown (neither null nor undefined: those count as success). */
export function toInvocationFailure(thrown: unknown): InvocationFailure {
  const error = thrown instanceof Error ? thrown : new Error(textOf(thrown));
  const userMessage = hideCredentials(String(error.message));
  const userStack = hideCredentialsByLine(String(error.stack ?? ""));
  const failure = new Error(`Result: Failure\nException: ${userMessage}\nStack: ${userStack}`);
  return Object.assign(failure, { userMessage, userStack });
}

/** Type guard of `toInvocationFailure`'s result. */
export function isInvocationFailure(error: unknown): error is InvocationFailure {
  return error instanceof Error && "userMessage" in error && "userStack" in error;
}

function textOf(thrown: unknown): string {
  if (typeof thrown === "string") return thrown;
  try {
    return JSON.stringify(thrown) ?? "something that has no text was thrown";
  } catch {
    return "something that has no text was thrown";
  }
}
