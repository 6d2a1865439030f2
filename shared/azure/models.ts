// The workspace's registered models. A version points at one place for good; its tags are what changes.
import { isRestError } from "@azure/core-rest-pipeline";
import { withoutSecrets } from "../log.ts";
import { modelProperties, newestFirst, type RegisteredModel } from "../domain/promotion/registered-model.ts";
import { type MlClient, undefinedWhenMissing, unavailableWhenDown } from "./ml-client.ts";

export interface NewModel {
  readonly uri: string;
  readonly type: string;
  readonly jobName?: string | undefined;
  readonly description: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly properties: Readonly<Record<string, string>>;
}

export type CreateModelAnswer =
  | { readonly kind: "created" }
  /** There is another version of that number. */
  | { readonly kind: "taken" }
  | { readonly kind: "refused"; readonly reason: string };

export type Models = ReturnType<typeof createModels>;

export function createModels({ client, resourceGroup, workspaceName, options }: MlClient) {
  async function find(name: string, version: string): Promise<RegisteredModel | undefined> {
    const found = await undefinedWhenMissing(() =>
      client.modelVersions.get(resourceGroup, workspaceName, name, version, options()),
    );
    return found === undefined ? undefined : toModel(name, version, found);
  }

  const put = (name: string, version: string, model: NewModel) =>
    unavailableWhenDown(() =>
      client.modelVersions.createOrUpdate(
        resourceGroup,
        workspaceName,
        name,
        version,
        {
          properties: {
            modelUri: model.uri,
            modelType: model.type,
            description: model.description,
            tags: { ...model.tags },
            properties: { ...model.properties },
            ...(model.jobName === undefined ? {} : { jobName: model.jobName }),
          },
        },
        options(),
      ),
    );

  return {
    find,

    /** Names of all models, with their newest versions. */
    async names(): Promise<{ name: string; latestVersion: string | undefined }[]> {
      const found: { name: string; latestVersion: string | undefined }[] = [];
      await unavailableWhenDown(async () => {
        for await (const { name, properties } of client.modelContainers.list(resourceGroup, workspaceName, options()))
          if (name !== undefined) found.push({ name, latestVersion: properties.latestVersion });
      });
      return found.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    },

    /** Every version of a model, those put away among them, newest first; empty when there is no such model. */
    async versions(name: string): Promise<RegisteredModel[]> {
      const listed = await undefinedWhenMissing(async () => {
        const versions: RegisteredModel[] = [];
        const pages = client.modelVersions.list(resourceGroup, workspaceName, name, {
          ...options(),
          listViewType: "All",
        });
        for await (const version of pages) versions.push(toModel(name, version.name ?? "", version));
        return versions;
      });
      return (listed ?? []).toSorted(newestFirst);
    },

    /** Makes a version that is not there yet: what a version points at never changes, so of two who make one, one is told. */
    async create(name: string, version: string, model: NewModel): Promise<CreateModelAnswer> {
      try {
        await put(name, version, model);
        return { kind: "created" };
      } catch (error) {
        if (!isRestError(error)) throw error;
        const existing = await find(name, version);
        if (existing !== undefined) return { kind: isMadeOf(existing, model) ? "created" : "taken" };
        return { kind: "refused", reason: withoutSecrets(error.message) };
      }
    },

    /** Sets tags of a version; its others stay. */
    async tag({ name, version }: RegisteredModel, tags: Readonly<Record<string, string>>): Promise<void> {
      const { properties } = await unavailableWhenDown(() =>
        client.modelVersions.get(resourceGroup, workspaceName, name, version, options()),
      );
      const changed = { properties: { ...properties, tags: { ...properties.tags, ...tags } } };
      await unavailableWhenDown(() =>
        client.modelVersions.createOrUpdate(resourceGroup, workspaceName, name, version, changed, options()),
      );
    },
  };
}

/** Whether an earlier try has got through. */
function isMadeOf({ uri, properties }: RegisteredModel, model: NewModel): boolean {
  return uri === model.uri && properties[modelProperties.run] === model.properties[modelProperties.run];
}

type Texts = Readonly<Record<string, string | null>>;

interface ModelVersion {
  readonly properties: {
    readonly modelUri?: string;
    readonly modelType?: string;
    readonly jobName?: string;
    readonly description?: string;
    readonly isArchived?: boolean;
    readonly tags?: Texts;
    readonly properties?: Texts;
  };
  readonly systemData?: { readonly createdAt?: Date };
}

function toModel(name: string, version: string, { properties, systemData }: ModelVersion): RegisteredModel {
  const { modelUri = "", modelType = "custom_model", jobName, description, isArchived = false } = properties;
  const createdTime = systemData?.createdAt?.toISOString();
  return {
    name,
    version,
    uri: modelUri,
    type: modelType,
    isArchived,
    tags: textsOf(properties.tags),
    properties: textsOf(properties.properties),
    // The service tells what is not set as null.
    ...(jobName === undefined || jobName === null ? {} : { jobName }),
    ...(description === undefined || description === null ? {} : { description }),
    ...(createdTime === undefined ? {} : { createdTime }),
  };
}

function textsOf(texts: Texts | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(texts ?? {}).map(([key, value]) => [key, value ?? ""]));
}
