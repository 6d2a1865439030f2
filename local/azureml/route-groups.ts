// The doors of the workspace: ARM, run history, MLflow, and its own controls.
import { isMlpipeError } from "#shared/errors.ts";
import type { Artifacts } from "./mlflow-artifacts.ts";
import { MlflowError } from "./mlflow-error.ts";
import type { Answer } from "./route.ts";
import type { RouteGroup } from "./router.ts";
import { createAssetRoutes } from "./routes/assets.ts";
import { createComputeRoutes } from "./routes/computes.ts";
import { createDatastoreRoutes } from "./routes/datastores.ts";
import { createEmbeddedRoutes } from "./routes/embedded.ts";
import { createJobRoutes } from "./routes/jobs.ts";
import { createArtifactRoutes } from "./routes/mlflow-artifacts.ts";
import { createMlflowRoutes } from "./routes/mlflow.ts";
import { createRunHistoryRoutes } from "./routes/run-history.ts";
import { createScheduleRoutes } from "./routes/schedules.ts";
import { createLocationRoutes, createWorkspaceRoutes } from "./routes/workspace.ts";
import { errorBody, ServiceError, userError, type ErrorPlace } from "./service-error.ts";
import type { WorkspaceContext } from "./workspace-context.ts";

const workspaceRoot =
  "/subscriptions/:subscriptionId/resourceGroups/:resourceGroup/providers/Microsoft.MachineLearningServices/workspaces/:workspace";
const locationRoot = "/subscriptions/:subscriptionId/providers/Microsoft.MachineLearningServices/locations/:location";

function toServiceError(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  if (isMlpipeError(error)) return userError(error.message);
  return new ServiceError("An internal server error occurred.", { status: 500, code: "InternalServerError" });
}

function serviceErrorAnswer(error: unknown, place: ErrorPlace): Answer {
  const known = toServiceError(error);
  const retry = known.retryAfterSeconds === undefined ? {} : { "retry-after": String(known.retryAfterSeconds) };
  const challenge = known.status === 401 ? { "www-authenticate": 'Bearer error="invalid_token"' } : {};
  return { status: known.status, body: errorBody(known, place), headers: { ...retry, ...challenge } };
}

function mlflowErrorAnswer(error: unknown): Answer {
  if (error instanceof MlflowError)
    return { status: error.status, body: { error_code: error.errorCode, message: error.message } };
  if (!(error instanceof ServiceError))
    return { status: 500, body: { error_code: "INTERNAL_ERROR", message: "An internal error occurred." } };
  const code =
    error.status === 401
      ? "UNAUTHENTICATED"
      : error.status === 429
        ? "REQUEST_LIMIT_EXCEEDED"
        : "INVALID_PARAMETER_VALUE";
  const retry = error.retryAfterSeconds === undefined ? {} : { "retry-after": String(error.retryAfterSeconds) };
  return { status: error.status, body: { error_code: code, message: error.message }, headers: retry };
}

function unknownType(_method: string, path: string): Error {
  return new ServiceError(
    `The resource type of ${path} could not be found in the namespace 'Microsoft.MachineLearningServices'.`,
    {
      status: 404,
      code: "InvalidResourceType",
    },
  );
}

/** Tracking and artifacts; with an empty root as well, as a plain MLflow server has it. */
export function createMlflowGroup(tracking: WorkspaceContext["tracking"], artifacts: Artifacts): RouteGroup {
  const versions = ["/mlflow/v1.0", "/mlflow/v2.0"].map((version) => `${version}${workspaceRoot}/api/2.0`);
  return {
    roots: [...versions, "/api/2.0"],
    routes: [...createMlflowRoutes({ tracking }), ...createArtifactRoutes({ tracking }, artifacts)],
    owns: (path) => /^\/(mlflow|api)\//i.test(path),
    isOpenToJobs: true,
    isVersioned: false,
    toErrorAnswer: mlflowErrorAnswer,
    miss: (method, path) =>
      new MlflowError("ENDPOINT_NOT_FOUND", `${method} ${path} is not an endpoint of this service.`),
  };
}

/** All doors of the https listener. */
export function createRouteGroups(context: WorkspaceContext, mlflow: RouteGroup): [RouteGroup, ...RouteGroup[]] {
  const service = { isOpenToJobs: false, toErrorAnswer: serviceErrorAnswer, miss: unknownType };
  return [
    {
      ...service,
      roots: [workspaceRoot],
      routes: [
        ...createJobRoutes(context),
        ...createAssetRoutes(context),
        ...createDatastoreRoutes(context),
        ...createComputeRoutes(context),
        ...createScheduleRoutes(context),
        ...createWorkspaceRoutes(context),
      ],
      owns: (path) => /^\/subscriptions\/[^/]+\/resourcegroups\//i.test(path),
      isVersioned: true,
    },
    {
      ...service,
      roots: [locationRoot],
      routes: createLocationRoutes(),
      owns: (path) => /^\/subscriptions\/[^/]+\/providers\//i.test(path),
      isVersioned: true,
    },
    {
      ...service,
      roots: [`/history/v1.0${workspaceRoot}`],
      routes: createRunHistoryRoutes(context),
      owns: (path) => path.startsWith("/history/"),
      isVersioned: false,
    },
    {
      ...service,
      roots: ["/_embedded"],
      routes: createEmbeddedRoutes(context),
      owns: (path) => path.startsWith("/_embedded"),
      isVersioned: false,
    },
    mlflow,
  ];
}
