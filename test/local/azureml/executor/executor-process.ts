// An executor in a process of its own, to be killed: runs the one job it is given and prints its phases and end.
import { createExecutor } from "#local/azureml/executor/executor.ts";
import type { JobExecution } from "#local/azureml/executor/contract.ts";
import { createDatastores } from "./start-blob-store.ts";

export interface ExecutorProcessRequest {
  readonly folder: string;
  readonly cacheFolder: string;
  readonly port: number;
  readonly execution: JobExecution;
}

if (process.argv[2] !== undefined) {
  const { folder, cacheFolder, port, execution }: ExecutorProcessRequest = JSON.parse(process.argv[2]);
  const executor = createExecutor({
    stateFolder: folder,
    cacheFolder,
    datastores: createDatastores(port),
    log: () => undefined,
  });
  const end = await executor.run(execution, (phase) => console.log(phase));
  console.log(JSON.stringify(end));
  await executor.stop();
}
