// A job's own credential: an HS256 JWT whose key lives with the workspace, so it outlives a restart of this process.
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Store } from "./store.ts";

export interface RunTokens {
  /** @returns The token and its expiry in epoch milliseconds. */
  issue(jobName: string): { readonly token: string; readonly expiresAt: number };
  /** Name of the job a token was issued to, or undefined when it is forged or expired. */
  verify(token: string): string | undefined;
}

// Longer than any job may run, so no job outlives its own token.
const lifetimeMs = 60 * 24 * 3600 * 1000;

export function isSameSecret(left: string, right: string): boolean {
  const digest = (text: string) => createHmac("sha256", "compare").update(text).digest();
  return timingSafeEqual(digest(left), digest(right));
}

export function createRunTokens(store: Store): RunTokens {
  const key = Buffer.from(
    store.remember("runTokenKey", () => randomBytes(32).toString("base64url")),
    "base64url",
  );
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const header = encode({ alg: "HS256", typ: "JWT" });
  const sign = (payload: string) => createHmac("sha256", key).update(`${header}.${payload}`).digest("base64url");
  return {
    issue(jobName) {
      const expiresAt = Date.now() + lifetimeMs;
      const payload = encode({
        role: "Contributor",
        runId: jobName,
        exp: Math.floor(expiresAt / 1000),
      });
      return { token: `${header}.${payload}.${sign(payload)}`, expiresAt };
    },
    verify(token) {
      const [first, payload, signature, ...rest] = token.split(".");
      if (first !== header || payload === undefined || signature === undefined || rest.length > 0) return undefined;
      if (!isSameSecret(signature, sign(payload))) return undefined;
      const { runId, exp } = JSON.parse(Buffer.from(payload, "base64url").toString());
      return typeof runId === "string" && exp * 1000 > Date.now() ? runId : undefined;
    },
  };
}
