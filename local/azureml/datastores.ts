// Where a URI lies: every form Azure ML accepts, brought back to a datastore and a path in it.
import {
  AnonymousCredential,
  BlobServiceClient,
  ContainerClient,
  StorageSharedKeyCredential,
} from "@azure/storage-blob";
import { MlpipeError } from "#shared/errors.ts";
import type { DatastoreResolver } from "./executor/contract.ts";
import type { ResourceStore } from "./resource-store.ts";
import type { WorkspaceScope } from "./workspace-scope.ts";

/** A blob account: Azure's own, or one on loopback whose URLs carry the account in the path. */
export interface BlobAccount {
  readonly protocol: "http" | "https";
  /** `core.windows.net`, or `127.0.0.1:10000`. */
  readonly endpoint: string;
  readonly accountName: string;
  readonly accountKey: string;
}

export const defaultDatastore = "workspaceblobstore";
export const artifactDatastore = "workspaceartifactstore";

interface BlobPlace {
  readonly protocol: string;
  readonly endpoint: string;
  readonly accountName: string;
  readonly containerName: string;
}

function isLoopback(endpoint: string): boolean {
  return /^(127\.\d+\.\d+\.\d+|localhost|\[::1\])(:\d+)?$/.test(endpoint);
}

/** `{protocol}://{account}.blob.{endpoint}`, or with the account in the path on loopback; no trailing slash. */
function accountUrl({ protocol, endpoint, accountName }: Omit<BlobPlace, "containerName">): string {
  return isLoopback(endpoint)
    ? `${protocol}://${endpoint}/${accountName}`
    : `${protocol}://${accountName}.blob.${endpoint}`;
}

/** The two stores every workspace is born with. Does not touch stores that are there. */
export function presetDatastores(resources: ResourceStore, scope: WorkspaceScope, account: BlobAccount): void {
  const { accountKey, ...place } = account;
  const preset = (name: string, containerName: string, isDefault: boolean) =>
    resources.put(
      { kind: "datastores", name },
      {
        datastoreType: "AzureBlob",
        ...place,
        containerName,
        isDefault,
        description: null,
        tags: {},
        properties: {},
        serviceDataAccessAuthIdentity: "None",
        credentials: { credentialsType: "AccountKey" },
      },
      { secrets: { secretsType: "AccountKey", key: accountKey } },
    );
  preset(defaultDatastore, `azureml-blobstore-${scope.workspaceId}`, true);
  preset(artifactDatastore, "azureml", false);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** `azureml://datastores/{datastore}/paths/{path}`, each segment percent-encoded; `path` is decoded text. */
export function datastoreUri(datastore: string, path: string): string {
  return `azureml://datastores/${datastore}/paths/${path.split("/").map(encodeURIComponent).join("/")}`;
}

const datastoreForm =
  /^azureml:\/\/(?:subscriptions\/([^/]+)\/resourcegroups\/([^/]+)\/(?:providers\/microsoft\.machinelearningservices\/)?workspaces\/([^/]+)\/)?datastores\/([^/]+)(?:\/paths)?(?:\/(.*))?$/i;

/** `https`, `http`, `wasbs` and `abfss` URLs of a blob, as account + container + decoded path. */
function parseBlobUrl(uri: string): { host: string; account: string; container: string; path: string } | undefined {
  const storage = /^(?:wasbs?|abfss?):\/\/([^@/]+)@([^./]+)\.(?:blob|dfs)\.([^/]+)\/?(.*)$/i.exec(uri);
  if (storage !== null) {
    const [, container = "", account = "", host = "", path = ""] = storage;
    return { host, account, container, path: decode(path) };
  }
  if (!URL.canParse(uri)) return undefined;
  const url = new URL(uri);
  if (url.protocol !== "https:" && url.protocol !== "http:") return undefined;
  const segments = url.pathname.slice(1).split("/");
  if (isLoopback(url.host)) {
    const [account = "", container = "", ...path] = segments;
    return { host: url.host, account, container, path: decode(path.join("/")) };
  }
  const domain = /^([^.]+)\.(?:blob|dfs)\.(.+)$/.exec(url.hostname);
  if (domain === null) return undefined;
  const [container = "", ...path] = segments;
  return {
    host: domain[2] ?? "",
    account: domain[1] ?? "",
    container,
    path: decode(path.join("/")),
  };
}

/** A segment that climbs would leave the folder an input or output is about. */
function rejectClimbing(uri: string, path: string): string {
  if (path.split("/").some((segment) => segment === ".." || segment === ".")) {
    throw new MlpipeError("InvalidRequest", `The URI ${withoutQuery(uri)} climbs out of its folder.`);
  }
  return path;
}

function isSameText(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

function withoutQuery(uri: string): string {
  return uri.replace(/\?.*$/s, "");
}

/** A storage account on the same machine that is gone is back in a moment. */
const clientOptions = { retryOptions: { maxTries: 8, retryDelayInMs: 100, maxRetryDelayInMs: 10_000 } };

export function createDatastoreResolver(resources: ResourceStore, scope: WorkspaceScope): DatastoreResolver {
  const blobPlace = (name: string): BlobPlace => {
    const properties = resources.get({ kind: "datastores", name })?.properties;
    if (properties === undefined) {
      throw new MlpipeError("NotFound", `The workspace has no datastore named ${name}.`);
    }
    const text = (key: string) => {
      const value = properties[key];
      return typeof value === "string" ? value : "";
    };
    return {
      protocol: text("protocol") || "https",
      endpoint: text("endpoint") || "core.windows.net",
      accountName: text("accountName"),
      containerName: text("containerName"),
    };
  };
  const clients = new Map<string, { client: ContainerClient; key: string }>();

  return {
    resolve(uri) {
      const form = datastoreForm.exec(withoutQuery(uri));
      if (form !== null) {
        const [, subscription, group, workspace, name = "", path = ""] = form;
        const ours = [scope.subscriptionId, scope.resourceGroup, scope.workspaceName];
        const isOther =
          workspace !== undefined && !isSameText([subscription, group, workspace].join("/"), ours.join("/"));
        if (isOther)
          throw new MlpipeError(
            "InvalidRequest",
            `${withoutQuery(uri)} is a place of another workspace, ${workspace}.`,
          );
        const datastore = decode(name);
        blobPlace(datastore);
        return { datastore, path: rejectClimbing(uri, decode(path)) };
      }
      const url = parseBlobUrl(uri);
      if (url !== undefined) {
        for (const { name } of resources.list("datastores", { limit: 1000, isOldestFirst: true })) {
          const place = blobPlace(name);
          // A blob server on loopback may come back on another port; its accounts and containers are what it is known by.
          const isSameHost = url.host === place.endpoint || (isLoopback(url.host) && isLoopback(place.endpoint));
          const isHere = isSameHost && place.accountName === url.account && place.containerName === url.container;
          if (isHere) return { datastore: name, path: rejectClimbing(uri, url.path) };
        }
      }
      throw new MlpipeError(
        "InvalidRequest",
        `No datastore of the workspace holds ${withoutQuery(uri)}. Register its container as a datastore, or give a copy: a local file or folder is uploaded.`,
      );
    },
    publicPlace(uri) {
      const url = parseBlobUrl(withoutQuery(uri));
      if (url === undefined || url.container === "") return undefined;
      const { host: endpoint, account: accountName, container, path } = url;
      const protocol = isLoopback(endpoint) ? "http" : "https";
      // A signature that came with the address stays with it.
      const query = /^https?:/i.test(uri) ? (/\?.*$/s.exec(uri)?.[0] ?? "") : "";
      const address = `${accountUrl({ protocol, endpoint, accountName })}/${encodeURIComponent(container)}${query}`;
      const client = new ContainerClient(address, new AnonymousCredential(), { retryOptions: { maxTries: 2 } });
      return { container: client, path: rejectClimbing(uri, path) };
    },
    client(datastore) {
      const place = blobPlace(datastore);
      const secrets = resources.get({ kind: "datastores", name: datastore })?.secrets ?? {};
      const key = JSON.stringify([place, secrets]);
      const known = clients.get(datastore);
      if (known?.key === key) return known.client;
      const sasToken = typeof secrets["sasToken"] === "string" ? `?${secrets["sasToken"].replace(/^\?/, "")}` : "";
      const service =
        typeof secrets["key"] === "string"
          ? new BlobServiceClient(
              accountUrl(place),
              new StorageSharedKeyCredential(place.accountName, secrets["key"]),
              clientOptions,
            )
          : new BlobServiceClient(`${accountUrl(place)}${sasToken}`, undefined, clientOptions);
      const client = service.getContainerClient(place.containerName);
      clients.set(datastore, { client, key });
      return client;
    },
  };
}
