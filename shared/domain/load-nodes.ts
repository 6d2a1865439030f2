// Nodes and components, read with everything they name. A component's file is read once however many nodes use it.
import { localPathOf } from "./asset-references.ts";
import { type Field, type IssueList, fieldOf, subPath } from "./issue-list.ts";
import type { LocalFiles } from "./local-files.ts";
import { createPartLoader } from "./load-parts.ts";
import type { Loader, NodeKind } from "./nodes/node-kind.ts";
import { type Mapping, isMapping } from "./shape.ts";
import { keepSource } from "./source-map.ts";

const maxComponentDepth = 20;

/** What cannot be read stays as it was written, so that the rest can still be checked. */
export function createNodeLoader(kinds: ReadonlyMap<string, NodeKind>, local: LocalFiles, list: IssueList): Loader {
  const components = new Map<string, Mapping | undefined>();
  /** Files whose components are being read, outermost first: a component that holds itself would never end. */
  let chain: readonly string[] = [];

  async function component(value: unknown, field: Field): Promise<unknown> {
    if (isMapping(value)) return loadComponent(value, field);
    if (typeof value !== "string") return value;
    if (localPathOf(value) === undefined) return value;
    const path = local.resolve(value, field);
    if (path === undefined) return undefined;
    if (chain.includes(path) || chain.length >= maxComponentDepth) {
      list.error(
        field,
        chain.includes(path)
          ? `the component holds itself: ${[...chain, path].join(" -> ")}`
          : `components are nested more than ${maxComponentDepth} deep`,
      );
      return undefined;
    }
    if (components.has(path)) return components.get(path);
    const outer = chain;
    chain = [...chain, path];
    const found = await local.file(path, field);
    const loaded = found === undefined ? undefined : await loadComponent(found, field);
    chain = outer;
    components.set(path, loaded);
    return loaded;
  }

  async function loadComponent(spec: Mapping, field: Field): Promise<Mapping> {
    const kind = kinds.get(typeof spec.type === "string" ? spec.type : "command");
    // A kind that nobody knows is told of where the plan is made, with what is expected there.
    return kind === undefined ? spec : kind.load(spec, loader, field.path);
  }

  async function node(value: Mapping, path: string): Promise<Mapping> {
    const withComponent: Mapping =
      value.component === undefined || value.component === null
        ? value
        : keepSource(value, {
            ...value,
            component: (await component(value.component, fieldOf(path, value, "component"))) ?? value.component,
          });
    const own = withComponent.component;
    const type = value.type ?? (isMapping(own) ? own.type : undefined) ?? "command";
    const loaded =
      (await kinds.get(typeof type === "string" ? type : "")?.load(withComponent, loader, path)) ?? withComponent;
    if (!isMapping(loaded.inputs)) return loaded;
    return keepSource(value, {
      ...loaded,
      inputs: await loader.inputs(loaded.inputs, subPath(path, "inputs"), isMapping(own) ? own.inputs : undefined),
    });
  }

  const loader: Loader = { ...createPartLoader(local, list), component, node };
  return loader;
}
