// The artifacts of a job (`./outputs`, logs) can be read without being listed as an output, those of a loop's rounds too.
import type { PlanBody, PlanNode, PlanOutput } from "./plan.ts";

interface Nodes {
  readonly nodes: readonly PlanNode[];
  readonly bodies: ReadonlyMap<string, PlanBody>;
}

const name = "artifacts";
const ofJob: PlanOutput = { type: "uri_folder", mode: "rw_mount", isArtifacts: true };
const ofLoop = {
  do_while: { type: "uri_folder", mode: "rw_mount" },
  parallel_for: { type: "mltable", mode: "rw_mount" },
} as const;

/** The nodes with the output `artifacts` where somebody reads it. */
export function withArtifacts({ nodes, bodies }: Nodes): Nodes {
  const read = readersOf(nodes, bodies);
  const all = [...nodes, ...[...bodies.values()].flatMap((body) => body.nodes)];
  // The artifacts of a loop are those of its body, which may be a loop itself.
  const loops = all.filter(({ loop }) => loop !== undefined);
  for (let before = -1; before !== read.size;) {
    before = read.size;
    for (const node of loops) if (node.loop !== undefined && read.has(node.name)) read.add(node.loop.body);
  }
  const add = (node: PlanNode): PlanNode => {
    if (!read.has(node.name) || Object.hasOwn(node.outputs, name)) return node;
    return { ...node, outputs: { ...node.outputs, [name]: node.loop === undefined ? ofJob : ofLoop[node.loop.kind] } };
  };
  const addToBody = (loop: string, body: PlanBody): PlanBody => {
    const repeated = loops.find((node) => node.name === loop)?.loop?.body;
    const isRead = read.has(loop) && !Object.hasOwn(body.outputs, name) && repeated !== undefined;
    const outputs = isRead ? { ...body.outputs, [name]: { node: repeated, output: name } } : body.outputs;
    return { nodes: body.nodes.map(add), outputs };
  };
  return {
    nodes: nodes.map(add),
    bodies: new Map([...bodies].map(([loop, body]) => [loop, addToBody(loop, body)])),
  };
}

/** Names of the nodes whose artifacts are read. */
function readersOf(nodes: readonly PlanNode[], bodies: Nodes["bodies"]): Set<string> {
  const read = new Set<string>();
  // Inside a loop its name stands for what changes from round to round, which may be called anything.
  function look(some: readonly PlanNode[], around: readonly string[]): void {
    for (const node of some) {
      for (const input of Object.values(node.inputs))
        if (input.kind === "output" && input.output === name && !around.includes(input.node)) read.add(input.node);
      const body = bodies.get(node.name);
      if (body !== undefined) look(body.nodes, [...around, node.name]);
    }
  }
  look(nodes, []);
  return read;
}
