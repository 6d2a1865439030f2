// What mlpipe understands beyond Azure ML's schema. It stands where `az ml` lets anything stand: a node's `resources.properties`
// and a pipeline's `settings`, under the one key `mlpipe`.
import type { Concurrency } from "../concurrency.ts";
import { mostUsd } from "../cost/money.ts";
import { FailureClass } from "../failure-class.ts";
import { fieldOf } from "../issue-list.ts";
import { mergePolicies, type NodePolicy } from "../node-policy.ts";
import {
  flag,
  isMapping,
  listOf,
  type Mapping,
  mapping,
  number,
  oneOf,
  positiveInteger,
  type Reader,
  recordOf,
  shape,
  text,
} from "../shape.ts";

const notNegative: Reader<number> = (value, field, list) => {
  const read = number(value, field, list);
  if (read === undefined || read >= 0) return read;
  list.error(field, "expected seconds, got a number below 0");
  return undefined;
};

const finite: Reader<number> = (value, field, list) => {
  const read = number(value, field, list);
  if (read === undefined || Number.isFinite(read)) return read;
  list.error(field, `expected a number, got \`${read}\``);
  return undefined;
};

const margin: Reader<number> = (value, field, list) => {
  const read = finite(value, field, list);
  if (read === undefined || read >= 0) return read;
  list.error(field, `expected a number of 0 or more, got \`${read}\`: \`goal: minimize\` turns a rule round`);
  return undefined;
};

const usd: Reader<number> = (value, field, list) => {
  const read = number(value, field, list);
  if (read === undefined || (read > 0 && read <= mostUsd)) return read;
  list.error(field, `expected US dollars above 0 and up to ${mostUsd}, got ${read}`);
  return undefined;
};

const rule = shape({
  max_attempts: positiveInteger,
  delay: notNegative,
  max_delay: notNegative,
  bigger_size: flag,
  spot_attempts: notNegative,
});
const ruleNames = Object.fromEntries(FailureClass.options.map((name) => [name.replaceAll("-", "_"), rule]));
const retry: Reader<Readonly<Record<string, ReturnType<typeof rule>>>> = shape(ruleNames);
const phases = {
  queued: positiveInteger,
  preparing: positiveInteger,
  running: positiveInteger,
  finalizing: positiveInteger,
  node: positiveInteger,
};

const nodeExtension = shape({ instance_type_fallbacks: listOf(text), retry, limits: shape(phases) });

/** One of the `rules:` of `promote:`. */
export const promotionRule = shape({
  node: text,
  metric: text,
  at_least: finite,
  at_most: finite,
  better_than: oneOf(["champion"] as const),
  by: margin,
  goal: oneOf(["maximize", "minimize"] as const),
  if_unscorable: oneOf(["reject", "pass"] as const),
});

/** What has to hold for the run's model to become a registered one, see promotion/read-promotion.ts. */
const promote = shape({
  model: text,
  name: text,
  stage: text,
  rules: listOf(promotionRule),
  approval: shape({ timeout: positiveInteger }),
});

/** The `mlpipe:` of a pipeline's `settings:`. */
export const pipelineExtension = shape({
  retry,
  limits: shape({ ...phases, run: positiveInteger, cost: usd }),
  concurrency: shape({
    max_runs: positiveInteger,
    max_jobs: positiveInteger,
    max_jobs_per_size: recordOf(positiveInteger),
  }),
  promote,
});

export type NodeExtension = NonNullable<ReturnType<typeof nodeExtension>>;
export type PipelineExtension = NonNullable<ReturnType<typeof pipelineExtension>>;

/** `resources.properties`: the service's own, and ours under `mlpipe`. */
export const resourceProperties: Reader<{ readonly own: NodeExtension; readonly service: Mapping }> = (
  value,
  field,
  list,
) => {
  const entries = mapping(value, field, list);
  if (entries === undefined) return undefined;
  const { mlpipe, ...service } = entries;
  const own =
    mlpipe === undefined || mlpipe === null ? {} : nodeExtension(mlpipe, fieldOf(field.path, entries, "mlpipe"), list);
  return { own: own ?? {}, service };
};

/** A node's policy, or undefined when nothing is said. */
export function toNodePolicy({
  retry: rules = {},
  limits = {},
}: Pick<NodeExtension, "retry" | "limits">): NodePolicy | undefined {
  const { queued, preparing, running, finalizing, node } = limits;
  const seconds = withoutUndefined({
    queuedSeconds: queued,
    preparingSeconds: preparing,
    runningSeconds: running,
    finalizingSeconds: finalizing,
    nodeSeconds: node,
  });
  const overrides = FailureClass.options.flatMap((name) => {
    const given = rules[name.replaceAll("-", "_")];
    if (!isMapping(given)) return [];
    const override = withoutUndefined({
      maxAttempts: given.max_attempts,
      delaySeconds: given.delay,
      maxDelaySeconds: given.max_delay,
      biggerSize: given.bigger_size,
      spotAttempts: given.spot_attempts,
    });
    return [[name, override] as const];
  });
  return mergePolicies(
    overrides.length === 0 ? undefined : { retry: Object.fromEntries(overrides) },
    Object.keys(seconds).length === 0 ? undefined : { limits: seconds },
  );
}

export function toConcurrency({ concurrency = {} }: PipelineExtension): Concurrency | undefined {
  const { max_runs: maxRuns, max_jobs: maxJobs, max_jobs_per_size: maxJobsPerSize } = concurrency;
  const limits = withoutUndefined({ maxRuns, maxJobs, maxJobsPerSize });
  return Object.keys(limits).length === 0 ? undefined : limits;
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function withoutUndefined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Defined<T>;
}
