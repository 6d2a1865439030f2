// Long-running operations answer 202 and a place to ask again; here the work is done by the time anyone asks.
import { randomUUID } from "node:crypto";
import type { Answer, RouteRequest } from "./route.ts";
import type { WorkspaceScope } from "./workspace-scope.ts";

/** 202 with `Location`, as the provider's `mfeOperationResults`. */
export function acceptedAnswer(scope: WorkspaceScope, request: RouteRequest): Answer {
  const path = `/subscriptions/${scope.subscriptionId}/providers/Microsoft.MachineLearningServices/locations/${scope.region}/mfeOperationResults/${randomUUID()}`;
  const version = request.query.get("api-version") ?? "";
  return { status: 202, headers: { location: `${request.origin}${path}?api-version=${version}` } };
}
