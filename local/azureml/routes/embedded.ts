// The workspace's own controls, below `/_embedded`: no part of the service, here for tests and benches.
import { Faults } from "../faults.ts";
import { param, readJson, type Route } from "../route.ts";
import { notFound, userError } from "../service-error.ts";
import type { WorkspaceContext } from "../workspace-context.ts";

export function createEmbeddedRoutes({ faults, replaceFaults, counters, jobs }: WorkspaceContext): Route[] {
  return [
    {
      name: "_embedded.faults.post",
      method: "POST",
      path: "/faults",
      async handle(request) {
        const parsed = Faults.safeParse(await readJson(request));
        if (!parsed.success)
          throw userError(
            parsed.error.issues.map(({ path, message }) => `${path.map(String).join(".")}: ${message}`).join("; "),
          );
        return { status: 200, body: replaceFaults(parsed.data) };
      },
    },
    {
      name: "_embedded.faults.get",
      method: "GET",
      path: "/faults",
      handle: () => ({ status: 200, body: faults.current() }),
    },
    {
      name: "_embedded.counters.get",
      method: "GET",
      path: "/counters",
      handle: () => ({ status: 200, body: counters.snapshot() }),
    },
    {
      name: "_embedded.counters.delete",
      method: "DELETE",
      path: "/counters",
      handle() {
        counters.reset();
        return { status: 204 };
      },
    },
    {
      name: "_embedded.jobs.get",
      method: "GET",
      path: "/jobs/:name",
      handle(request) {
        const job = jobs.get(param(request, "name"));
        if (job === undefined) throw notFound("Job", param(request, "name"));
        return { status: 200, body: { statuses: job.statuses, failure: job.failure ?? null } };
      },
    },
  ];
}
