// The environment variables of a job's process: the service's, the job's own, where its data lies, and of this machine
// only what a program needs to run.
import { createHash } from "node:crypto";
import { dirname } from "node:path";
import type { JobExecution } from "./contract.ts";
import type { JobFolder } from "./job-folder.ts";
import { processMark } from "./processes.ts";

export type HostEnvironment = Readonly<Record<string, string | undefined>>;

export interface JobEnvironmentRequest {
  readonly execution: JobExecution;
  readonly folder: JobFolder;
  readonly binFolder: string;
  readonly host: HostEnvironment;
  /** Values of the inputs and outputs in the command, by name. */
  readonly inputs: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Record<string, string>>;
}

const passedNames = [
  "HOME",
  "USER",
  "LOGNAME",
  "TZ",
  "TMPDIR",
  "LD_LIBRARY_PATH",
  "CUDA_VISIBLE_DEVICES",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "REQUESTS_CA_BUNDLE",
  "CURL_CA_BUNDLE",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "http_proxy",
  "https_proxy",
  "no_proxy",
];

/** Every variable the job's process starts with. */
export function toJobEnvironment(request: JobEnvironmentRequest): Record<string, string> {
  const { execution, folder, binFolder, host, inputs, outputs } = request;
  const variables: Record<string, string> = { LANG: "C.UTF-8", PYTHONUNBUFFERED: "1", VIRTUAL_ENV: dirname(binFolder) };
  for (const name of passedNames) {
    const value = host[name];
    if (value !== undefined) variables[name] = value;
  }
  keepLoopbackDirect(variables);
  Object.assign(variables, execution.serviceEnvironment, toDistribution(execution), {
    AZUREML_CR_DATA_CAPABILITY_PATH: dirname(folder.dataFolder),
    AZUREML_CR_NODE_RANK: "0",
  });
  for (const [name, { type }] of Object.entries(execution.inputs)) {
    if (type !== "literal") variables[`AZURE_ML_INPUT_${name}`] = inputs[name] ?? "";
  }
  for (const name of Object.keys(execution.outputs)) variables[`AZURE_ML_OUTPUT_${name}`] = outputs[name] ?? "";
  Object.assign(variables, execution.environmentVariables);
  const path = execution.environmentVariables["PATH"] ?? host["PATH"] ?? "/usr/local/bin:/usr/bin:/bin";
  return { ...variables, PATH: `${binFolder}:${path}`, [processMark]: folder.workFolder };
}

/** Behind a proxy, calls to this machine (the tracking routes) still go straight. */
function keepLoopbackDirect(variables: Record<string, string>): void {
  if (!Object.keys(variables).some((name) => /^https?_proxy$/i.test(name))) return;
  const direct = [variables["NO_PROXY"] ?? variables["no_proxy"], "127.0.0.1", "localhost"]
    .filter((part) => part !== undefined)
    .join(",");
  variables["NO_PROXY"] = direct;
  variables["no_proxy"] = direct;
}

/** What a distributed program looks for, on the one node with the one process there is. */
function toDistribution({ jobName, distribution }: JobExecution): Record<string, string> {
  const port = String(20_000 + (createHash("sha256").update(jobName).digest().readUInt16BE() % 10_000));
  switch (distribution?.["distributionType"]) {
    case "PyTorch":
      return {
        MASTER_ADDR: "127.0.0.1",
        MASTER_PORT: port,
        WORLD_SIZE: "1",
        NODE_RANK: "0",
        RANK: "0",
        LOCAL_RANK: "0",
        LOCAL_WORLD_SIZE: "1",
      };
    case "TensorFlow":
      return {
        TF_CONFIG: JSON.stringify({ cluster: { worker: [`127.0.0.1:${port}`] }, task: { type: "worker", index: 0 } }),
      };
    case "Mpi":
      return {
        OMPI_COMM_WORLD_RANK: "0",
        OMPI_COMM_WORLD_SIZE: "1",
        OMPI_COMM_WORLD_LOCAL_RANK: "0",
        OMPI_COMM_WORLD_LOCAL_SIZE: "1",
        OMPI_UNIVERSE_SIZE: "1",
      };
    default:
      return {};
  }
}
