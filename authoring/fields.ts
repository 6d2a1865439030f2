// The fields of components, nodes and pipelines, under Azure ML's own names.
import type { OutputMode } from "#shared/domain/data-types.ts";
import type { FailureClass } from "#shared/domain/failure-class.ts";
import type { NodeExtension, PipelineExtension } from "#shared/domain/nodes/mlpipe-fields.ts";
import type { ComponentKind } from "./component.ts";
import type { OutputPorts } from "./ports.ts";
import type { Bound } from "./references.ts";

export type Environment =
  /** `azureml:name:version`, `azureml:name@label`, `azureml://registries/...` or an environment's YAML file. */
  | string
  | {
      readonly name?: string;
      readonly version?: string;
      readonly image?: string;
      /** A file, or its content. */
      readonly conda_file?: string | Readonly<Record<string, unknown>>;
      readonly build?: { readonly path: string; readonly dockerfile_path?: string };
      readonly os_type?: string;
    };

type Distribution =
  | { readonly type: "pytorch" | "mpi"; readonly process_count_per_instance?: number }
  | { readonly type: "tensorflow"; readonly worker_count?: number; readonly parameter_server_count?: number };

type Identity =
  | { readonly type: "aml_token" | "user_identity" }
  | {
      readonly type: "managed";
      readonly client_id?: string;
      readonly object_id?: string;
      readonly resource_id?: string;
    };

interface Retry {
  readonly max_attempts?: number;
  /** Seconds. */
  readonly delay?: number;
  /** Seconds. */
  readonly max_delay?: number;
  readonly bigger_size?: boolean;
  readonly spot_attempts?: number;
}

type SnakeCase<Text extends string> = Text extends `${infer Head}-${infer Tail}` ? `${Head}_${SnakeCase<Tail>}` : Text;
type Retries = { readonly [Name in SnakeCase<FailureClass>]?: Retry };

export interface Resources<Scope = never> {
  /** A list is a wish list: the next is tried when the service refuses the one before. */
  readonly instance_type?: Bound<string, Scope> | readonly string[];
  readonly instance_count?: Bound<number, Scope>;
  readonly shm_size?: string;
  readonly docker_args?: string;
  readonly properties?: {
    /** What mlpipe understands beyond Azure ML. */
    readonly mlpipe?: Omit<NodeExtension, "retry"> & { readonly retry?: Retries };
    readonly [property: string]: unknown;
  };
}

/** What a command component and a node that runs one have in common. */
export interface CommandFields<Scope = never> {
  readonly environment_variables?: Readonly<Record<string, Bound<string | number | boolean, Scope>>>;
  readonly distribution?: Distribution;
  readonly resources?: Resources<Scope>;
  /** Seconds. */
  readonly limits?: { readonly timeout?: Bound<number, Scope> };
}

/** Bytes, in units of 1024. */
type Size = `${number}${"b" | "kb" | "mb" | "gb"}`;

/** How a parallel component, or a node that runs one, works through its input. */
export interface ParallelFields {
  /** So many files, or files of so much together. */
  readonly mini_batch_size?: number | `${number}` | Size;
  /** Processes; one per core unless it is given. */
  readonly max_concurrency_per_instance?: number;
  readonly retry_settings?: {
    readonly max_retries?: number;
    /** Seconds, of one mini-batch. */
    readonly timeout?: number;
  };
  /** Items that may fail; -1: any number. */
  readonly error_threshold?: number;
  /** Mini-batches that may fail; -1: any number. */
  readonly mini_batch_error_threshold?: number;
  readonly logging_level?: "DEBUG" | "INFO" | "WARNING";
}

export interface OutputSettings {
  readonly mode?: OutputMode;
  /** A place of the author's own, with the service's macros `${{name}}`, `${{output_name}}`, `${{default_datastore}}`. */
  readonly path?: string;
  /** With `version`: registers the output as a data asset. */
  readonly name?: string;
  readonly version?: string;
}

/** What may be said of every node. */
export interface NamedFields {
  /** The node's key in `jobs:`; the component's name unless it is given. */
  readonly name?: string;
  readonly display_name?: string;
  readonly description?: string;
  readonly comment?: string;
  readonly tags?: Readonly<Record<string, string>>;
}

/** What may be said of every node but those of control flow. */
export interface SharedNodeFields<Outputs extends OutputPorts, Scope> extends NamedFields {
  readonly compute?: Bound<string, Scope>;
  readonly outputs?: { readonly [Name in keyof Outputs]?: OutputSettings };
  readonly settings?: { readonly force_rerun?: boolean };
}

/** As whom, and how soon, a job runs. */
export interface JobFields {
  readonly identity?: Identity;
  readonly queue_settings?: { readonly job_tier?: string; readonly priority?: string };
}

interface CommandNodeFields<Outputs extends OutputPorts, Scope>
  extends SharedNodeFields<Outputs, Scope>, JobFields, CommandFields<Scope> {
  /** In place of the component's. */
  readonly environment?: Environment;
  readonly services?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** In place of the component's. */
interface ParallelNodeFields<Outputs extends OutputPorts, Scope>
  extends
    SharedNodeFields<Outputs, Scope>,
    JobFields,
    ParallelFields,
    Pick<CommandFields<Scope>, "environment_variables" | "resources" | "limits"> {}

/** All that may be said of a node besides its inputs. */
export type NodeFields<Kind extends ComponentKind, Outputs extends OutputPorts, Scope> = {
  readonly command: CommandNodeFields<Outputs, Scope>;
  readonly parallel: ParallelNodeFields<Outputs, Scope>;
  readonly pipeline: SharedNodeFields<Outputs, Scope>;
}[Kind];

type PromotionRule = {
  /** The node that logs the metric. */
  readonly node: string;
  readonly metric: string;
} & (
  | { readonly at_least: number; readonly at_most?: number }
  | { readonly at_least?: number; readonly at_most: number }
  | {
      readonly better_than: "champion";
      /** By how much at least. */
      readonly by?: number;
      readonly goal?: "maximize" | "minimize";
      /** What becomes of the rule when the champion cannot be scored. */
      readonly if_unscorable?: "reject" | "pass";
    }
);

/** What has to hold for the run's model to become a registered one. */
interface Promotion {
  /** `${{parent.jobs.<node>.outputs.<name>}}` or `${{parent.outputs.<name>}}`. */
  readonly model: string;
  readonly name: string;
  readonly stage?: string;
  readonly rules?: readonly PromotionRule[];
  /** Somebody has to agree, in that many seconds. */
  readonly approval?: { readonly timeout?: number };
}

/** The first node and the last are chosen in the body: `onInit(node(...))`, `onFinalize(node(...))`. */
export interface PipelineSettings {
  readonly default_compute?: string;
  readonly default_datastore?: string;
  readonly continue_on_step_failure?: boolean;
  readonly force_rerun?: boolean;
  /** What mlpipe understands beyond Azure ML. */
  readonly mlpipe?: Omit<PipelineExtension, "retry" | "promote"> & {
    readonly retry?: Retries;
    readonly promote?: Promotion;
  };
}
