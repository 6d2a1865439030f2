// What compiling a plan asks of the workspace: names without a version are the newest at that moment.
import type { AssetKind, Registry } from "#shared/azure/registry.ts";
import { type AssetName, parseAssetName } from "#shared/domain/asset-name.ts";
import { nearestName } from "#shared/domain/nearest-name.ts";
import type { AssetResolver } from "#shared/domain/registered-assets.ts";

const namedAtMost = 10;

export function createAssetResolver(registry: Registry): AssetResolver {
  const workspace = ownWorkspace(registry.workspaceId);

  /** The asset that `reference` names in this workspace; undefined when it is none of these kinds, or elsewhere. */
  function inWorkspace(reference: string, types: readonly string[]): AssetName | undefined {
    const asset = parseAssetName(reference);
    if (asset === undefined || asset.registry !== undefined || asset.label !== undefined) return undefined;
    if (asset.type !== undefined && !types.includes(asset.type)) return undefined;
    return asset.workspace === undefined || asset.workspace === workspace ? asset : undefined;
  }

  return {
    async component(reference) {
      const asset = inWorkspace(reference, ["components"]);
      const found = asset === undefined ? undefined : await registry.component(asset.name, asset.version);
      return found === undefined ? undefined : { ...found.spec, name: found.name, version: found.version };
    },

    async data(reference) {
      // Assets of a registry are resolved by the service itself.
      if (parseAssetName(reference)?.registry !== undefined) return { uri: reference };
      const asset = inWorkspace(reference, ["data", "models"]);
      if (asset === undefined) return undefined;
      const { name, version, type } = asset;
      const data = type === "models" ? undefined : await registry.data(name, version);
      const found = data ?? (type === "data" ? undefined : await registry.model(name, version));
      if (found === undefined) return undefined;
      const kind = data === undefined ? "model" : "data";
      return { uri: found.uri, type: found.type, asset: { kind, name, version: found.version } };
    },

    async environment(reference) {
      const asset = inWorkspace(reference, ["environments"]);
      // One with a version means that version for good.
      if (asset === undefined || asset.version !== undefined) return undefined;
      const found = await registry.latestEnvironment(asset.name);
      return found === undefined ? undefined : { name: asset.name, ...found };
    },

    async explain(kind, reference) {
      const asset = parseAssetName(reference);
      if (asset === undefined) return "write `azureml:<name>:<version>` or `azureml:<name>@latest`";
      if (asset.registry !== undefined)
        return `it is in the registry ${asset.registry}, which is not read from here; register it in the workspace`;
      if (asset.workspace !== undefined && asset.workspace !== workspace) return "it is in another workspace";
      if (asset.label !== undefined) return "a workspace knows no label but `latest`; name a version";
      const kinds: AssetKind[] = kind === "component" ? ["component"] : ["data", "model"];
      const versions = await Promise.all(kinds.map((each) => registry.versions(each, asset.name, namedAtMost)));
      const known = versions.flat().map(({ version }) => version);
      if (known.length > 0) return `it has ${known.slice(0, namedAtMost).join(", ")}`;
      const names = await Promise.all(kinds.map((each) => registry.names(each)));
      const near = nearestName(asset.name, names.flat());
      return near === undefined ? undefined : `did you mean \`azureml:${near}\`?`;
    },
  };
}

/** As a reference names it: `subscription/group/workspace` in lower case. */
function ownWorkspace(armId: string): string | undefined {
  return parseAssetName(`${armId}/components/x`)?.workspace;
}
