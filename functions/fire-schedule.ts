// Fires what is due of one schedule: decides in one guarded write, then does what was decided. Whoever dies in between leaves the
// decision behind, and the next one does it: under the same run id, so that it finds what was done already.
import { decide, hasWork, runsToAskFor } from "#shared/domain/schedule/decide.ts";
import type { Schedule } from "#shared/domain/schedule/schedule.ts";
import {
  type Fire,
  type ScheduleRecord,
  type StartOutcome,
  withOutcome,
} from "#shared/domain/schedule/schedule-record.ts";
import { errorKinds, isMlpipeError } from "#shared/errors.ts";
import { withoutSecrets } from "#shared/log.ts";
import type { Schedules } from "./schedules.ts";

export type StartingFire = Extract<Fire, { status: "starting" }>;

/** What firing needs of runs. Everything may be asked twice. */
export interface ScheduledRuns {
  isLive(runId: string): Promise<boolean>;
  cancel(runId: string, reason: string): Promise<void>;
  start(schedule: Schedule, fire: StartingFire): Promise<void>;
}

export interface FireTools {
  readonly schedules: Pick<Schedules, "change">;
  readonly runs: ScheduledRuns;
  /** Milliseconds. */
  readonly now: () => number;
}

/** A start that a service keeps from happening is tried every minute for as long as this. */
const longestTryMs = 60 * 60_000;

/** Fires what is due. Errors of single runs end in the record; what is thrown is a store that does not answer. */
export async function fireSchedule(name: string, tools: FireTools): Promise<void> {
  const { schedules, runs, now } = tools;
  const ended = new Set<string>();
  const asked = new Set<string>();
  const decided = await schedules.change(name, async (record) => {
    if (record === undefined || !hasWork(record, now())) return record;
    for (const runId of runsToAskFor(record)) {
      if (asked.has(runId)) continue;
      if (!(await runs.isLive(runId))) ended.add(runId);
      asked.add(runId);
    }
    const live = record.live.filter((runId) => !ended.has(runId));
    const next = await decide(record, now(), live);
    return JSON.stringify(next) === JSON.stringify(record) ? record : next;
  });
  if (decided !== undefined) await startDecided(decided, tools);
}

/** Starts every run that the record has decided on. @returns the record afterwards */
export async function startDecided(
  record: ScheduleRecord,
  { schedules, runs, now }: FireTools,
): Promise<ScheduleRecord | undefined> {
  let after: ScheduleRecord | undefined = record;
  for (const fire of record.fires) {
    if (fire.status !== "starting") continue;
    const outcome = await start(record.schedule, fire, runs, now());
    after = await schedules.change(record.schedule.name, (latest) =>
      latest === undefined ? undefined : withOutcome(latest, fire.runId, outcome),
    );
  }
  return after;
}

async function start(schedule: Schedule, fire: StartingFire, runs: ScheduledRuns, now: number): Promise<StartOutcome> {
  try {
    for (const runId of fire.cancels) {
      await runs.cancel(runId, `the next run of schedule ${schedule.name} starts`);
    }
    await runs.start(schedule, fire);
    return { kind: "started" };
  } catch (error) {
    const reason = withoutSecrets(error instanceof Error ? error.message : String(error)).slice(0, 1_000);
    const isFinal = isMlpipeError(error) && !errorKinds[error.code].isRetryable && error.code !== "Internal";
    if (isFinal || now - Date.parse(fire.decidedTime) > longestTryMs) return { kind: "failed", reason };
    return { kind: "again", problem: reason };
  }
}
