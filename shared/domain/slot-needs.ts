// Which limits a run or a job meets: those of the app's settings, which hold for everything, and those of its pipeline.
import type { Concurrency } from "./concurrency.ts";
import type { Plan } from "./plan.ts";
import type { Needs } from "./slots.ts";

/** What a run needs a slot of; nothing where no limit is set. */
export function runNeeds(app: Concurrency, { pipeline, settings: { concurrency } }: Plan): Needs {
  return defined({ runs: app.maxRuns, [`runs of ${pipeline}`]: concurrency?.maxRuns });
}

/** What a job on a size needs a slot of. */
export function jobNeeds(
  app: Concurrency,
  { pipeline, settings: { concurrency } }: Plan,
  instanceType: string | undefined,
): Needs {
  const size = instanceType?.toLowerCase();
  const ofSize = ({ maxJobsPerSize = {} }: Concurrency) =>
    Object.entries(maxJobsPerSize).find(([name]) => name.toLowerCase() === size)?.[1];
  return defined({
    jobs: app.maxJobs,
    [`jobs on ${instanceType}`]: ofSize(app),
    [`jobs of ${pipeline}`]: concurrency?.maxJobs,
    [`jobs of ${pipeline} on ${instanceType}`]: concurrency === undefined ? undefined : ofSize(concurrency),
  });
}

/** Whether a pipeline's jobs meet any limit, so that they have to ask at all. */
export function hasJobLimits(app: Concurrency, { settings: { concurrency } }: Plan): boolean {
  return [app, concurrency].some((each) => each?.maxJobs !== undefined || each?.maxJobsPerSize !== undefined);
}

function defined(needs: Record<string, number | undefined>): Needs {
  return Object.fromEntries(Object.entries(needs).flatMap(([need, max]) => (max === undefined ? [] : [[need, max]])));
}
