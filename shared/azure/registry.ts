// The workspace's own registry: components by name and version, and where data and model assets lie.
import { isRestError } from "@azure/core-rest-pipeline";
import { MlpipeError } from "../errors.ts";
import { withoutSecrets } from "../log.ts";
import type { MlClient } from "./ml-client.ts";
import { undefinedWhenMissing, unavailableWhenDown } from "./ml-client.ts";

/** Property of a component version that holds the hash of its content. */
const contentProperty = "mlpipe.content";

export interface RegisteredComponent {
  readonly name: string;
  readonly version: string;
  readonly spec: Record<string, unknown>;
  /** Hash of the content it was registered with; absent when somebody else registered it. */
  readonly content: string | undefined;
  readonly createdTime: string | undefined;
}

export interface RegisteredVersion {
  readonly version: string;
  readonly createdTime?: string;
}

/** A data asset or a model. */
export interface RegisteredPlace {
  readonly uri: string;
  readonly type: string;
  readonly version: string;
}

/** Kinds of registered things that can be listed. */
export type AssetKind = "component" | "data" | "model";

export type Registry = ReturnType<typeof createRegistry>;

export function createRegistry({ client, resourceGroup, workspaceName, workspaceId, options }: MlClient) {
  const newestFirst = () => ({ ...options(), orderBy: "createdtime desc" });
  const newest = () => ({ ...newestFirst(), top: 1 });
  const containers = {
    component: () => client.componentContainers.list(resourceGroup, workspaceName, options()),
    data: () => client.dataContainers.list(resourceGroup, workspaceName, options()),
    model: () => client.modelContainers.list(resourceGroup, workspaceName, options()),
  };
  const listsOfVersions = {
    component: (name: string) => client.componentVersions.list(resourceGroup, workspaceName, name, newestFirst()),
    data: (name: string) => client.dataVersions.list(resourceGroup, workspaceName, name, newestFirst()),
    model: (name: string) => client.modelVersions.list(resourceGroup, workspaceName, name, newestFirst()),
  };

  /** The first of a list, or undefined when there is nothing to list. */
  async function firstOf<T>(list: () => AsyncIterable<T>): Promise<T | undefined> {
    return undefinedWhenMissing(async () => {
      for await (const item of list()) return item;
      return undefined;
    });
  }

  async function find(name: string, version: string): Promise<RegisteredComponent | undefined> {
    const found = await undefinedWhenMissing(() =>
      client.componentVersions.get(resourceGroup, workspaceName, name, version, options()),
    );
    return found === undefined ? undefined : toComponent(name, version, found);
  }

  return {
    /** The workspace whose registry this is, as an ARM id. */
    workspaceId,

    /** One version of a component; without a version, the newest. */
    async component(name: string, version?: string): Promise<RegisteredComponent | undefined> {
      if (version !== undefined) return find(name, version);
      const found = await firstOf(() => client.componentVersions.list(resourceGroup, workspaceName, name, newest()));
      return found?.name === undefined ? undefined : toComponent(name, found.name, found);
    },

    /**
     * Registers a version, unless there is one of that name.
     *
     * @returns what the registry holds then: the caller compares the content
     * @throws MlpipeError `InvalidRequest` when the service will not take it
     */
    async putComponent(
      name: string,
      version: string,
      spec: Record<string, unknown>,
      content: string,
    ): Promise<RegisteredComponent> {
      const existing = await find(name, version);
      if (existing !== undefined) return existing;
      const description = typeof spec.description === "string" ? spec.description : undefined;
      const properties = {
        componentSpec: spec,
        properties: { [contentProperty]: content },
        ...(description === undefined ? {} : { description }),
      };
      try {
        await unavailableWhenDown(() =>
          client.componentVersions.createOrUpdate(
            resourceGroup,
            workspaceName,
            name,
            version,
            { properties },
            options(),
          ),
        );
      } catch (error) {
        if (!isRestError(error) || (error.statusCode !== 400 && error.statusCode !== 409)) throw error;
        // Somebody else may have been quicker, and then the version is immutable.
        const first = await find(name, version);
        if (first !== undefined) return first;
        throw toRefusal(error, `component ${name}`);
      }
      return (await find(name, version)) ?? { name, version, spec, content, createdTime: undefined };
    },

    /** Names of all components, with their newest versions, in order. */
    async components(): Promise<{ name: string; latestVersion: string | undefined }[]> {
      const found: { name: string; latestVersion: string | undefined }[] = [];
      await unavailableWhenDown(async () => {
        for await (const { name, properties } of containers.component())
          if (name !== undefined) found.push({ name, latestVersion: properties.latestVersion });
      });
      return found.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    },

    /** Names of everything of a kind. */
    async names(kind: AssetKind): Promise<string[]> {
      const names: string[] = [];
      await unavailableWhenDown(async () => {
        for await (const { name } of containers[kind]()) if (name !== undefined) names.push(name);
      });
      return names;
    },

    /** Versions of one asset, newest first, at most `limit`; empty when there is none of that name. */
    async versions(kind: AssetKind, name: string, limit: number): Promise<RegisteredVersion[]> {
      const found = await undefinedWhenMissing(async () => {
        const versions: RegisteredVersion[] = [];
        for await (const { name: version, systemData } of listsOfVersions[kind](name)) {
          const createdTime = systemData?.createdAt?.toISOString();
          versions.push({ version: version ?? "", ...(createdTime === undefined ? {} : { createdTime }) });
          if (versions.length >= limit) break;
        }
        return versions;
      });
      return found ?? [];
    },

    /** The newest version of an environment, which is what the label `latest` means. */
    async latestEnvironment(name: string): Promise<{ id: string; version: string } | undefined> {
      const found = await firstOf(() =>
        client.environmentVersions.list(resourceGroup, workspaceName, name, newest()),
      ).catch((error: unknown) => {
        throw toRefusal(error, `environment ${name}`);
      });
      return found?.id === undefined ? undefined : { id: found.id, version: found.name ?? "" };
    },

    /** Where a registered data asset lies; without a version, the newest. */
    async data(name: string, version?: string): Promise<RegisteredPlace | undefined> {
      const found =
        version === undefined
          ? await firstOf(() => client.dataVersions.list(resourceGroup, workspaceName, name, newest()))
          : await undefinedWhenMissing(() =>
              client.dataVersions.get(resourceGroup, workspaceName, name, version, options()),
            );
      if (found === undefined) return undefined;
      return { uri: found.properties.dataUri, type: found.properties.dataType, version: found.name ?? version ?? "" };
    },

    /** Where a registered model lies; without a version, the newest. */
    async model(name: string, version?: string): Promise<RegisteredPlace | undefined> {
      const found =
        version === undefined
          ? await firstOf(() => client.modelVersions.list(resourceGroup, workspaceName, name, newest()))
          : await undefinedWhenMissing(() =>
              client.modelVersions.get(resourceGroup, workspaceName, name, version, options()),
            );
      if (found?.properties.modelUri === undefined) return undefined;
      return {
        uri: found.properties.modelUri,
        type: found.properties.modelType ?? "custom_model",
        version: found.name ?? version ?? "",
      };
    },

    /** Where every version of every model and data asset lies, and `jobs/{name}/` of the jobs that models came from. */
    async *places(): AsyncGenerator<string, void> {
      for await (const { name = "" } of containers.model()) {
        for await (const { properties } of client.modelVersions.list(resourceGroup, workspaceName, name, options())) {
          if (properties.modelUri !== undefined) yield properties.modelUri;
          if (properties.jobName !== undefined) yield `jobs/${properties.jobName}/`;
        }
      }
      for await (const { name = "" } of containers.data()) {
        for await (const { properties } of client.dataVersions.list(resourceGroup, workspaceName, name, options())) {
          yield properties.dataUri;
        }
      }
    },
  };
}

/** What the service will not do, in its own words; any other failure as it is. */
function toRefusal(error: unknown, what: string): unknown {
  if (!isRestError(error) || error.statusCode !== 400) return error;
  return new MlpipeError("InvalidRequest", `Azure ML refuses the ${what}: ${withoutSecrets(error.message)}`, {
    cause: error,
  });
}

interface ComponentVersion {
  readonly properties: { readonly componentSpec?: unknown; readonly properties?: Record<string, string | null> };
  readonly systemData?: { readonly createdAt?: Date };
}

function toComponent(name: string, version: string, { properties, systemData }: ComponentVersion): RegisteredComponent {
  return {
    name,
    version,
    // Free-form by the service's own schema; whoever compiles it checks it.
    spec: (properties.componentSpec ?? {}) as Record<string, unknown>,
    content: properties.properties?.[contentProperty] ?? undefined,
    createdTime: systemData?.createdAt?.toISOString(),
  };
}
