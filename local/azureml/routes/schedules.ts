// Schedules are kept and shown; nothing here fires them.
import { z } from "zod";
import { parseProperties } from "../command-schema.ts";
import { systemData } from "../job-answer.ts";
import { acceptedAnswer } from "../operations.ts";
import { parsePage, toPage } from "../page.ts";
import type { Resource } from "../resource-store.ts";
import { param, readJson, type Route } from "../route.ts";
import { notFound } from "../service-error.ts";
import type { WorkspaceContext } from "../workspace-context.ts";

const kind = "schedules";
const Schedule = z.looseObject({
  action: z.looseObject({ actionType: z.string() }),
  trigger: z.looseObject({ triggerType: z.enum(["Cron", "Recurrence"]) }),
  isEnabled: z.boolean().default(true),
});
/** `listViewType` of schedules -> that of every other resource. */
const views: Readonly<Record<string, string>> = {
  EnabledOnly: "ActiveOnly",
  DisabledOnly: "ArchivedOnly",
  All: "All",
};

export function createScheduleRoutes({ scope, resources }: WorkspaceContext): Route[] {
  const toBody = (schedule: Resource) => ({
    id: `${scope.path}/schedules/${schedule.name}`,
    name: schedule.name,
    type: "Microsoft.MachineLearningServices/workspaces/schedules",
    properties: { ...schedule.properties, provisioningState: "Succeeded" },
    systemData: systemData(schedule),
  });
  return [
    {
      name: "schedules.put",
      method: "PUT",
      path: "/schedules/:name",
      async handle(request) {
        const key = { kind, name: param(request, "name") };
        const sent = parseProperties(Schedule, (await readJson(request))["properties"] ?? {});
        const status = resources.get(key) === undefined ? 201 : 200;
        return { status, body: toBody(resources.put(key, sent, { isArchived: !sent.isEnabled })) };
      },
    },
    {
      name: "schedules.get",
      method: "GET",
      path: "/schedules/:name",
      handle(request) {
        const found = resources.get({ kind, name: param(request, "name") });
        if (found === undefined) throw notFound("Schedule", param(request, "name"));
        return { status: 200, body: toBody(found) };
      },
    },
    {
      name: "schedules.list",
      method: "GET",
      path: "/schedules",
      handle(request) {
        const page = parsePage(request);
        const listViewType = views[request.query.get("listViewType") ?? "EnabledOnly"] ?? "ActiveOnly";
        const found = resources.list(kind, {
          listViewType,
          limit: page.limit + 1,
          ...(page.after === undefined ? {} : { after: page.after }),
        });
        return toPage(request, page, found, toBody);
      },
    },
    {
      name: "schedules.delete",
      method: "DELETE",
      path: "/schedules/:name",
      handle: (request) =>
        resources.delete({ kind, name: param(request, "name") }) ? acceptedAnswer(scope, request) : { status: 204 },
    },
  ];
}
