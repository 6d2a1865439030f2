// A loop as its orchestration walks it: the graph of its body, and what its rounds are given.
import { type Item, type ItemPort, itemsInput } from "#shared/domain/control/loop-plan.ts";
import type { Loop } from "#shared/domain/control/loop-state.ts";
import { listItems } from "#shared/domain/control/read-items.ts";
import { toLiteralUri } from "#shared/domain/literal-uri.ts";
import { coerceLiteral } from "#shared/domain/literals.ts";
import { planNodeOf } from "#shared/domain/plan-node-of.ts";
import {
  graphOf,
  type Plan,
  type PlanBody,
  type PlanGraph,
  type PlanInput,
  type PlanNode,
} from "#shared/domain/plan.ts";
import { describe, isLiteral, isMapping } from "#shared/domain/shape.ts";
import { isMlpipeError, MlpipeError } from "#shared/errors.ts";
import type { App } from "../app.ts";

type Answer = ({ kind: "loop" } & Loop & { items: Item[] }) | { kind: "refused"; reason: string };

/** Bytes that items may have as JSON. */
const itemsBytes = 1024 * 1024;

export function createReadLoop({ plans, readOutputText }: Pick<App, "plans" | "readOutputText">) {
  return async function readLoop({
    runId,
    node,
    upstream,
  }: {
    runId: string;
    node: string;
    upstream: Record<string, string>;
  }): Promise<Answer> {
    const { plan } = await plans.get(runId);
    const planned = planNodeOf(plan, node);
    const body = planned === undefined ? undefined : plan.bodies?.[planned.name];
    if (planned?.loop === undefined || body === undefined) throw new Error(`the plan of ${runId} has no loop ${node}`);
    const { name: planNode, loop } = planned;
    try {
      const given = await itemsOf(planned, upstream);
      const items = given.map((item) => prefixed(planNode, item));
      return { kind: "loop", planNode, plan: loop, graph: bodyGraph(plan, body), outputs: body.outputs, items };
    } catch (error) {
      if (!isMlpipeError(error) || error.code === "Unavailable") throw error;
      return { kind: "refused", reason: error.message };
    }
  };

  async function itemsOf({ loop, inputs }: PlanNode, upstream: Record<string, string>): Promise<readonly Item[]> {
    if (loop?.kind === "do_while") {
      const names = Object.values(loop.mapping).flat();
      return [definedOf(names.map((name) => [name, firstValue(name, inputs[name], upstream)]))];
    }
    if (loop?.items !== undefined) return loop.items;
    const bound = inputs[itemsInput];
    const uri = bound?.kind === "output" ? upstream[`${bound.node}.${bound.output}`] : undefined;
    if (uri === undefined) throw new MlpipeError("NotFound", "the output that holds the items was not made");
    const listed = listItems(parse(await readOutputText(uri, "the output that holds the items", itemsBytes)));
    if ("problem" in listed) throw new MlpipeError("InvalidRequest", listed.problem);
    const ports = loop?.ports ?? {};
    return listed.items.map(({ item }, index) => {
      const stranger = Object.keys(item).find((name) => !Object.hasOwn(ports, name));
      if (stranger !== undefined) throw refuse(index, stranger, `the body has no such input`);
      return definedOf(
        Object.entries(ports).map(([name, port]) => {
          const value = item[name];
          const isGiven = value !== undefined && value !== null;
          return [name, isGiven ? toUri(index, name, value, port) : firstOrRefuse(index, name, port)];
        }),
      );
    });

    function firstOrRefuse(index: number, name: string, { isOptional }: ItemPort): string | undefined {
      if (!isOptional) throw refuse(index, name, "it has no value");
      return firstValue(name, inputs[name], upstream);
    }
  }
}

/** Where the value lies that an input has before the loop gives it another; undefined for one without. */
function firstValue(name: string, input: PlanInput | undefined, upstream: Record<string, string>): string | undefined {
  if (input === undefined) return undefined;
  if (input.kind === "literal") return toLiteralUri(input.value);
  const uri = input.kind === "data" ? input.uri : upstream[`${input.node}.${input.output}`];
  if (uri === undefined && input.kind === "output" && input.isOptional !== true)
    throw new MlpipeError("NotFound", `input \`${name}\`: node \`${input.node}\` made no \`${input.output}\``);
  return uri;
}

function toUri(index: number, name: string, value: unknown, { literal, ...limits }: ItemPort): string {
  if (literal !== undefined) {
    if (!isLiteral(value)) throw refuse(index, name, `expected a ${literal}, got ${describe(value)}`);
    const coerced = coerceLiteral(value, { type: literal, ...withoutUndefined(limits) });
    if (coerced.value === undefined) throw refuse(index, name, coerced.problem);
    return toLiteralUri(coerced.value);
  }
  const path = isMapping(value) ? value["path"] : value;
  if (typeof path === "string" && /^(?:azureml:\/\/|https?:\/\/|wasbs?:\/\/|abfss?:\/\/)/.test(path)) return path;
  throw refuse(index, name, `expected the place of data, such as azureml://datastores/..., got ${describe(path)}`);
}

function refuse(index: number, name: string, problem: string): MlpipeError {
  return new MlpipeError("InvalidRequest", `item ${index + 1}, input \`${name}\`: ${problem}`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new MlpipeError("InvalidRequest", `the output that holds the items is no JSON: ${why}`);
  }
}

/** The part of the plan that a round walks; what lies outside it is there already. */
function bodyGraph(plan: Plan, { nodes }: PlanBody): PlanGraph {
  const { continueOnStepFailure, forceRerun } = plan.settings;
  const graph = graphOf({ ...plan, nodes, settings: { continueOnStepFailure, forceRerun } });
  const inside = new Set(nodes.map(({ name }) => name));
  return {
    ...graph,
    nodes: graph.nodes.map(({ dependsOn, optionalDependsOn, ...node }) => ({
      ...node,
      dependsOn: dependsOn.filter((name) => inside.has(name)),
      ...(optionalDependsOn === undefined
        ? {}
        : { optionalDependsOn: optionalDependsOn.filter((name) => inside.has(name)) }),
    })),
  };
}

function prefixed(planNode: string, item: Item): Item {
  return Object.fromEntries(Object.entries(item).map(([name, uri]) => [`${planNode}.${name}`, uri]));
}

function definedOf(entries: readonly (readonly [string, string | undefined])[]): Item {
  return Object.fromEntries(entries.flatMap(([name, uri]) => (uri === undefined ? [] : [[name, uri]])));
}

function withoutUndefined(limits: Omit<ItemPort, "literal">): { min?: number; max?: number; enum?: readonly string[] } {
  const { min, max, enum: allowed } = limits;
  return {
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    ...(allowed === undefined ? {} : { enum: allowed }),
  };
}
