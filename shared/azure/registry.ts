// The workspace's own registry: components by name and version, and where data and model assets lie.
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

export type Registry = ReturnType<typeof createRegistry>;

export function createRegistry({ client, resourceGroup, workspaceName, options }: MlClient) {
  const newestFirst = () => ({ ...options(), orderBy: "createdtime desc" });

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
    /** One version of a component; without a version, the newest. */
    async component(name: string, version?: string): Promise<RegisteredComponent | undefined> {
      if (version !== undefined) return find(name, version);
      const newest = await firstOf(() =>
        client.componentVersions.list(resourceGroup, workspaceName, name, { ...newestFirst(), top: 1 }),
      );
      return newest?.name === undefined ? undefined : toComponent(name, newest.name, newest);
    },

    /**
     * Registers a version, unless there is one of that name.
     *
     * @returns what the registry holds then: the caller compares the content
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
      await unavailableWhenDown(() =>
        client.componentVersions.createOrUpdate(resourceGroup, workspaceName, name, version, { properties }, options()),
      );
      return (await find(name, version)) ?? { name, version, spec, content, createdTime: undefined };
    },

    /** Names of all components, with their newest versions. */
    async components(): Promise<{ name: string; latestVersion: string | undefined }[]> {
      const found: { name: string; latestVersion: string | undefined }[] = [];
      for await (const { name, properties } of client.componentContainers.list(
        resourceGroup,
        workspaceName,
        options(),
      )) {
        if (name !== undefined) found.push({ name, latestVersion: properties.latestVersion });
      }
      return found.toSorted((a, b) => a.name.localeCompare(b.name));
    },

    /** Versions of a component, newest first; empty when there is none of that name. */
    async versions(name: string): Promise<RegisteredComponent[]> {
      const found = await undefinedWhenMissing(async () => {
        const versions: RegisteredComponent[] = [];
        for await (const version of client.componentVersions.list(resourceGroup, workspaceName, name, newestFirst())) {
          versions.push(toComponent(name, version.name ?? "", version));
        }
        return versions;
      });
      return found ?? [];
    },

    /** Where a registered data asset lies; without a version, the newest. */
    async data(name: string, version?: string): Promise<{ uri: string; type: string; version: string } | undefined> {
      const found =
        version === undefined
          ? await firstOf(() =>
              client.dataVersions.list(resourceGroup, workspaceName, name, { ...newestFirst(), top: 1 }),
            )
          : await undefinedWhenMissing(() =>
              client.dataVersions.get(resourceGroup, workspaceName, name, version, options()),
            );
      if (found === undefined) return undefined;
      return { uri: found.properties.dataUri, type: found.properties.dataType, version: found.name ?? version ?? "" };
    },

    /** Where a registered model lies; without a version, the newest. */
    async model(name: string, version?: string): Promise<{ uri: string; type: string; version: string } | undefined> {
      const found =
        version === undefined
          ? await firstOf(() =>
              client.modelVersions.list(resourceGroup, workspaceName, name, { ...newestFirst(), top: 1 }),
            )
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
      for await (const { name = "" } of client.modelContainers.list(resourceGroup, workspaceName, options())) {
        for await (const { properties } of client.modelVersions.list(resourceGroup, workspaceName, name, options())) {
          if (properties.modelUri !== undefined) yield properties.modelUri;
          if (properties.jobName !== undefined) yield `jobs/${properties.jobName}/`;
        }
      }
      for await (const { name = "" } of client.dataContainers.list(resourceGroup, workspaceName, options())) {
        for await (const { properties } of client.dataVersions.list(resourceGroup, workspaceName, name, options())) {
          yield properties.dataUri;
        }
      }
    },
  };
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
