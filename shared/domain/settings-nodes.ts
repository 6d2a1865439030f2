// The nodes that a pipeline's settings name: one runs before all others, one after them, whatever became of them.
import { parseBinding } from "./expressions.ts";
import { type IssueList, fieldOf } from "./issue-list.ts";
import type { Scope } from "./pipeline-scope.ts";
import { type PlanNode, dependenciesOf } from "./plan.ts";

/** Flat names of the nodes that `settings` names, with everything told that keeps one from its place. */
export function readSettingsNodes(
  settings: { readonly on_init?: string; readonly on_finalize?: string },
  scope: Scope,
  nodes: ReadonlyMap<string, PlanNode>,
  list: IssueList,
): { onInit?: string; onFinalize?: string } {
  const found: { onInit?: string; onFinalize?: string } = {};
  const written = scope.pipeline.settings;
  const settingField = (key: string) => fieldOf("settings", written, key);

  function read(key: "on_init" | "on_finalize"): string | undefined {
    const value = settings[key];
    if (value === undefined) return undefined;
    const field = settingField(key);
    const binding = parseBinding(value);
    const name = binding?.kind === "node" ? binding.node : value;
    const step = scope.steps.get(name);
    if (step === undefined) {
      if (!scope.broken.has(name))
        list.error(field, `there is no node \`${name}\``, { nearest: { name, among: scope.steps.keys() } });
      return undefined;
    }
    if (step.kind.sourceOf !== undefined) {
      list.error(field, `\`${name}\` is a pipeline of its own; name a node with a job`);
      return undefined;
    }
    if (scope.governed.has(name)) {
      list.error(field, `\`${name}\` is part of control flow, which runs it`);
      return undefined;
    }
    const node = nodes.get(step.flatName);
    if (node !== undefined && dependenciesOf(node).length > 0)
      list.error(field, `\`${name}\` reads other nodes' outputs, which this node cannot`);
    return step.flatName;
  }

  const [onInit, onFinalize] = [read("on_init"), read("on_finalize")];
  if (onInit !== undefined) found.onInit = onInit;
  if (onFinalize !== undefined) found.onFinalize = onFinalize;
  if (onInit !== undefined && onInit === onFinalize)
    list.error(settingField("on_finalize"), `\`${onInit}\` cannot be both the first node and the last`);
  const reader = [...nodes.values()].find(
    (node) => onFinalize !== undefined && dependenciesOf(node).includes(onFinalize),
  );
  if (reader !== undefined)
    list.error(
      settingField("on_finalize"),
      `\`${reader.name}\` reads an output of \`${onFinalize}\`, which runs after all others`,
    );
  if (Object.keys(found).length > 0 && scope.steps.size === Object.keys(found).length)
    list.error({ path: "jobs" }, "beside the first node and the last there is none");
  return found;
}
