// What a job refers to: code snapshots and environments are registered once by content, outputs get their place.
import { createHash } from "node:crypto";
import type { Blobs } from "#shared/azure/blob.ts";
import type { Ml } from "#shared/azure/ml.ts";
import { parseDatastoreUri } from "#shared/domain/datastore-uri.ts";
import { jobName } from "#shared/domain/job-name.ts";
import { type AttemptPlace, outputFolder, artifactUri } from "#shared/domain/layout.ts";
import type { CodeReference, EnvironmentReference, PlanNode } from "#shared/domain/plan.ts";
import { MlpipeError } from "#shared/errors.ts";

const versionInWorkspace =
  /^\/subscriptions\/.*\/workspaces\/[^/]+\/environments\/(?<name>[^/]+)\/versions\/(?<version>[^/]+)$/i;

export type Assets = ReturnType<typeof createAssets>;

export function createAssets({ ml, blobs }: { ml: Ml; blobs: Blobs }) {
  /** Registered ids by content; failures are forgotten. */
  const registered = new Map<string, Promise<string>>();

  function register(key: string, make: () => Promise<string>): Promise<string> {
    let id = registered.get(key);
    if (id === undefined) {
      id = make().catch((error: unknown) => {
        registered.delete(key);
        throw error;
      });
      registered.set(key, id);
    }
    return id;
  }

  return {
    /** ARM id of a code version; a node may have no code. */
    async codeId(code: CodeReference | undefined): Promise<string | undefined> {
      if (code === undefined) return undefined;
      if (code.kind === "asset") return armId(code.id, "codes");
      return register(`code ${code.hash}`, async () => {
        const place = parseDatastoreUri(code.uri);
        const codeUri = place === undefined ? code.uri : await blobs.urlOf(place.path.replace(/\/$/, ""));
        return ml.putCode(code.hash, "1", codeUri);
      });
    },

    /** ARM id of an environment version; labels are resolved here, since the service takes none. */
    async environmentId(environment: EnvironmentReference): Promise<string> {
      if (environment.kind === "asset") {
        const label = /^(?:azureml:)?([^/:@]+)(?:@latest)?$/.exec(environment.id);
        if (label?.[1] === undefined) return armId(environment.id, "environments");
        const latest = await ml.latestEnvironment(label[1]);
        if (latest === undefined)
          throw new MlpipeError(
            "NotFound",
            `The workspace has no environment named ${label[1]}: register it there, or write an \`image\` and a \`conda_file\` in the component instead`,
          );
        return latest;
      }
      const { image, condaFile, build, osType = "Linux" } = environment;
      const content = { image, condaFile, build, osType };
      const hash = createHash("sha256").update(JSON.stringify(content)).digest("hex").slice(0, 32);
      return register(`environment ${hash}`, () =>
        ml.putEnvironment(environment.name ?? "mlpipe", hash, {
          ...content,
          isAnonymous: environment.name === undefined,
        }),
      );
    },

    /** Asks whether a job may name this environment. @throws MlpipeError `InvalidRequest` or `NotFound` with what to do */
    async admitEnvironment(environment: EnvironmentReference): Promise<void> {
      const named =
        environment.kind === "asset"
          ? versionInWorkspace.exec(await this.environmentId(environment))?.groups
          : undefined;
      const { name = "", version = "" } = named ?? {};
      if (environment.kind === "inline") await this.environmentId(environment);
      // One of a registry is the service's to find.
      else if (named !== undefined)
        await register(`version ${name} ${version}`, () => ml.environmentVersion(name, version));
    },

    computeId: (compute: string): string => armId(compute, "computes"),

    /** Where an output of an attempt lies; the author's own place with its macros filled in, else ours. */
    async outputUri(node: PlanNode, output: string, place: AttemptPlace): Promise<string> {
      const { path, type, isArtifacts } = node.outputs[output] ?? {};
      const job = jobName(place.runId, place.node, place.attempt);
      if (isArtifacts === true) return artifactUri(job);
      if (path !== undefined) {
        const { name: datastore } = await blobs.defaultStore();
        const values: Record<string, string> = {
          name: job,
          output_name: output,
          default_datastore: datastore,
        };
        const uri = path.replaceAll(/\$\{\{\s*(\w+)\s*\}\}/g, (macro, key: string) => values[key] ?? macro);
        // A folder's URI is told from a file's by its last slash.
        return type === "uri_file" || uri.endsWith("/") ? uri : `${uri}/`;
      }
      const folder = outputFolder(place, output);
      return blobs.uriOf(type === "uri_file" ? folder.slice(0, -1) : folder);
    },
  };

  /** `azureml:name:version`, an ARM id with or without the prefix, or a registry id -> what the service's API takes. */
  function armId(reference: string, type: "codes" | "environments" | "computes"): string {
    const plain =
      reference.startsWith("azureml:/") && !reference.startsWith("azureml://")
        ? reference.slice("azureml:".length)
        : reference;
    if (plain.startsWith("/") || plain.startsWith("azureml://")) return plain;
    const [name = "", version] = plain.replace(/^azureml:/, "").split(":");
    return type === "computes" || version === undefined
      ? `${ml.workspaceId}/${type}/${name}`
      : `${ml.workspaceId}/${type}/${name}/versions/${version}`;
  }
}
