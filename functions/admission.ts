// Asks the workspace, before a run is stored, for the environment of every node: what it refuses now it would refuse when the
// node's turn comes, with half of the run done and paid for.
import { setTimeout as sleep } from "node:timers/promises";
import type { EnvironmentReference, Plan, PlanNode } from "#shared/domain/plan.ts";
import { isMlpipeError } from "#shared/errors.ts";
import type { Assets } from "./assets.ts";

export type Admission = ReturnType<typeof createAdmission>;

const asksAtOnce = 8;
/** Whoever starts a run waits for the answer. */
const patienceMs = 20_000;

export function createAdmission({ assets }: { assets: Pick<Assets, "admitEnvironment"> }) {
  /** Why the workspace does not take an environment; undefined when it does, or cannot be asked just now. */
  async function refusalOf(environment: EnvironmentReference, hurry: Promise<void>): Promise<string | undefined> {
    try {
      await Promise.race([assets.admitEnvironment(environment), hurry]);
      return undefined;
    } catch (error) {
      if (!isMlpipeError(error)) throw error;
      // The job's own submission has the patience that a start has not.
      return error.code === "Unavailable" ? undefined : error.message;
    }
  }

  return {
    /** The nodes of a plan that cannot run in this workspace, each with its reason. */
    async refusals(plan: Plan): Promise<Map<string, string>> {
      const nodes = [plan, ...Object.values(plan.bodies ?? {})].flatMap((each) => each.nodes).filter(hasJob);
      const wanted = [...new Map(nodes.map(({ environment }) => [JSON.stringify(environment), environment]))];
      const reasons = new Map<string, string>();
      const hurry = sleep(patienceMs, undefined, { ref: false });
      for (let start = 0; start < wanted.length; start += asksAtOnce) {
        const asked = wanted.slice(start, start + asksAtOnce).map(async ([key, environment]) => {
          const reason = await refusalOf(environment, hurry);
          if (reason !== undefined) reasons.set(key, reason);
        });
        await Promise.all(asked);
      }
      return new Map(
        nodes.flatMap(({ name, environment }): [string, string][] => {
          const reason = reasons.get(JSON.stringify(environment));
          return reason === undefined ? [] : [[name, reason]];
        }),
      );
    },
  };
}

/** A node whose kind cannot run has no job that an environment is asked for. */
function hasJob({ kind, refusal }: PlanNode): boolean {
  return (kind === "command" || kind === "sweep") && refusal === undefined;
}
