// https://learn.microsoft.com/rest/api/azureml/jobs
import { updateJob, immutableError } from "../job-immutability.ts";
import { toJobAnswer } from "../job-answer.ts";
import { isTerminal, type JobRecord } from "../job-store.ts";
import { acceptedAnswer } from "../operations.ts";
import { parsePage, toPage } from "../page.ts";
import { param, readJson, type Answer, type Route, type RouteRequest } from "../route.ts";
import { notFound, ServiceError, userError } from "../service-error.ts";
import type { WorkspaceContext } from "../workspace-context.ts";

const jobName = /^[a-zA-Z0-9][a-zA-Z0-9\-_]{0,254}$/;

export function createJobRoutes(context: WorkspaceContext): Route[] {
  const { scope, host, store, jobs, kinds, lifecycle, tracking, faults, counters } = context;
  const toBody = (job: JobRecord) => toJobAnswer(scope, host, job);
  const find = (request: RouteRequest): JobRecord => {
    const name = param(request, "name");
    const job = jobs.get(name);
    if (job === undefined) throw notFound("Job", name);
    return job;
  };

  const put = async (request: RouteRequest): Promise<Answer> => {
    const name = param(request, "name");
    if (!jobName.test(name)) {
      throw userError(
        `The job name ${name} is not valid: letters, digits, - and _ only, beginning with a letter or digit, at most 255.`,
      );
    }
    const { properties } = await readJson(request);
    if (typeof properties !== "object" || properties === null)
      throw userError("Request is invalid and/or missing fields. properties");
    const jobType = "jobType" in properties && typeof properties.jobType === "string" ? properties.jobType : "(none)";
    const kind = kinds[jobType];
    if (kind === undefined) {
      throw userError(
        `Jobs of type ${jobType} are not supported by this workspace; it runs ${Object.keys(kinds).join(", ")}.`,
      );
    }
    const sent = kind.normalize(name, properties);
    if (jobs.get(name) === undefined) await kind.admit(sent);
    // Another request for the same name may have come in meanwhile.
    const existing = jobs.get(name);
    if (existing !== undefined) {
      if (faults.current().refuseIdenticalPut) throw immutableError(["EnvironmentId"]);
      jobs.replaceProperties(name, updateJob(existing.properties, sent));
      return { status: 200, body: toBody(find(request)) };
    }
    const created = store.transaction(() => {
      const { experimentId } = tracking.ensureExperiment(sent.experimentName);
      tracking.startJobRun({ runId: name, experimentId, runName: sent.displayName });
      return jobs.insert({ name, experimentId, properties: sent });
    });
    lifecycle.submit(name);
    return { status: 201, body: toBody(created) };
  };

  return [
    {
      name: "jobs.put",
      method: "PUT",
      path: "/jobs/:name",
      async handle(request) {
        const entry = { jobName: param(request, "name"), receivedAtMs: request.receivedAtMs };
        try {
          const answer = await put(request);
          counters.jobPut({ ...entry, status: answer.status });
          return answer;
        } catch (error) {
          counters.jobPut({ ...entry, status: error instanceof ServiceError ? error.status : 400 });
          throw error;
        }
      },
    },
    {
      name: "jobs.get",
      method: "GET",
      path: "/jobs/:name",
      handle: (request) => ({ status: 200, body: toBody(find(request)) }),
    },
    {
      name: "jobs.list",
      method: "GET",
      path: "/jobs",
      handle(request) {
        const page = parsePage(request);
        const filter = (name: string) => request.query.get(name) ?? undefined;
        const [listViewType, jobType, tag] = [filter("listViewType"), filter("jobType"), filter("tag")];
        const found = jobs.list({
          ...(listViewType === undefined ? {} : { listViewType }),
          ...(jobType === undefined ? {} : { jobType }),
          ...(tag === undefined ? {} : { tag }),
          ...(page.after === undefined ? {} : { before: page.after }),
          limit: page.limit + 1,
        });
        return toPage(request, page, found, toBody);
      },
    },
    {
      name: "jobs.cancel",
      method: "POST",
      path: "/jobs/:name/cancel",
      handle(request) {
        lifecycle.cancel(find(request).name);
        return acceptedAnswer(scope, request);
      },
    },
    {
      name: "jobs.delete",
      method: "DELETE",
      path: "/jobs/:name",
      handle(request) {
        const job = jobs.get(param(request, "name"));
        if (job === undefined) return { status: 204 };
        if (!isTerminal(job.status))
          throw userError(`Job ${job.name} is ${job.status}; cancel it before deleting it.`, [
            "Conflict",
            "JobNotTerminal",
          ]);
        store.transaction(() => {
          jobs.delete(job.name);
          tracking.deleteRun(job.name);
        });
        return acceptedAnswer(scope, request);
      },
    },
  ];
}
