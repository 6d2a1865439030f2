// Where a named output of a job lies, whether the client chose the place or left it to the service.
import { artifactDatastore, datastoreUri, defaultDatastore } from "./datastores.ts";
import type { DatastoreResolver } from "./executor/contract.ts";
import { userError } from "./service-error.ts";

const macro = /\$\{\{\s*([a-z_]+)\s*\}\}/g;

function expandMacros(uri: string, jobName: string, outputName: string): string {
  const values: Record<string, string> = {
    name: jobName,
    output_name: outputName,
    default_datastore: defaultDatastore,
  };
  return uri.replace(macro, (whole, name: string) => {
    const value = values[name];
    if (value === undefined) {
      throw userError(
        `The URI of output ${outputName} uses ${whole}; known are name, output_name and default_datastore.`,
      );
    }
    return value;
  });
}

/** The run's artifact root, as every job answers it: without `/paths/`. */
export function artifactRoot(jobName: string): string {
  return `azureml://datastores/${artifactDatastore}/ExperimentRun/dcid.${jobName}`;
}

/**
 * Place of an output as `azureml://datastores/{datastore}/paths/{path}`.
 * @param uri What the client sent; absent means the service's own choice, `azureml/{jobName}/{outputName}/`.
 * @throws MlpipeError when no datastore holds it; ServiceError for an unknown macro.
 */
export function placeOutput(
  datastores: DatastoreResolver,
  output: {
    readonly jobName: string;
    readonly name: string;
    readonly type: string;
    readonly uri?: string;
  },
): string {
  const { jobName, name, type, uri } = output;
  if (uri === undefined) {
    return datastoreUri(defaultDatastore, `azureml/${jobName}/${name}${type === "uri_file" ? "" : "/"}`);
  }
  const { datastore, path } = datastores.resolve(expandMacros(uri, jobName, name));
  return datastoreUri(datastore, path);
}
