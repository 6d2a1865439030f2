import { randomUUID } from "node:crypto";
import { Command } from "commander";
import { formatIssue } from "#shared/errors.ts";
import { connect } from "../connect.ts";
import type { CliContext } from "../context.ts";
import { type ServerFlags, flags } from "../flags.ts";
import { createHint } from "../hint.ts";
import { printIssues } from "../report-error.ts";
import { sendSchedule } from "../send-schedule.ts";
import { renderSchedule, renderScheduleList, renderTicks } from "../views/schedule-table.ts";

interface ScheduleFlags extends ServerFlags {
  readonly json?: boolean;
  readonly count?: number;
}

/** Ticks and fates that a look at one schedule shows. */
const shown = { next: 10, fires: 10 };

export function createScheduleCommand(context: CliContext): Command {
  const command = new Command("schedule").description("runs that start by the clock");
  const add = (
    name: string,
    what: string,
    argument: readonly [name: string, what: string] | undefined,
    action: (context: CliContext, of: string, options: ScheduleFlags) => Promise<void>,
  ): Command => {
    const child = new Command(name).description(what);
    if (argument !== undefined) child.argument(...argument);
    child.addOption(flags.json()).addOption(flags.home()).addOption(flags.server());
    child.action((of: string | ScheduleFlags, options: ScheduleFlags) =>
      typeof of === "string" ? action(context, of, options) : action(context, "", of),
    );
    command.addCommand(child);
    return child;
  };
  const schedule = ["<schedule>", "name of the schedule"] as const;
  add("apply", "make or change the schedule of a file", ["<file>", "path of a schedule's YAML file"], apply);
  add("list", "list the schedules", undefined, list);
  add("show", "show a schedule and what became of its last ticks", schedule, show);
  add("next", "show when a schedule fires next", schedule, next).addOption(flags.ticks());
  add("pause", "let no tick start a run until it is resumed", schedule, pause);
  add("resume", "let ticks start runs again, from now on", schedule, resume);
  add("run-now", "start a run of a schedule now", schedule, runNow);
  add("delete", "delete a schedule; its runs go on", schedule, remove);
  return command;
}

async function apply(context: CliContext, path: string, { json, ...server }: ScheduleFlags): Promise<void> {
  const { terminal } = context;
  const { client } = await connect(context, server, { mayBegin: true });
  const { warnings, ...schedule } = await sendSchedule(context, client, path);
  printIssues(
    terminal,
    warnings.map(({ path: place, message, severity }) => ({ path: place, message, severity })),
  );
  if (json === true) return terminal.out(JSON.stringify({ ...schedule, warnings }));
  const [first] = schedule.next;
  terminal.out(
    `Schedule ${schedule.name}, version ${schedule.version}: ${first ?? "it will not fire"} is the next tick.`,
  );
  terminal.err(`To see more: ${createHint(context, server)(`schedule next ${schedule.name}`)}`);
}

async function list(context: CliContext, _none: string, { json, ...server }: ScheduleFlags): Promise<void> {
  const { terminal } = context;
  const { client } = await connect(context, server);
  const answer = await client.listSchedules();
  if (json === true) return terminal.out(JSON.stringify(answer));
  for (const { path, message, severity, file, line, column } of answer.issues) {
    const place = { ...(file === undefined ? {} : { file }), ...(line === undefined ? {} : { line }) };
    terminal.err(formatIssue({ path, message, severity, ...place, ...(column === undefined ? {} : { column }) }));
  }
  if (answer.schedules.length === 0)
    return terminal.err(`No schedules. Make one: ${createHint(context, server)("schedule apply <schedule.yml>")}`);
  terminal.out(renderScheduleList(answer.schedules, tableOptions(context)));
}

async function show(context: CliContext, name: string, { json, ...server }: ScheduleFlags): Promise<void> {
  const { client } = await connect(context, server);
  const schedule = await client.getSchedule(name, shown);
  context.terminal.out(json === true ? JSON.stringify(schedule) : renderSchedule(schedule, tableOptions(context)));
}

async function next(context: CliContext, name: string, options: ScheduleFlags): Promise<void> {
  const { json, count = 10, ...server } = options;
  const { terminal } = context;
  const { client } = await connect(context, server);
  const schedule = await client.getSchedule(name, { next: count, fires: 0 });
  if (json === true) return terminal.out(JSON.stringify({ name, next: schedule.next }));
  if (schedule.next.length === 0) return terminal.err(`Schedule ${name} is ${schedule.status}: no tick comes.`);
  terminal.out(renderTicks(schedule, tableOptions(context)));
}

async function pause(context: CliContext, name: string, { json, ...server }: ScheduleFlags): Promise<void> {
  const { client } = await connect(context, server);
  const schedule = await client.pauseSchedule(name);
  const text = `Schedule ${name} is paused. To go on: ${createHint(context, server)(`schedule resume ${name}`)}`;
  context.terminal.out(json === true ? JSON.stringify(schedule) : text);
}

async function resume(context: CliContext, name: string, { json, ...server }: ScheduleFlags): Promise<void> {
  const { client } = await connect(context, server);
  const schedule = await client.resumeSchedule(name);
  const [first] = schedule.next;
  const text = `Schedule ${name} is ${schedule.status}${first === undefined ? "" : `; its next tick is ${first}`}.`;
  context.terminal.out(json === true ? JSON.stringify(schedule) : text);
}

async function runNow(context: CliContext, name: string, { json, ...server }: ScheduleFlags): Promise<void> {
  const { client } = await connect(context, server);
  const run = await client.runSchedule(name, randomUUID());
  const text = `Run ${run.runId} of ${run.pipeline}\nTo watch it: ${createHint(context, server)(`status ${run.runId} --watch`)}`;
  context.terminal.out(json === true ? JSON.stringify(run) : text);
}

async function remove(context: CliContext, name: string, { json, ...server }: ScheduleFlags): Promise<void> {
  const { client } = await connect(context, server);
  await client.deleteSchedule(name);
  context.terminal.out(json === true ? JSON.stringify({ name, deleted: true }) : `Schedule ${name} is deleted.`);
}

function tableOptions({ terminal }: CliContext) {
  return { colors: terminal.colorsFor(terminal.stdout), width: terminal.widthOf(terminal.stdout), now: Date.now() };
}
