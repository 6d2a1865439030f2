import { PlanAnswer, PlanRequest } from "#shared/api.ts";
import { capIssues } from "#shared/domain/cost/keepable-cap.ts";
import { parsePipeline } from "#shared/domain/load-pipeline.ts";
import { dependenciesOf, type Plan, type PlanInput } from "#shared/domain/plan.ts";
import { withoutSecrets } from "#shared/log.ts";
import type { App } from "../app.ts";
import { createForecastRun } from "../cost/forecast-run.ts";
import { withoutLocalFiles } from "../inline-pipeline.ts";
import { loadNamedPipeline } from "../named-pipeline.ts";
import { createPlanReuse } from "../reuse/plan-reuse.ts";
import { defineRoute, json } from "../route.ts";

export const planRun = (app: App) => {
  const { startRun, pipelines, registry, admission } = app;
  const planReuse = createPlanReuse(app);
  const forecastRun = createForecastRun(app);
  return defineRoute(
    {
      name: "planRun",
      method: "POST",
      path: "plan",
      summary: "Say what a run would do; submits nothing",
      body: PlanRequest,
      answer: { status: 200, description: "The plan", schema: PlanAnswer },
    },
    async ({ body }) => {
      const { pipeline = "", name, version, ...options } = body;
      const asked =
        name === undefined
          ? { document: withoutLocalFiles(await parsePipeline(pipeline, {})) }
          : await loadNamedPipeline({ pipelines, registry }, name, version);
      const { plan, warnings } = await startRun.preview({ ...asked, ...options });
      const refused = whyRefused(plan, await admission.refusals(plan));
      const planned = await planReuse({ ...plan, nodes: plan.nodes.filter(({ name }) => !refused.has(name)) });
      const { nodes: forecasts, run: forecast } = await forecastRun(plan, planned);
      const unkeepable = capIssues(plan, app.prices);
      const answer: PlanAnswer = {
        pipeline: plan.pipeline,
        forecast,
        nodes: plan.nodes.map((node) => ({
          name: node.name,
          kind: node.kind,
          component: node.component.name,
          action: "run" as const,
          ...planned.get(node.name),
          ...(refused.has(node.name) ? { action: "refuse" as const, reason: refused.get(node.name) } : {}),
          ...(forecasts.has(node.name) ? { forecast: forecasts.get(node.name) } : {}),
          ...(node.compute === undefined ? {} : { compute: computeName(node.compute) }),
          instanceTypes: node.resources.instanceTypes,
          dependsOn: dependenciesOf(node),
          inputs: Object.fromEntries(Object.entries(node.inputs).map(([name, input]) => [name, describeInput(input)])),
        })),
        ...(plan.assets === undefined ? {} : { assets: plan.assets }),
        // A run under such a cap would not start; its plan is told all the same.
        warnings: [...unkeepable.map((issue) => ({ ...issue, severity: "warning" as const })), ...warnings].map(
          (warning) => ({ ...warning }),
        ),
      };
      return json(200, answer);
    },
  );
};

/** `azureml:cpu-cluster` or an ARM id -> `cpu-cluster`. */
function computeName(reference: string): string {
  return reference.replace(/^azureml:/, "").replace(/^.*\/computes\//, "");
}

function describeInput(input: PlanInput): string {
  if (input.kind === "literal") return input.value;
  return input.kind === "data" ? withoutSecrets(input.uri) : `${input.node}.${input.output}`;
}

/** Node -> why it cannot run; a loop cannot when a node of its body cannot. */
function whyRefused(plan: Plan, byWorkspace: ReadonlyMap<string, string>): Map<string, string> {
  const bodies = Object.entries(plan.bodies ?? {});
  const nodes = [plan, ...bodies.map(([, body]) => body)].flatMap((each) => each.nodes);
  const refused = new Map(byWorkspace);
  for (const { name, refusal } of nodes) if (refusal !== undefined) refused.set(name, `it is ${refusal}`);
  // A body within a body comes before it.
  for (const [loop, body] of bodies) {
    const inside = body.nodes.find(({ name }) => refused.has(name));
    if (inside !== undefined) refused.set(loop, `\`${inside.name}\` cannot run: ${refused.get(inside.name)}`);
  }
  return refused;
}
