// Computes are names only: a job that asks for one runs on this machine as any other does.
import { z } from "zod";
import { parseProperties } from "../command-schema.ts";
import { systemData } from "../job-answer.ts";
import { acceptedAnswer } from "../operations.ts";
import { parsePage, toPage } from "../page.ts";
import type { Resource } from "../resource-store.ts";
import { param, readJson, type Route, type RouteRequest } from "../route.ts";
import { notFound, userError } from "../service-error.ts";
import { sizeError } from "../size-refusals.ts";
import { findVmSize } from "../sizes.ts";
import type { WorkspaceContext } from "../workspace-context.ts";

const kind = "computes";
const Compute = z.looseObject({
  computeType: z.string().min(1),
  properties: z.looseObject({ vmSize: z.string().optional() }).prefault({}),
});

export function createComputeRoutes({ scope, resources }: WorkspaceContext): Route[] {
  const toBody = (compute: Resource) => ({
    id: `${scope.path}/computes/${compute.name}`,
    name: compute.name,
    type: "Microsoft.MachineLearningServices/workspaces/computes",
    location: scope.region,
    properties: {
      ...compute.properties,
      provisioningState: "Succeeded",
      createdOn: compute.createdAt,
      modifiedOn: compute.modifiedAt,
      isAttachedCompute: false,
    },
    systemData: systemData(compute),
  });
  const find = (request: RouteRequest): Resource => {
    const name = param(request, "name");
    const found = resources.get({ kind, name });
    if (found === undefined) throw notFound("Compute", name);
    return found;
  };
  const change = (verb: string, state: string): Route => ({
    name: `computes.${verb}`,
    method: "POST",
    path: `/computes/:name/${verb}`,
    handle(request) {
      const { name, properties } = find(request);
      const inside = properties["properties"];
      resources.put(
        { kind, name },
        { ...properties, properties: { ...(typeof inside === "object" ? inside : {}), state } },
      );
      return acceptedAnswer(scope, request);
    },
  });

  return [
    {
      name: "computes.put",
      method: "PUT",
      path: "/computes/:name",
      async handle(request) {
        const key = { kind, name: param(request, "name") };
        const sent = parseProperties(Compute, (await readJson(request))["properties"] ?? {});
        const { vmSize } = sent.properties;
        if (vmSize !== undefined && findVmSize(vmSize) === undefined) throw sizeError("NoSuchSize", vmSize, 1);
        const status = resources.get(key) === undefined ? 201 : 200;
        return { status, body: toBody(resources.put(key, sent)) };
      },
    },
    {
      name: "computes.patch",
      method: "PATCH",
      path: "/computes/:name",
      async handle(request) {
        const { name, properties } = find(request);
        const inside = z
          .looseObject({ properties: z.looseObject({}).prefault({}) })
          .parse((await readJson(request))["properties"] ?? {});
        const merged = {
          ...(properties["properties"] as object | undefined),
          ...inside.properties,
        };
        return {
          status: 200,
          body: toBody(resources.put({ kind, name }, { ...properties, properties: merged })),
        };
      },
    },
    {
      name: "computes.get",
      method: "GET",
      path: "/computes/:name",
      handle: (request) => ({ status: 200, body: toBody(find(request)) }),
    },
    {
      name: "computes.list",
      method: "GET",
      path: "/computes",
      handle(request) {
        const page = parsePage(request);
        const found = resources.list(kind, {
          limit: page.limit + 1,
          ...(page.after === undefined ? {} : { after: page.after }),
        });
        return toPage(request, page, found, toBody);
      },
    },
    {
      name: "computes.delete",
      method: "DELETE",
      path: "/computes/:name",
      handle(request) {
        if (request.query.get("underlyingResourceAction") === null)
          throw userError("The query parameter underlyingResourceAction is required.");
        return resources.delete({ kind, name: param(request, "name") })
          ? acceptedAnswer(scope, request)
          : { status: 204 };
      },
    },
    change("start", "Running"),
    change("stop", "Stopped"),
    change("restart", "Running"),
  ];
}
