// Registered components and data during a compilation, which is synchronous: what is not known yet is noted as wanted,
// looked up in between, and there the next time.
import { isRegistered } from "./asset-references.ts";
import type { Field, IssueList } from "./issue-list.ts";
import { type Mapping, isMapping } from "./shape.ts";

/** What only a workspace knows: registered components and data. */
export interface AssetResolver {
  /** The specification of a registered component (`azureml:name:version` and every other form), or undefined when there is none. */
  component(reference: string): Promise<unknown>;
  /** Where a registered data asset lies; without this, the reference itself goes into the plan. */
  data?(reference: string): Promise<{ uri: string; type: string } | undefined>;
}

export interface RegisteredAssets {
  component(reference: string, field: Field, list: IssueList, isCheckOnly: boolean): Mapping | undefined;
  data(reference: string, field: Field, list: IssueList): { readonly uri: string; readonly type?: string } | undefined;
  /** Looks up what has been asked for since the last time; false when that was nothing. */
  lookUpWanted(): Promise<boolean>;
}

export function createRegisteredAssets(resolver: AssetResolver | undefined): RegisteredAssets {
  const components = new Map<string, unknown>();
  const data = new Map<string, { uri: string; type: string } | undefined>();
  const wantedComponents = new Set<string>();
  const wantedData = new Set<string>();

  return {
    component(reference, field, list, isCheckOnly) {
      if (!isRegistered(reference)) {
        // While the rest is checked, the loader has already told why this could not be read.
        if (!isCheckOnly)
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
      list.error(field, `there is no registered component \`${reference}\``);
      return undefined;
    },

    data(reference, field, list) {
      if (resolver?.data === undefined) return { uri: reference };
      if (!data.has(reference)) {
        wantedData.add(reference);
        return { uri: reference };
      }
      const found = data.get(reference);
      if (found === undefined) list.error(field, `there is no registered data asset \`${reference}\``);
      return found;
    },

    async lookUpWanted() {
      const isAny = wantedComponents.size + wantedData.size > 0;
      await Promise.all([
        ...[...wantedComponents].map(async (reference) =>
          components.set(reference, await resolver?.component(reference)),
        ),
        ...[...wantedData].map(async (reference) => data.set(reference, await resolver?.data?.(reference))),
      ]);
      wantedComponents.clear();
      wantedData.clear();
      return isAny;
    },
  };
}
