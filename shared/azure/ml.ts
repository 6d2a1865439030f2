// The Azure ML workspace, as far as the app needs it, over the official client.
//
// Jobs are PUT past the client's serializer: it drops `uri` and `mode` of every data input and output and every property
// newer than its API version (azure-sdk-for-js issue 29328). The client's own pipeline still gives token, retry and tracing.
import type { JobBase } from "@azure/arm-machinelearning";
// By name, not by class: the client brings its own CommonJS copy of this package.
import {
  createHttpHeaders,
  createPipelineRequest,
  isRestError,
  type PipelineResponse,
} from "@azure/core-rest-pipeline";
import { MlpipeError } from "../errors.ts";
import { withoutSecrets } from "../log.ts";
import {
  apiVersion,
  inServiceWords,
  type MlClient,
  once,
  timeoutMs,
  toUnavailable,
  undefinedWhenMissing,
  unavailableWhenDown,
} from "./ml-client.ts";

export interface DatastorePlace {
  readonly name: string;
  /** `https://account.blob.core.windows.net`, without a trailing slash. */
  readonly accountUrl: string;
  readonly accountName: string;
  readonly container: string;
  readonly credentialsType: string;
}

export type DatastoreSecret =
  | { readonly kind: "accountKey"; readonly key: string }
  | { readonly kind: "sas"; readonly token: string };

export type PutJobAnswer =
  | { readonly kind: "accepted"; readonly job: JobBase }
  /** A job of this name exists and differs; ours or not, the caller reads it. */
  | { readonly kind: "exists" }
  /** No such size here, no quota, or no capacity. */
  | { readonly kind: "refused"; readonly reason: string }
  | { readonly kind: "rejected"; readonly reason: string };

export interface ListedJob {
  readonly name: string;
  readonly status: string;
  readonly createdTime: Date | undefined;
  readonly tags: Readonly<Record<string, string | null>>;
  readonly properties: Readonly<Record<string, string | null>>;
}

const oldJobsInARow = 100;

export type Ml = ReturnType<typeof createMl>;

/** @returns the workspace; nothing is sent before the first call */
export function createMl(connection: MlClient) {
  const { client, endpoint, resourceGroup, workspaceName, workspaceId, options } = connection;
  const trackingUri = once(async () => {
    const workspace = await unavailableWhenDown(() => client.workspaces.get(resourceGroup, workspaceName, options()));
    if (workspace.mlFlowTrackingUri === undefined)
      throw new MlpipeError("Unavailable", `Workspace ${workspaceName} has no MLflow tracking URI`);
    return workspace.mlFlowTrackingUri.replace(/^azureml:/, "https:").replace(/\?$/, "");
  });

  async function send(method: "PUT" | "GET" | "POST", url: string, body?: unknown): Promise<PipelineResponse> {
    const request = createPipelineRequest({
      url,
      method,
      headers: createHttpHeaders({
        accept: "application/json",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      }),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      timeout: timeoutMs,
    });
    return unavailableWhenDown(() => client.sendRequest(request));
  }

  /** @returns the text of run history's document of a job; undefined when it has none */
  async function runDetails(name: string, experimentName: string): Promise<string | undefined> {
    const { origin } = new URL(await trackingUri());
    const path = `/history/v1.0${workspaceId}/experiments/${encodeURIComponent(experimentName)}/runs/${encodeURIComponent(name)}/details`;
    const response = await send("GET", `${origin}${path}`);
    return response.status === 200 ? (response.bodyAsText ?? "") : undefined;
  }

  return {
    workspaceId,

    /** Submits a job. Submitting the same name and body again finds the first. */
    async putJob(name: string, properties: Record<string, unknown>): Promise<PutJobAnswer> {
      const url = `${endpoint.replace(/\/$/, "")}${workspaceId}/jobs/${encodeURIComponent(name)}?api-version=${apiVersion}`;
      const response = await send("PUT", url, { properties });
      const text = response.bodyAsText ?? "";
      if (response.status === 200 || response.status === 201)
        return { kind: "accepted", job: JSON.parse(text) as JobBase };
      return toRefusal(response.status, text);
    },

    /** @returns the job, or undefined when the workspace does not know it (which may pass: a new job can be unknown for a moment). */
    async getJob(name: string): Promise<JobBase | undefined> {
      return undefinedWhenMissing(() => client.jobs.get(resourceGroup, workspaceName, name, options()));
    },

    /**
     * Jobs with a tag of this key that were created after `since`, newest first as the service lists them. It has no filter by
     * time, so the list is read until a good many in a row are older.
     */
    async *listTaggedJobs(tag: string, since: Date): AsyncGenerator<ListedJob, void, undefined> {
      const pages = client.jobs.list(resourceGroup, workspaceName, { ...options(), tag, listViewType: "All" }).byPage();
      let older = 0;
      for (;;) {
        const page = await unavailableWhenDown(() => pages.next());
        if (page.done === true) return;
        for (const { name, properties, systemData } of page.value) {
          const createdTime = systemData?.createdAt;
          older = createdTime !== undefined && createdTime < since ? older + 1 : 0;
          if (older > oldJobsInARow) return;
          if (older > 0 || name === undefined) continue;
          yield {
            name,
            status: properties.status ?? "NotStarted",
            createdTime,
            tags: properties.tags ?? {},
            properties: properties.properties ?? {},
          };
        }
      }
    },

    /**
     * Asks the service to cancel; returns when it has taken the order, not when the job has ended. A job that is finalising or
     * has ended is refused by the service, and needs nothing.
     */
    async cancelJob(name: string): Promise<void> {
      try {
        await undefinedWhenMissing(() => client.jobs.beginCancel(resourceGroup, workspaceName, name, options()));
      } catch (error) {
        if (!isRestError(error) || (error.statusCode !== 400 && error.statusCode !== 409)) throw error;
        const job = await this.getJob(name);
        if (job !== undefined && !pastCancel.has(job.properties.status ?? "")) throw error;
      }
    },

    /** What run history tells of why a job ended, or undefined when it tells nothing: the job itself does not say. */
    async jobError(name: string, experimentName: string): Promise<{ codes: string[]; message?: string } | undefined> {
      const details = await runDetails(name, experimentName);
      return details === undefined ? undefined : readRunError(details);
    },

    /** When run history says that a job began to run, and ended: ISO 8601; undefined as far as it says nothing. */
    async jobTimes(name: string, experimentName: string): Promise<{ start?: string; end?: string }> {
      const details = await runDetails(name, experimentName);
      return details === undefined ? {} : readRunTimes(details);
    },

    /** Registers a code snapshot that lies at `codeUri`. @returns its ARM id */
    async putCode(name: string, version: string, codeUri: string): Promise<string> {
      const existing = await undefinedWhenMissing(() =>
        client.codeVersions.get(resourceGroup, workspaceName, name, version, options()),
      );
      if (existing?.id !== undefined) return existing.id;
      const body = {
        properties: {
          codeUri,
          isAnonymous: true,
          properties: { hash_sha256: name, hash_version: "202208" },
        },
      };
      const created = await unavailableWhenDown(() =>
        client.codeVersions.createOrUpdate(resourceGroup, workspaceName, name, version, body, options()),
      );
      return created.id ?? `${workspaceId}/codes/${name}/versions/${version}`;
    },

    /** Registers an environment under a name and version that are made of its content. @returns its ARM id @throws MlpipeError `InvalidRequest` when the workspace does not take it */
    async putEnvironment(name: string, version: string, properties: Record<string, unknown>): Promise<string> {
      const { environmentVersions: versions } = client;
      return inServiceWords(async () => {
        const existing = await undefinedWhenMissing(() =>
          versions.get(resourceGroup, workspaceName, name, version, options()),
        );
        if (existing?.id !== undefined) return existing.id;
        const body = { properties };
        const created = await versions.createOrUpdate(resourceGroup, workspaceName, name, version, body, options());
        return created.id ?? `${workspaceId}/environments/${name}/versions/${version}`;
      });
    },

    /** Finds a version of an environment of this workspace. @returns its ARM id @throws MlpipeError `NotFound` */
    async environmentVersion(name: string, version: string): Promise<string> {
      const { environmentVersions: versions } = client;
      const found = await inServiceWords(() => versions.get(resourceGroup, workspaceName, name, version, options()));
      return found.id ?? `${workspaceId}/environments/${name}/versions/${version}`;
    },

    /**
     * The newest version of an environment of this workspace, which is what the label `latest` means; undefined when it has none.
     *
     * @throws MlpipeError `NotFound`
     */
    async latestEnvironment(name: string): Promise<string | undefined> {
      const versions = client.environmentVersions.list(resourceGroup, workspaceName, name, {
        ...options(),
        orderBy: "createdtime desc",
        top: 1,
      });
      return inServiceWords(async () => {
        for await (const version of versions) return version.id;
        return undefined;
      });
    },

    /** Where a version of a registered data asset lies, or undefined when the workspace has no such version. */
    async dataUri(name: string, version: string): Promise<string | undefined> {
      const found = await undefinedWhenMissing(() =>
        client.dataVersions.get(resourceGroup, workspaceName, name, version, options()),
      );
      return found?.properties.dataUri;
    },

    /** A datastore of kind blob or Data Lake Gen2; without a name, the workspace's default. */
    async datastore(name?: string): Promise<DatastorePlace> {
      const datastore = await undefinedWhenMissing(async () => {
        if (name !== undefined) return client.datastores.get(resourceGroup, workspaceName, name, options());
        for await (const found of client.datastores.list(resourceGroup, workspaceName, {
          ...options(),
          isDefault: true,
        }))
          return found;
        return undefined;
      });
      if (datastore === undefined)
        throw new MlpipeError("NotFound", `Workspace ${workspaceName} has no datastore ${name ?? "marked as default"}`);
      return toPlace(datastore.name ?? name ?? "", datastore.properties as unknown as Record<string, unknown>);
    },

    /** The secret of a datastore, or undefined when this identity may not read it or there is none. */
    async datastoreSecret(name: string): Promise<DatastoreSecret | undefined> {
      try {
        const secrets = await client.datastores.listSecrets(resourceGroup, workspaceName, name, options());
        if ("key" in secrets && typeof secrets.key === "string") return { kind: "accountKey", key: secrets.key };
        if ("sasToken" in secrets && typeof secrets.sasToken === "string")
          return { kind: "sas", token: secrets.sasToken };
        return undefined;
      } catch (error) {
        if (isRestError(error) && (error.statusCode === 403 || error.statusCode === 404)) return undefined;
        throw toUnavailable(error);
      }
    },

    /**
     * One call of the workspace's MLflow tracking API.
     *
     * @param path below `api/2.0/mlflow/`, with its query
     * @returns the parsed answer, or undefined when the run or metric does not exist
     */
    async mlflow(path: string): Promise<unknown> {
      const response = await send("GET", `${await trackingUri()}/api/2.0/mlflow/${path}`);
      if (response.status === 404) return undefined;
      if (response.status !== 200) throw new MlpipeError("Unavailable", `MLflow tracking answered ${response.status}`);
      return JSON.parse(response.bodyAsText ?? "{}") as unknown;
    },
  };
}

/** Where a job is too far for a cancel. */
const pastCancel = new Set(["Finalizing", "CancelRequested", "Completed", "Failed", "Canceled"]);

function toPlace(name: string, properties: Record<string, unknown>): DatastorePlace {
  const text = (key: string) => (typeof properties[key] === "string" ? properties[key] : undefined);
  const accountName = text("accountName");
  const container = text("containerName") ?? text("filesystem");
  if (accountName === undefined || container === undefined) {
    throw new MlpipeError("InvalidRequest", `Datastore ${name} is not a blob or Data Lake Gen2 datastore`);
  }
  const protocol = text("protocol") ?? "https";
  const endpoint = text("endpoint") ?? "core.windows.net";
  // An endpoint that is an IP address carries the account in its path, as the storage SDK has it (Azure Stack, emulators).
  const isIpEndpoint = /^[\d.]+(:\d+)?$/.test(endpoint);
  const accountUrl = isIpEndpoint
    ? `${protocol}://${endpoint}/${accountName}`
    : `${protocol}://${accountName}.blob.${endpoint}`;
  const credentials = properties["credentials"] as { credentialsType?: string } | undefined;
  return {
    name,
    accountUrl,
    accountName,
    container,
    credentialsType: credentials?.credentialsType ?? "None",
  };
}

/** Words by which the service refuses a size: unknown in the region, retired, without quota, or not to be had now. */
const refusal =
  /quota|capacity|not available|unavailable size|vm ?size|instance ?type|sku|allocation failed|insufficient/i;
const immutable = /JobPropertyImmutable|"Immutable"|A job with this name already exists/;

function toRefusal(status: number, text: string): PutJobAnswer {
  if (immutable.test(text)) return { kind: "exists" };
  const reason = errorMessage(text) ?? `the service answered ${status}`;
  if (status === 408 || status === 429 || status >= 500)
    throw new MlpipeError("Unavailable", `Azure ML is not answering: ${reason}`);
  if (status === 401 || status === 403)
    throw new MlpipeError("Unavailable", `Azure ML refuses this app's identity: ${reason}`);
  return refusal.test(reason) || refusal.test(text) ? { kind: "refused", reason } : { kind: "rejected", reason };
}

interface RunError {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly innerError?: RunError | null;
  readonly details?: readonly RunError[] | null;
}

/** Codes from the outermost error to the innermost, and those that a sentence of the service begins with. */
/** `startTimeUtc` and `endTimeUtc` of a run's details, as the SDK's `Run.get_details` returns them. */
function readRunTimes(text: string): { start?: string; end?: string } {
  const { startTimeUtc, endTimeUtc } = JSON.parse(text) as { startTimeUtc?: unknown; endTimeUtc?: unknown };
  const read = (time: unknown) => {
    const ms = typeof time === "string" ? Date.parse(time) : NaN;
    return Number.isNaN(ms) ? undefined : new Date(ms).toISOString();
  };
  const [start, end] = [read(startTimeUtc), read(endTimeUtc)];
  return { ...(start === undefined ? {} : { start }), ...(end === undefined ? {} : { end }) };
}

function readRunError(text: string): { codes: string[]; message?: string } | undefined {
  const { error: outer } = JSON.parse(text) as { error?: { error?: RunError } | null };
  if (outer?.error === undefined) return undefined;
  const codes: string[] = [];
  const collect = (error: RunError | null | undefined, depth: number) => {
    if (error === null || error === undefined || depth > 8) return;
    if (typeof error.code === "string") codes.push(error.code);
    collect(error.innerError, depth + 1);
    for (const detail of error.details ?? []) collect(detail, depth + 1);
  };
  collect(outer.error, 0);
  const { message } = outer.error;
  if (typeof message !== "string" || message === "") return { codes };
  const named = message.split("\n", 2).flatMap((line) => /^\s*([A-Z][a-z]+(?:[A-Z][A-Za-z]+)+):/.exec(line)?.[1] ?? []);
  return { codes: [...codes, ...named], message: withoutSecrets(message) };
}

function errorMessage(text: string): string | undefined {
  try {
    const body = JSON.parse(text) as { error?: { message?: string } };
    return body.error?.message === undefined ? undefined : withoutSecrets(body.error.message);
  } catch {
    return undefined;
  }
}
