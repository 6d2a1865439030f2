// Registered components and data during a compilation, which is synchronous: what is not known yet is noted as wanted,
// looked up in between, and there the next time.
import { isRegistered } from "./asset-references.ts";
import type { Field, IssueList } from "./issue-list.ts";
import type { ResolvedAsset } from "./resolved-asset.ts";
import { type Mapping, isLiteral, isMapping } from "./shape.ts";

export interface FoundData {
  readonly uri: string;
  readonly type?: string;
  /** Absent for what only the service can look up. */
  readonly asset?: { readonly kind: "data" | "model"; readonly name: string; readonly version: string };
}

/** What only a workspace knows: registered components, data and environments. */
export interface AssetResolver {
  /** The specification of a registered component (`azureml:name:version` and every other form), or undefined when there is none. */
  component(reference: string): Promise<unknown>;
  /** Where a registered data asset or model lies; without this, the reference itself goes into the plan. */
  data?(reference: string): Promise<FoundData | undefined>;
  /** The version that a name or label means; undefined leaves the reference as it is. */
  environment?(reference: string): Promise<{ name: string; version: string; id: string } | undefined>;
  /** Why there is no such thing, as the end of a sentence: what there is instead. */
  explain?(kind: "component" | "data", reference: string): Promise<string | undefined>;
}

export interface RegisteredAssets {
  component(reference: string, field: Field, list: IssueList, isCheckOnly: boolean): Mapping | undefined;
  data(reference: string, field: Field, list: IssueList): { readonly uri: string; readonly type?: string } | undefined;
  /** Looks up what has been asked for since the last time; false when that was nothing. */
  lookUpWanted(): Promise<boolean>;
  /** What names stood for, in the order of kind and reference. */
  resolved(): ResolvedAsset[];
}

/** A service that is asked for everything at once answers nothing. */
const looksAtOnce = 16;

export function createRegisteredAssets(resolver: AssetResolver | undefined): RegisteredAssets {
  const components = new Map<string, unknown>();
  const data = new Map<string, FoundData | undefined>();
  const reasons = new Map<string, string>();
  const wantedComponents = new Set<string>();
  const wantedData = new Set<string>();

  function missing(what: string, reference: string): string {
    const reason = reasons.get(reference);
    return `there is no registered ${what} \`${reference}\`${reason === undefined ? "" : `: ${reason}`}`;
  }

  async function find<T>(kind: "component" | "data", reference: string, look: Promise<T> | undefined) {
    const found = await look;
    const reason = found === undefined ? await resolver?.explain?.(kind, reference) : undefined;
    if (reason !== undefined) reasons.set(reference, reason);
    return found;
  }

  return {
    component(reference, field, list, isCheckOnly) {
      if (!isRegistered(reference)) {
        const isName = /^[\w-]+[:@][\w.-]+$/.test(reference);
        if (isName) list.error(field, `\`${reference}\` names no component`, { suggestion: `azureml:${reference}` });
        // While the rest is checked, the loader has already told why this could not be read.
        else if (!isCheckOnly)
          list.error(field, `\`${reference}\` names no registered component, and its file has not been read`);
        return undefined;
      }
      if (resolver === undefined) {
        if (!isCheckOnly)
          list.error(field, `\`${reference}\` is registered in a workspace, and there is none to look it up in`);
        return undefined;
      }
      if (!components.has(reference)) {
        wantedComponents.add(reference);
        return undefined;
      }
      const found = components.get(reference);
      if (isMapping(found)) return found;
      list.error(field, missing("component", reference));
      return undefined;
    },

    data(reference, field, list) {
      if (resolver?.data === undefined) return { uri: reference };
      if (!data.has(reference)) {
        wantedData.add(reference);
        return { uri: reference };
      }
      const found = data.get(reference);
      if (found === undefined) list.error(field, missing("data asset", reference));
      return found;
    },

    async lookUpWanted() {
      const isAny = wantedComponents.size + wantedData.size > 0;
      const looks = [
        ...[...wantedComponents].map((reference) => async () => {
          components.set(reference, await find("component", reference, resolver?.component(reference)));
        }),
        ...[...wantedData].map((reference) => async () => {
          data.set(reference, await find("data", reference, resolver?.data?.(reference)));
        }),
      ];
      wantedComponents.clear();
      wantedData.clear();
      for (let start = 0; start < looks.length; start += looksAtOnce)
        await Promise.all(looks.slice(start, start + looksAtOnce).map((look) => look()));
      return isAny;
    },

    resolved() {
      const found = [
        ...[...components].flatMap(([reference, spec]): ResolvedAsset[] => {
          if (!isMapping(spec) || !isLiteral(spec.name) || !isLiteral(spec.version)) return [];
          return [{ kind: "component", reference, name: String(spec.name), version: String(spec.version) }];
        }),
        ...[...data].flatMap(([reference, place]): ResolvedAsset[] =>
          place?.asset === undefined ? [] : [{ ...place.asset, reference, uri: withoutSignature(place.uri) }],
        ),
      ];
      return found.toSorted((a, b) => (a.kind + a.reference < b.kind + b.reference ? -1 : 1));
    },
  };
}

/** An address may carry the right to read it in its query, which is nobody's to see. */
function withoutSignature(uri: string): string {
  return uri.replace(/\?.*$/s, "");
}
