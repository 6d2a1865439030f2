// Registered components and pipelines. The same content twice is one version; other content under a taken version is refused.
import { createHash } from "node:crypto";
import type { Records } from "#shared/azure/records.ts";
import type { RegisteredComponent, RegisteredVersion, Registry } from "#shared/azure/registry.ts";
import { canonicalJson } from "#shared/domain/canonical-json.ts";
import { readCode } from "#shared/domain/code-reference.ts";
import { readEnvironment } from "#shared/domain/environment-reference.ts";
import { createIssueList } from "#shared/domain/issue-list.ts";
import { pipelineFolder, pipelineRecordPath } from "#shared/domain/layout.ts";
import type { PipelineDocument } from "#shared/domain/load-pipeline.ts";
import { MlpipeError } from "#shared/errors.ts";
import { createAssetResolver } from "./asset-resolver.ts";
import type { Assets } from "./assets.ts";

export interface RegisteredPipeline {
  readonly name: string;
  readonly version: string;
  readonly createdTime: string;
  readonly document: PipelineDocument;
}

export type RegistryRoom = ReturnType<typeof createRegistryRoom>;

const recordsAtOnce = 5_000;

export function createRegistryRoom({
  registry,
  records,
  assets,
}: {
  registry: Registry;
  records: Records;
  assets: Assets;
}) {
  /** The component as the workspace keeps it: code and environment are assets of their own, as `az ml` would make them. */
  async function withAssets(document: Record<string, unknown>): Promise<Record<string, unknown>> {
    const list = createIssueList();
    const { code, environment } = document;
    const codeReference = typeof code === "string" ? readCode(code, { path: "code" }, list) : undefined;
    const environmentReference =
      environment === undefined ? undefined : readEnvironment(environment, { path: "environment" }, list);
    const [codeId, environmentId] = await Promise.all([
      assets.codeId(codeReference),
      environmentReference === undefined ? undefined : assets.environmentId(environmentReference),
    ]);
    return {
      ...document,
      ...(codeId === undefined ? {} : { code: codeId }),
      ...(environmentId === undefined ? {} : { environment: environmentId }),
    };
  }

  async function readPipeline(path: string): Promise<RegisteredPipeline | undefined> {
    const found = await records.read(path);
    // Only this module writes below that folder.
    return found === undefined ? undefined : (JSON.parse(found.text) as RegisteredPipeline);
  }

  /** Every registered version below `prefix`, by its pipeline. */
  async function listPipelines(prefix: string): Promise<Map<string, Required<RegisteredVersion>[]>> {
    const found: (Required<RegisteredVersion> & { name: string })[] = [];
    let continuation: string | undefined;
    do {
      const page = await records.page(prefix, recordsAtOnce, continuation);
      for (const { path, metadata, lastModified } of page.entries) {
        const [name = "", file = ""] = path.slice(pipelineFolder().length).split("/");
        // The store's own time is one of whole seconds.
        const createdTime = metadata["created"] ?? lastModified.toISOString();
        found.push({ name, version: file.slice(0, -".json".length), createdTime });
      }
      continuation = page.continuation;
    } while (continuation !== undefined);
    const sorted = found.toSorted((a, b) => (a.createdTime < b.createdTime ? 1 : -1));
    return new Map(
      [...Map.groupBy(sorted, ({ name }) => name)].map(([name, versions]) => [
        name,
        versions.map(({ version, createdTime }) => ({ version, createdTime })),
      ]),
    );
  }

  return {
    resolver: createAssetResolver(registry),

    /**
     * Registers a component.
     *
     * @param document self-contained; without a version it gets one made of its content
     * @throws MlpipeError `Conflict` when the version holds other content
     */
    async putComponent(
      name: string,
      version: string | undefined,
      document: Record<string, unknown>,
    ): Promise<RegisteredComponent> {
      const { version: _own, ...rest } = document;
      const content = hashOf(rest);
      const wanted = version ?? content.slice(0, 12);
      const stored = await registry.putComponent(
        name,
        wanted,
        await withAssets({ ...document, name, version: wanted }),
        content,
      );
      if (stored.content !== content) throw taken("component", name, wanted);
      return stored;
    },

    /** One version of a component; without a version, the newest. */
    component: (name: string, version?: string) => registry.component(name, version),
    components: () => registry.components(),
    /** Newest first. */
    componentVersions: (name: string, limit: number) => registry.versions("component", name, limit),

    /** Registers a pipeline under the same rules. */
    async putPipeline(
      name: string,
      version: string | undefined,
      document: PipelineDocument,
    ): Promise<RegisteredPipeline> {
      const content = hashOf(document);
      const wanted = version ?? content.slice(0, 12);
      const path = pipelineRecordPath(name, wanted);
      const createdTime = new Date().toISOString();
      const record: RegisteredPipeline = { name, version: wanted, createdTime, document };
      const isNew = await records.replace(path, JSON.stringify(record), undefined, { content, created: createdTime });
      if (isNew) return record;
      const stored = await readPipeline(path);
      if (stored === undefined || hashOf(stored.document) !== content) throw taken("pipeline", name, wanted);
      return stored;
    },

    /** A registered pipeline, without a version the newest; undefined when there is none. */
    async pipeline(name: string, version?: string): Promise<RegisteredPipeline | undefined> {
      if (version !== undefined) return readPipeline(pipelineRecordPath(name, version));
      const [newest] = await this.pipelineVersions(name);
      return newest === undefined ? undefined : readPipeline(pipelineRecordPath(name, newest.version));
    },

    /** Names of the registered pipelines, each with its newest version. */
    async pipelines(): Promise<{ name: string; latestVersion: string; createdTime: string }[]> {
      return [...(await listPipelines(pipelineFolder()))].flatMap(([name, [newest]]) =>
        newest === undefined ? [] : [{ name, latestVersion: newest.version, createdTime: newest.createdTime }],
      );
    },

    /** Newest first. */
    async pipelineVersions(name: string): Promise<Required<RegisteredVersion>[]> {
      return (await listPipelines(pipelineFolder(name))).get(name) ?? [];
    },
  };
}

function hashOf(document: object): string {
  return createHash("sha256").update(canonicalJson(document)).digest("hex");
}

function taken(what: string, name: string, version: string): MlpipeError {
  return new MlpipeError(
    "Conflict",
    `Version ${version} of ${what} ${name} holds other content. Register this under another version, or under none: it then gets one made of its content.`,
  );
}
