// A schedule that came with a request: read, its pipeline made whole, and compiled once so that what cannot run is told now and
// not at three in the morning.
import { parsePipeline } from "#shared/domain/load-pipeline.ts";
import { readSchedule } from "#shared/domain/schedule/read-schedule.ts";
import { type Schedule, toTickTime } from "#shared/domain/schedule/schedule.ts";
import { type Issue, MlpipeError } from "#shared/errors.ts";
import type { App } from "./app.ts";
import { withoutLocalFiles } from "./inline-pipeline.ts";
import { toRunRequest } from "./scheduled-runs.ts";

/**
 * @param source the document, or its YAML text
 * @throws MlpipeError `InvalidRequest` with every issue; `NotFound` when it names a pipeline that is not deployed
 */
export async function readSentSchedule(
  app: Pick<App, "pipelines" | "registry" | "startRun" | "schedulesFolder">,
  source: string | Readonly<Record<string, unknown>>,
  name: string,
): Promise<{ schedule: Schedule; warnings: readonly Issue[] }> {
  const read = readSchedule(source, { name });
  if (read.schedule === undefined) {
    const first = read.issues.find(({ severity }) => severity === "error");
    const place = first === undefined || first.path === "" ? "" : `${first.path}: `;
    const message = `${place}${first?.message ?? "The schedule cannot be read"}`;
    throw new MlpipeError("InvalidRequest", message, { issues: read.issues });
  }
  const schedule = await withWholeDocument(read.schedule);
  const sample = { runId: "able_acorn_0000000000", tick: toTickTime(Date.now()) };
  const { warnings } = await app.startRun.compile(await toRunRequest(app, schedule, sample));
  return { schedule, warnings: [...read.issues, ...warnings] };
}

async function withWholeDocument(schedule: Schedule): Promise<Schedule> {
  const { pipeline } = schedule.createJob;
  if (pipeline.kind !== "document") return schedule;
  const document = withoutLocalFiles(await parsePipeline(pipeline.document, {}));
  return { ...schedule, createJob: { ...schedule.createJob, pipeline: { kind: "document", document } } };
}
