// What a run would do, as tables: its nodes, what they read, and what names stand for now.
import type { PlanAnswer } from "#shared/api.ts";
import { describeAssets } from "./describe-assets.ts";
import { describeForecast, nodeCost, nodeTime } from "./describe-forecast.ts";
import { renderTable } from "./print-table.ts";

/** A literal may be a whole text. */
const longestValue = 200;
/** The others have no job of their own. */
const jobKinds: ReadonlySet<string> = new Set(["command", "sweep"]);

export function renderPlan(answer: PlanAnswer, width: number | undefined): string {
  const { nodes, assets = [] } = answer;
  const steps = nodes.map((node) => [
    node.name,
    node.component === node.name ? "" : node.component,
    node.action,
    nodeTime(node),
    nodeCost(node),
    node.reason ?? "",
    node.dependsOn.join(", "),
    jobKinds.has(node.kind) ? describeMachines(node) : "",
  ]);
  const inputs = nodes.flatMap((node) =>
    Object.entries(node.inputs).map(([name, value]) => [`${node.name}.${name}`, oneLine(value)]),
  );
  return [
    renderTable(["NODE", "COMPONENT", "ACTION", "TIME", "COST", "WHY", "AFTER", "ON"], steps, width),
    ...describeForecast(answer),
    ...(inputs.length === 0 ? [] : ["", renderTable(["INPUT", "VALUE"], inputs, width)]),
    ...describeAssets(assets, width),
  ].join("\n");
}

/** Where it runs, and the size it asks for first. */
function describeMachines({ compute, instanceTypes }: PlanAnswer["nodes"][number]): string {
  const [size, ...others] = instanceTypes;
  const more = others.length === 0 ? "" : ` or ${others.length} more`;
  if (size === undefined) return compute ?? "serverless";
  return `${compute === undefined ? "" : `${compute}: `}${size}${more}`;
}

function oneLine(value: string): string {
  const text = /^[^\p{Cc}]+$/u.test(value) ? value : JSON.stringify(value);
  return text.length > longestValue ? `${text.slice(0, longestValue)}…` : text;
}
