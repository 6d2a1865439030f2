// The `mlflow-artifacts:` scheme: bytes in the body, in and out.
import type { ArtifactInfo, Artifacts } from "../mlflow-artifacts.ts";
import { artifactUri } from "../mlflow-answer.ts";
import { MlflowError } from "../mlflow-error.ts";
import { param, type Route, type RouteRequest } from "../route.ts";
import type { WorkspaceContext } from "../workspace-context.ts";
import { checkWriter } from "./mlflow.ts";

/** `{experimentId}/{runId}/artifacts/{path}`. */
const artifactPath = /^([^/]+)\/([^/]+)\/artifacts(?:\/(.*))?$/s;
const root = "/mlflow-artifacts/artifacts";

export function createArtifactRoutes({ tracking }: Pick<WorkspaceContext, "tracking">, artifacts: Artifacts): Route[] {
  const parsePlace = (text: string): { runId: string; path: string } => {
    const [, experimentId, runId = "", path = ""] = artifactPath.exec(text) ?? [];
    if (tracking.run(runId).experimentId !== experimentId) {
      throw new MlflowError("INVALID_PARAMETER_VALUE", `Invalid path: ${text}`);
    }
    return { runId, path };
  };
  const placeOf = (request: RouteRequest) => parsePlace(param(request, "*"));
  const relativeTo = (folder: string, files: readonly ArtifactInfo[]) =>
    files.map((file) => ({
      ...file,
      path: folder === "" ? file.path : file.path.slice(folder.replace(/\/$/, "").length + 1),
    }));

  return [
    {
      name: "mlflow.artifacts.put",
      method: "PUT",
      path: `${root}/*`,
      async handle(request) {
        const { runId, path } = placeOf(request);
        checkWriter(tracking, request.caller, runId);
        await artifacts.write(
          runId,
          path,
          request.message,
          request.message.headers["content-type"] ?? "application/octet-stream",
        );
        return { status: 200, body: {} };
      },
    },
    {
      name: "mlflow.artifacts.get",
      method: "GET",
      path: `${root}/*`,
      async handle(request) {
        const { runId, path } = placeOf(request);
        const { stream, size, contentType } = await artifacts.read(runId, path);
        return { status: 200, stream, headers: { "content-type": contentType, "content-length": String(size) } };
      },
    },
    {
      name: "mlflow.artifacts.delete",
      method: "DELETE",
      path: `${root}/*`,
      async handle(request) {
        const { runId, path } = placeOf(request);
        checkWriter(tracking, request.caller, runId);
        await artifacts.delete(runId, path);
        return { status: 200, body: {} };
      },
    },
    {
      name: "mlflow.artifacts.folder",
      method: "GET",
      path: root,
      async handle({ query }) {
        const { runId, path } = parsePlace(query.get("path") ?? "");
        return { status: 200, body: { files: relativeTo(path, await artifacts.list(runId, path)) } };
      },
    },
    {
      name: "mlflow.artifacts.list",
      method: "GET",
      path: "/mlflow/artifacts/list",
      async handle({ query }) {
        const run = tracking.run(query.get("run_id") ?? query.get("run_uuid") ?? "");
        return {
          status: 200,
          body: { root_uri: artifactUri(run), files: await artifacts.list(run.runId, query.get("path") ?? "") },
        };
      },
    },
  ];
}
