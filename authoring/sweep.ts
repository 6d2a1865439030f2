// A search over the inputs of a component: a distribution stands where otherwise a value would.
import { type Mapping, isMapping } from "#shared/domain/shape.ts";
import type { Component } from "./component.ts";
import type { JobFields, Resources, SharedNodeFields } from "./fields.ts";
import { nameIn } from "./node.ts";
import type { Nodes } from "./nodes.ts";
import type { InputPorts, OutputPorts, RequiredNames } from "./ports.ts";
import { type Accepted, type Node, type NodeOutputs, isReference } from "./references.ts";
import type { DistributionOver } from "./search-space.ts";

/** As for a node, and a literal may be searched: `rate: uniform(0, 1)`. */
export type SweepInputs<Ports extends InputPorts, Scope> = {
  readonly [Name in RequiredNames<Ports>]: Accepted<Ports[Name], Scope> | DistributionOver<Ports[Name]>;
} & {
  readonly [Name in Exclude<keyof Ports, RequiredNames<Ports>>]?:
    | Accepted<Ports[Name], Scope>
    | DistributionOver<Ports[Name]>
    | undefined;
};

interface Limits {
  readonly max_total_trials?: number;
  /** All at once unless it is given. */
  readonly max_concurrent_trials?: number;
  /** Seconds, of the whole sweep. */
  readonly timeout?: number;
  /** Seconds, of one trial. */
  readonly trial_timeout?: number;
}

interface Interval {
  /** A policy looks at every so many-th value of the metric; at each unless it is given. */
  readonly evaluation_interval?: number;
  /** And not before so many. */
  readonly delay_evaluation?: number;
}

type EarlyTermination = Interval &
  (
    | { readonly type: "bandit"; readonly slack_factor: number }
    | { readonly type: "bandit"; readonly slack_amount: number }
    | { readonly type: "median_stopping" }
    | { readonly type: "truncation_selection"; readonly truncation_percentage: number }
  );

type Grid = "grid" | { readonly type: "grid" };
type Sampling =
  | "random"
  | "bayesian"
  | { readonly type: "bayesian" }
  | {
      readonly type: "random";
      /** Independent numbers, or a sequence that covers the space evenly. */
      readonly rule?: "random" | "sobol";
      readonly seed?: number;
      /** Base of the exponents of `loguniform` and `qloguniform`; e unless it is given. */
      readonly logbase?: number | "e";
    };

/** All that may be said of a sweep besides its inputs. */
export type SweepFields<Outputs extends OutputPorts, Scope> = SharedNodeFields<Outputs, Scope> &
  JobFields & {
    /** Of a trial. */
    readonly resources?: Resources<Scope>;
    /** The metric, by the name under which trials log it to MLflow. */
    readonly objective: { readonly goal: "minimize" | "maximize"; readonly primary_metric: string };
    /** Stops trials that do worse than others. */
    readonly early_termination?: EarlyTermination;
  } & (
    | { readonly sampling_algorithm: Grid; readonly limits?: Limits }
    | {
        readonly sampling_algorithm?: Sampling;
        readonly limits: Limits & { readonly max_total_trials: number };
      }
  );

/** Adds a node that runs `trial` once for each set of values; its outputs are those of the best. */
export type AddSweep<Scope> = <Inputs extends InputPorts, Outputs extends OutputPorts>(
  trial: Component<Inputs, Outputs, "command">,
  inputs: SweepInputs<Inputs, Scope>,
  fields: SweepFields<Outputs, Scope>,
) => Node<NodeOutputs<Outputs, Scope>, Scope>;

export function addSweep(nodes: Nodes, trial: Component, given: Mapping, fields: Mapping): object {
  const name = nameIn(fields, trial.name);
  const searched = Object.entries(given).filter(([, value]) => isDistribution(value));
  nodes.put(
    name,
    { type: "sweep", trial: trial.source },
    {
      component: trial,
      given: Object.fromEntries(Object.entries(given).filter(([, value]) => !isDistribution(value))),
      fields: {
        search_space: nodes.inputsOf(trial, Object.fromEntries(searched), `${name}.search_space`),
        ...fields,
      },
    },
  );
  return nodes.handle(name, trial.outputs);
}

/** Data has a `path`; what else is a mapping with a type is a distribution. */
function isDistribution(value: unknown): boolean {
  return isMapping(value) && !isReference(value) && value.type !== undefined && value.path === undefined;
}
