// Schedules deployed with the app: files below the schedules folder. Their records are made and brought up to date whenever
// somebody looks, so that a new version of the app needs no step of its own.
import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { extname } from "node:path";
import { readSchedule } from "#shared/domain/schedule/read-schedule.ts";
import type { Schedule } from "#shared/domain/schedule/schedule.ts";
import { newRecord, type ScheduleRecord, withSchedule } from "#shared/domain/schedule/schedule-record.ts";
import { formatIssue, type Issue, MlpipeError } from "#shared/errors.ts";
import { createFileSource } from "#shared/files.ts";
import type { Log } from "#shared/log.ts";
import type { Schedules } from "./schedules.ts";

const extensions = [".yml", ".yaml"];

export type DeployedSchedules = ReturnType<typeof createDeployedSchedules>;

export function createDeployedSchedules(options: {
  /** Absolute. */
  readonly folder: string;
  readonly schedules: Schedules;
  readonly log: Log;
}) {
  const { folder, schedules, log } = options;
  const files = createFileSource(folder);
  /** Problems that have been logged: a broken file is read every minute. */
  const told = new Set<string>();

  async function readFiles(): Promise<{ found: Map<string, Schedule>; issues: Issue[] }> {
    const found = new Map<string, Schedule>();
    const issues: Issue[] = [];
    const entries = await readdir(folder).catch(() => []);
    for (const file of entries.filter((entry) => extensions.includes(extname(entry))).toSorted()) {
      const read = readSchedule((await files.readText(file)) ?? "", { file });
      issues.push(...read.issues);
      if (read.schedule === undefined) continue;
      if (found.has(read.schedule.name)) {
        const message = `a schedule named \`${read.schedule.name}\` stands in another file already`;
        issues.push({ path: "name", message, severity: "error", file });
      } else found.set(read.schedule.name, read.schedule);
    }
    for (const issue of issues) {
      const text = formatIssue(issue);
      if (issue.severity === "error" && !told.has(text)) log.error({ problem: text }, "schedule not readable");
      told.add(text);
    }
    return { found, issues };
  }

  async function adopt(schedule: Schedule, now: number): Promise<ScheduleRecord | undefined> {
    const hash = scheduleHash(schedule);
    return schedules.change(schedule.name, (record) => {
      if (record === undefined) return newRecord(schedule, hash, "deployed", now);
      if (record.hash === hash && record.origin === "deployed") return record;
      return withSchedule({ ...record, origin: "deployed" }, schedule, hash, now);
    });
  }

  /** Every schedule there is, by name, and what is wrong with the deployed files. */
  async function list(now: number): Promise<{ records: ScheduleRecord[]; issues: Issue[] }> {
    const { found, issues } = await readFiles();
    const records = new Map((await schedules.list()).map((record) => [record.schedule.name, record]));
    for (const [name, record] of records) {
      // Its file has gone with a new version of the app. The record stays: the file may come back.
      if (record.origin === "deployed" && !found.has(name)) records.delete(name);
    }
    for (const [name, schedule] of found) {
      const record = records.get(name);
      if (record?.origin === "deployed" && record.hash === scheduleHash(schedule)) continue;
      const adopted = await adopt(schedule, now);
      if (adopted !== undefined) records.set(name, adopted);
    }
    return {
      records: [...records.values()].toSorted((a, b) => a.schedule.name.localeCompare(b.schedule.name)),
      issues,
    };
  }

  return {
    list,

    /** @throws MlpipeError `NotFound` */
    async get(name: string, now: number): Promise<ScheduleRecord> {
      const { records } = await list(now);
      const found = records.find(({ schedule }) => schedule.name === name);
      if (found !== undefined) return found;
      const names = records.map(({ schedule }) => schedule.name).join(", ");
      throw new MlpipeError("NotFound", `There is no schedule ${name}; there is ${names === "" ? "none" : names}`);
    },

    /** @throws MlpipeError `Conflict` when a file of the app holds the schedule of this name */
    async refuse(name: string): Promise<void> {
      const { found } = await readFiles();
      if (!found.has(name)) return;
      throw new MlpipeError(
        "Conflict",
        `Schedule ${name} is deployed with the app: change or remove its file, or pause it`,
      );
    },
  };
}

/** Of what the author wrote, the pipeline it holds included. */
export function scheduleHash(schedule: Schedule): string {
  return createHash("sha256").update(JSON.stringify(schedule)).digest("hex");
}
