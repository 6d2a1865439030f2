// Registered components and pipelines. The same content twice is one version; other content under a taken version is refused.
import { createHash } from "node:crypto";
import type { Records } from "#shared/azure/records.ts";
import type { RegisteredComponent, Registry } from "#shared/azure/registry.ts";
import { parseAssetName } from "#shared/domain/asset-name.ts";
import { canonicalJson } from "#shared/domain/canonical-json.ts";
import { readCode } from "#shared/domain/code-reference.ts";
import type { AssetResolver } from "#shared/domain/compile-plan.ts";
import { readEnvironment } from "#shared/domain/environment-reference.ts";
import { createIssueList } from "#shared/domain/issue-list.ts";
import { pipelineFolder, pipelineRecordPath } from "#shared/domain/layout.ts";
import type { PipelineDocument } from "#shared/domain/load-pipeline.ts";
import { MlpipeError } from "#shared/errors.ts";
import type { Assets } from "./assets.ts";

export interface RegisteredPipeline {
  readonly name: string;
  readonly version: string;
  readonly createdTime: string;
  readonly document: PipelineDocument;
}

export type RegistryRoom = ReturnType<typeof createRegistryRoom>;

/** Versions of one pipeline that a list looks at. */
const listedVersions = 200;

export function createRegistryRoom({
  registry,
  records,
  assets,
}: {
  registry: Registry;
  records: Records;
  assets: Assets;
}) {
  /** What compiling a plan asks of the workspace; names without a version are the newest at that moment. */
  const resolver: AssetResolver = {
    async component(reference) {
      const asset = parseAssetName(reference);
      if (asset === undefined || asset.registry !== undefined || asset.label !== undefined) return undefined;
      const found = await registry.component(asset.name, asset.version);
      return found === undefined ? undefined : { ...found.spec, name: found.name, version: found.version };
    },
    async data(reference) {
      const asset = parseAssetName(reference);
      // Assets of a registry are resolved by the service itself.
      if (asset?.registry !== undefined) return { uri: reference, type: "uri_folder" };
      if (asset === undefined || asset.label !== undefined) return undefined;
      const isModel = /\/models\//.test(reference);
      const found = isModel ? undefined : await registry.data(asset.name, asset.version);
      return found ?? registry.model(asset.name, asset.version);
    },
  };

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

  return {
    resolver,

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

    components: () => registry.components(),
    versions: (name: string) => registry.versions(name),

    /** Registers a pipeline under the same rules. */
    async putPipeline(
      name: string,
      version: string | undefined,
      document: PipelineDocument,
    ): Promise<RegisteredPipeline> {
      const content = hashOf(document);
      const wanted = version ?? content.slice(0, 12);
      const path = pipelineRecordPath(name, wanted);
      const record: RegisteredPipeline = { name, version: wanted, createdTime: new Date().toISOString(), document };
      if (await records.replace(path, JSON.stringify(record), undefined, { content })) return record;
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

    pipelineNames: (): Promise<string[]> => records.folders(pipelineFolder()),

    /** Newest first. */
    async pipelineVersions(name: string): Promise<{ version: string; createdTime: string }[]> {
      const { entries } = await records.page(pipelineFolder(name), listedVersions);
      return entries
        .map(({ path, lastModified }) => ({
          version: path.slice(pipelineFolder(name).length, -".json".length),
          createdTime: lastModified.toISOString(),
        }))
        .toSorted((a, b) => b.createdTime.localeCompare(a.createdTime));
    },
  };

  async function readPipeline(path: string): Promise<RegisteredPipeline | undefined> {
    const found = await records.read(path);
    // Only this module writes below that folder.
    return found === undefined ? undefined : (JSON.parse(found.text) as RegisteredPipeline);
  }
}

function hashOf(document: object): string {
  return createHash("sha256").update(canonicalJson(document)).digest("hex");
}

function taken(what: string, name: string, version: string): MlpipeError {
  return new MlpipeError(
    "Conflict",
    `Version ${version} of ${what} ${name} holds other content. Register this under a new version.`,
  );
}
