// Command jobs: what the service checks at submission, and what it makes of the body when the job runs.
import { CommandProperties, parseProperties } from "./command-schema.ts";
import type { Catalog } from "./environments/catalog.ts";
import { checkDownloads } from "./check-downloads.ts";
import { readEnvironmentContent } from "./environments/environment-content.ts";
import type {
  Executor,
  JobEnd,
  JobEnvironment,
  JobExecution,
  JobInput,
  JobOutput,
  JobPhase,
} from "./executor/contract.ts";
import { simulateJob } from "./executor/simulate-job.ts";
import type { JobFault, Simulation } from "./faults.ts";
import { resolveInputUri, type InputUriContext } from "./input-uris.ts";
import type { JobKind } from "./job-kind.ts";
import { artifactRoot, placeOutput } from "./job-outputs.ts";
import { checkNamedOutputs, registerNamedOutputs } from "./named-outputs.ts";
import type { JobRecord } from "./job-store.ts";
import { parseDurationSeconds } from "./parse-duration.ts";
import { notFound, userError } from "./service-error.ts";
import { findVmSize } from "./sizes.ts";
import { allocationFailure, sizeError, type SizeRefusal } from "./size-refusals.ts";
import { type AssetReference, parseAssetId } from "./workspace-scope.ts";

export interface CommandKindContext extends InputUriContext {
  readonly executor: Executor;
  readonly catalog: Catalog;
  /** Whether a host exists; the system's resolver when absent. */
  readonly hasHost?: ((host: string) => Promise<boolean>) | undefined;
  /** A compute need not exist: this machine stands for all of them. */
  readonly takesAnyCompute: boolean;
  /** How a size is refused at the moment, or undefined. */
  readonly sizeRefusal: (instanceType: string) => SizeRefusal | undefined;
  readonly jobFault: (jobName: string) => JobFault | undefined;
  /** How jobs are simulated at the moment, or undefined: they run. */
  readonly simulation: () => Simulation | undefined;
  readonly serviceEnvironment: (job: JobRecord) => Record<string, string>;
}

const expression = /\$\{\{(.*?)\}\}/gs;
const ownBinding = /^\s*(inputs|outputs)\.([^\s]+)\s*$/;

function checkExpressions({ command, inputs, outputs }: CommandProperties): void {
  const declared = { inputs, outputs };
  for (const [whole, inside = ""] of command.matchAll(expression)) {
    const [, group, name = ""] = ownBinding.exec(inside) ?? [];
    if (group !== "inputs" && group !== "outputs") {
      throw userError(`The command uses ${whole}; a command job knows \${{inputs.NAME}} and \${{outputs.NAME}} only.`);
    }
    if (!Object.hasOwn(declared[group], name)) {
      throw userError(`The command uses ${whole}, but the job defines no ${group.slice(0, -1)} named ${name}.`, [
        "BadArgument",
        group === "inputs" ? "UndefinedInput" : "UndefinedOutput",
      ]);
    }
  }
}

function environmentOf({ scope, resources, catalog }: CommandKindContext, environmentId: string): JobEnvironment {
  const reference = parseAssetId(scope, environmentId);
  if (reference?.kind !== "environments") throw userError(`${environmentId} is not the id of an environment version.`);
  const { name, version } = reference;
  const isOurs = reference.registry === undefined;
  const registered =
    version === "@latest"
      ? resources.latest("environments", name)
      : resources.get({ kind: "environments", name, version });
  const found = isOurs ? registered : undefined;
  if (found === undefined) {
    const known = catalog.ofName(name, version.replace(/^@/, ""));
    if (known === undefined) throw unknownEnvironment(reference, catalog);
    return { name, version, condaFile: known };
  }
  return { name, version: found.version, ...readEnvironmentContent(found.properties, catalog) };
}

function unknownEnvironment({ name, version, registry }: AssetReference, catalog: Catalog): Error {
  const where = registry === undefined ? "" : `${registry}/`;
  return notFound("Environment", `${where}${name}:${version.replace(/^@/, "")}`, catalog.advice(name));
}

function codeOf({ scope, resources }: CommandKindContext, codeId: string): { uri: string } {
  const reference = parseAssetId(scope, codeId);
  if (reference?.kind !== "codes") throw userError(`${codeId} is not the id of a code version.`);
  const uri = resources.get({ kind: "codes", name: reference.name, version: reference.version })?.properties["codeUri"];
  if (typeof uri !== "string") throw notFound("Code", `${reference.name}:${reference.version}`);
  return { uri };
}

const largestScript = 1_000_000;
const readSeconds = 5;

/** A file of a job's code; undefined when there is none, or it cannot be read now. */
async function readCodeFile(
  context: CommandKindContext,
  codeId: string | undefined,
  path: string,
): Promise<string | undefined> {
  if (codeId === undefined) return undefined;
  try {
    const { datastore, path: folder } = context.datastores.resolve(codeOf(context, codeId).uri);
    const blob = context.datastores.client(datastore).getBlobClient(`${folder.replace(/\/$/, "")}/${path}`);
    const abortSignal = AbortSignal.timeout(readSeconds * 1000);
    const { contentLength = 0 } = await blob.getProperties({ abortSignal });
    if (contentLength > largestScript) return undefined;
    return (await blob.downloadToBuffer(0, undefined, { abortSignal })).toString("utf8");
  } catch {
    return undefined;
  }
}

function isServerless(computeId: string | undefined): boolean {
  return computeId === undefined || computeId === "" || /^(azureml:)?serverless$/i.test(computeId);
}

/** VM size of the compute a job names, or undefined for serverless. */
function computeSize({ scope, resources, takesAnyCompute }: CommandKindContext, computeId: string): string | undefined {
  const prefix = `${scope.path}/computes/`;
  const name = computeId.toLowerCase().startsWith(prefix.toLowerCase()) ? computeId.slice(prefix.length) : computeId;
  const compute = resources.get({ kind: "computes", name });
  if (compute === undefined && takesAnyCompute) return undefined;
  if (compute === undefined) throw notFound("Compute", name);
  const inside = compute.properties["properties"];
  const size: unknown = typeof inside === "object" && inside !== null && "vmSize" in inside ? inside.vmSize : undefined;
  return typeof size === "string" ? size : undefined;
}

/** A TensorFlow worker is told of itself alone and works; processes of the other kinds would wait for ever for their peers. */
function checkMachines(distribution: string | undefined, instanceCount: number): void {
  if (instanceCount === 1 || distribution === undefined || distribution === "TensorFlow") return;
  throw userError(
    `A ${distribution} job of ${instanceCount} machines cannot run here: this workspace is one machine. Say instanceCount 1.`,
  );
}

function toExecution(context: CommandKindContext, job: JobRecord): JobExecution {
  // Kept by `normalize` below, which parsed it with this schema.
  const properties = job.properties as unknown as CommandProperties;
  const { resources, limits, distribution, codeId, computeId } = properties;
  const timeoutSeconds = limits?.timeout === undefined ? undefined : parseDurationSeconds(limits.timeout);
  const instanceType =
    resources.instanceType ?? (isServerless(computeId) ? undefined : computeSize(context, computeId ?? ""));
  const inputs = Object.entries(properties.inputs).map(([name, input]): [string, JobInput] =>
    input.jobInputType === "literal"
      ? [name, { type: "literal", value: input.value }]
      : [name, { type: input.jobInputType, uri: resolveInputUri(context, input.uri), mode: input.mode }],
  );
  const outputs = Object.entries(properties.outputs).map(([name, output]): [string, JobOutput] => {
    const { jobOutputType: type, uri, mode } = output;
    const place = placeOutput(context.datastores, {
      jobName: job.name,
      name,
      type,
      ...(uri === undefined ? {} : { uri }),
    });
    return [name, { type, uri: place, mode }];
  });
  return {
    jobName: job.name,
    experimentName: properties.experimentName,
    experimentId: job.experimentId,
    command: properties.command,
    ...(codeId === undefined ? {} : { code: codeOf(context, codeId) }),
    environment: environmentOf(context, properties.environmentId),
    inputs: Object.fromEntries(inputs),
    outputs: Object.fromEntries(outputs),
    environmentVariables: properties.environmentVariables,
    ...(instanceType === undefined ? {} : { instanceType }),
    instanceCount: resources.instanceCount,
    ...(distribution === undefined ? {} : { distribution }),
    ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
    serviceEnvironment: context.serviceEnvironment(job),
  };
}

/** Runs a job until the fault strikes, if it still runs then. */
async function runInto(
  { code, message, afterMs }: JobFault,
  executor: Executor,
  execution: JobExecution,
  onPhase: (phase: JobPhase) => void,
): Promise<JobEnd> {
  if (afterMs === undefined) return { status: "Failed", code, message };
  let hasStruck = false;
  const timer = setTimeout(() => {
    hasStruck = true;
    void executor.cancel(execution.jobName);
  }, afterMs);
  const end = await executor.run(execution, onPhase);
  clearTimeout(timer);
  return hasStruck && end.status === "Canceled" ? { status: "Failed", code, message } : end;
}

export function createCommandKind(context: CommandKindContext): JobKind {
  const simulated = new Map<string, AbortController>();

  async function simulate(
    simulation: Simulation,
    execution: JobExecution,
    onPhase: (phase: JobPhase) => void,
  ): Promise<JobEnd> {
    const controller = new AbortController();
    simulated.set(execution.jobName, controller);
    try {
      return await simulateJob(execution, simulation, context.datastores, onPhase, controller.signal);
    } finally {
      simulated.delete(execution.jobName);
    }
  }

  return {
    normalize(jobName, sent) {
      const parsed = parseProperties(CommandProperties, sent);
      const { default: echoed, ...outputs } = parsed.outputs;
      if (echoed?.uri !== undefined && echoed.uri !== artifactRoot(jobName)) {
        throw userError("The output name default belongs to the run's artifacts; choose another.");
      }
      const { Studio: _studio, Tracking: _tracking, ...services } = parsed.services;
      const properties = {
        ...parsed,
        displayName: parsed.displayName ?? jobName,
        outputs,
        services,
      };
      checkExpressions(properties);
      const timeout = properties.limits?.timeout;
      if (timeout !== undefined && !((parseDurationSeconds(timeout) ?? 0) > 0)) {
        throw userError(`properties.limits.timeout: ${timeout} is not an ISO 8601 duration above zero, such as PT1H.`);
      }
      return properties;
    },
    async admit(sent) {
      // From `normalize`, as in `toExecution`.
      const properties = sent as unknown as CommandProperties;
      environmentOf(context, properties.environmentId);
      if (properties.codeId !== undefined) codeOf(context, properties.codeId);
      if (!isServerless(properties.computeId)) computeSize(context, properties.computeId ?? "");
      for (const input of Object.values(properties.inputs)) {
        if (input.jobInputType !== "literal") resolveInputUri(context, input.uri);
      }
      for (const [name, { uri, jobOutputType: type }] of Object.entries(properties.outputs)) {
        placeOutput(context.datastores, {
          jobName: "job",
          name,
          type,
          ...(uri === undefined ? {} : { uri }),
        });
      }
      checkNamedOutputs(context.resources, properties.outputs);
      const { instanceType, instanceCount } = properties.resources;
      checkMachines(properties.distribution?.distributionType, instanceCount);
      await checkDownloads({
        command: properties.command,
        readFile: (path) => readCodeFile(context, properties.codeId, path),
        ...(context.hasHost === undefined ? {} : { hasHost: context.hasHost }),
      });
      if (instanceType === undefined) return;
      const refusal = findVmSize(instanceType) === undefined ? "NoSuchSize" : context.sizeRefusal(instanceType);
      if (refusal !== undefined && refusal !== "NoCapacityLater") throw sizeError(refusal, instanceType, instanceCount);
    },
    async run(job, onPhase) {
      const execution = toExecution(context, job);
      const isRefused =
        execution.instanceType !== undefined && context.sizeRefusal(execution.instanceType) === "NoCapacityLater";
      if (isRefused) return { status: "Failed", ...allocationFailure };
      const simulation = context.simulation();
      if (simulation !== undefined) return simulate(simulation, execution, onPhase);
      const fault = context.jobFault(job.name);
      const end = await (fault === undefined
        ? context.executor.run(execution, onPhase)
        : runInto(fault, context.executor, execution, onPhase));
      // From `normalize`, as in `toExecution`.
      const { outputs } = job.properties as unknown as CommandProperties;
      const message = end.status === "Completed" ? registerNamedOutputs(context, job.name, outputs) : undefined;
      return message === undefined ? end : { status: "Failed", code: "UserError", message };
    },
    async cancel(jobName) {
      simulated.get(jobName)?.abort();
      await context.executor.cancel(jobName);
    },
  };
}
