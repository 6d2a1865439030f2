import { forecastPlan } from "#shared/domain/cost/forecast-plan.ts";
import type { NodeForecast, RunForecast } from "#shared/domain/cost/forecast.ts";
import type { Plan } from "#shared/domain/plan.ts";
import type { App } from "../app.ts";
import type { PlannedReuse } from "../reuse/plan-reuse.ts";

/** What a plan would take and cost, by what is remembered of the pipeline's earlier runs. */
export function createForecastRun({
  durations,
  prices,
  concurrency,
}: Pick<App, "durations" | "prices" | "concurrency">) {
  return async function forecastRun(
    plan: Plan,
    planned: ReadonlyMap<string, PlannedReuse>,
  ): Promise<{ nodes: Map<string, NodeForecast>; run: RunForecast }> {
    const running = new Set([...planned].flatMap(([name, { action }]) => (action === "run" ? [name] : [])));
    const history = await durations.of(plan.pipeline);
    return forecastPlan({ plan, running, history, prices, concurrency });
  };
}
