// The official client, and how its failures are told: what may be tried again is `Unavailable`, what is missing is undefined.
import { AzureMachineLearningWorkspaces } from "@azure/arm-machinelearning";
import type { TokenCredential } from "@azure/core-auth";
// By name, not by class: the client brings its own CommonJS copy of this package.
import { isRestError } from "@azure/core-rest-pipeline";
import { MlpipeError } from "../errors.ts";
import { withoutSecrets } from "../log.ts";
import type { Settings } from "../settings.ts";
import { createPatience } from "./patience.ts";

/** First stable version with `queueSettings`; serverless is younger than the client's own default. */
export const apiVersion = "2024-04-01";

/** No call may hang: Azure Resource Manager answers or is given up after this. */
export const timeoutMs = 60_000;

export type MlClient = ReturnType<typeof createMlClient>;

/**
 * @param settings workspace and endpoint
 * @param credential used for every call
 * @returns the client with what every call of it needs; nothing is sent
 */
export function createMlClient(settings: Pick<Settings, "workspace" | "resourceManager">, credential: TokenCredential) {
  const { subscriptionId, resourceGroup, workspaceName } = settings.workspace;
  const { endpoint, audience } = settings.resourceManager;
  const client = new AzureMachineLearningWorkspaces(credential, subscriptionId, {
    endpoint,
    apiVersion,
    credentialScopes: `${audience}/.default`,
    userAgentOptions: { userAgentPrefix: "mlpipe" },
  });
  client.pipeline.removePolicy({ name: "defaultRetryPolicy" });
  client.pipeline.addPolicy(createPatience(), { phase: "Retry" });
  const workspaceId = `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.MachineLearningServices/workspaces/${workspaceName}`;
  return {
    client,
    endpoint,
    resourceGroup,
    workspaceName,
    workspaceId,
    options: () => ({ requestOptions: { timeout: timeoutMs } }),
  };
}

export function toUnavailable(error: unknown): unknown {
  if (!isRestError(error) && !(error instanceof Error && error.name === "AbortError")) return error;
  const status = isRestError(error) ? error.statusCode : undefined;
  if (status !== undefined && status < 500 && status !== 408 && status !== 429) return error;
  return new MlpipeError("Unavailable", `Azure ML is not answering: ${withoutSecrets(error.message)}`, {
    cause: error,
  });
}

/** Lets an operation fail as `Unavailable` when the service is slow or down. */
export async function unavailableWhenDown<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw toUnavailable(error);
  }
}

/** The same; what the service will not take, or does not have, is said in its own words. @throws MlpipeError `InvalidRequest`, `NotFound`; `Unavailable` when it refuses the app itself */
export async function inServiceWords<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await unavailableWhenDown(operation);
  } catch (error) {
    const status = isRestError(error) ? error.statusCode : undefined;
    if (!isRestError(error) || status === undefined) throw error;
    const words = withoutSecrets(error.message);
    if (status === 401 || status === 403)
      throw new MlpipeError("Unavailable", `Azure ML refuses this app's identity: ${words}`, { cause: error });
    if (status !== 400 && status !== 404) throw error;
    throw new MlpipeError(status === 404 ? "NotFound" : "InvalidRequest", words, { cause: error });
  }
}

/** The same, and undefined for what is not there. */
export async function undefinedWhenMissing<T>(operation: () => Promise<T>): Promise<T | undefined> {
  try {
    return await unavailableWhenDown(operation);
  } catch (error) {
    if (isRestError(error) && error.statusCode === 404) return undefined;
    throw error;
  }
}

/** Remembers the first success; a failure is forgotten, so the next call tries again. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}
