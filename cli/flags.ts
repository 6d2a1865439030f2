// Every flag of every command, so that one word means one thing everywhere.
import { InvalidArgumentError, Option } from "commander";
import { mostUsd } from "#shared/domain/cost/money.ts";
import { Fate } from "#shared/domain/dataset/fate.ts";
import { RunStatus } from "#shared/domain/run.ts";
import { NotificationFilter } from "#shared/domain/webhook/webhook.ts";

export const flags = {
  home: () =>
    new Option("--home <folder>", "folder of the stack on this machine, with all its state (default: .mlpipe)"),
  server: () =>
    new Option(
      "--server <url>",
      "app to talk to, with its key in MLPIPE_KEY (default: MLPIPE_URL, else the stack running on --home)",
    ),
  json: () =>
    new Option("--json", "the last line of standard output is one JSON document; progress goes to standard error"),
  input: () =>
    new Option(
      "-i, --input <name=value>",
      "a pipeline input; a local file or folder is uploaded once when the input is data (repeatable)",
    )
      .argParser(collect)
      .default([], "the pipeline's own"),
  assetVersion: () =>
    new Option(
      "--version <version>",
      "version (default: the file's own, or one made of the content; to show, the newest)",
    ),
  assetName: () => new Option("--name <name>", "name to run it by (default: the file's own)"),
  force: () => new Option("--force", "run every node, whatever has been made before"),
  from: () =>
    new Option("--from <node>", "`failed`, or a node: it and all after it run, what is complete before it is kept"),
  timeout: () =>
    new Option("--timeout <time>", "how long the run may take, such as 90s, 30m or 2h").argParser(parseTime),
  all: () => new Option("--all", "show every node, also of a run with more than a screen takes"),
  maxCost: () =>
    new Option("--max-cost <dollars>", "what the run may cost at most; nothing goes on that would cost more").argParser(
      parseDollars,
    ),
  watch: () => new Option("-w, --watch", "stay and show progress until the run ends"),
  displayName: () => new Option("--display-name <text>", "name that people read"),
  idempotencyKey: () =>
    new Option("--idempotency-key <key>", "start at most one run for this key, however often it is sent"),
  follow: () => new Option("-f, --follow", "go on until the job ends"),
  limit: () => new Option("-n, --limit <count>", "runs to list, newest first").argParser(parseCount).default(20),
  dryRun: () => new Option("--dry-run", "say what would go; remove nothing"),
  events: () => new Option("-n, --limit <count>", "events to show, newest first").argParser(parseCount).default(30),
  ofDataset: () => new Option("--dataset <name>", "only uploads into this dataset"),
  ofVersion: () => new Option("--dataset-version <version>", "only uploads into this version"),
  fate: () => new Option("--fate <fate>", "only events of this fate").choices(Fate.options),
  notifications: () =>
    new Option("-e, --event <type>", "`run.*`, `node.*`, `*` or one type such as run.failed (repeatable)")
      .choices(NotificationFilter.options)
      .argParser(collect)
      .default([], "run.*"),
  pipelines: () =>
    new Option("--pipeline <name>", "only runs of this pipeline (repeatable)").argParser(collect).default([], "all"),
  revoke: () => new Option("--revoke", "the secret before this one ends now, not in a day"),
  ticks: () => new Option("-n, --count <count>", "ticks to show").argParser(parseCount).default(10),
  status: () => new Option("--status <status>", "only runs in this status").choices(RunStatus.options),
  pipeline: () => new Option("--pipeline <name>", "only runs of this pipeline"),
  reject: () => new Option("--reject", "the model is not to be registered"),
  comment: () => new Option("--comment <text>", "why, kept with the answer"),
  by: () => new Option("--by <name>", "who answers (default: the user of this machine)"),
  reason: () => new Option("--reason <text>", "why, kept with the run"),
  to: () => new Option("--to <folder>", "where to put the files (default: a folder named after the run)"),
  dataset: () =>
    new Option(
      "--input <folder or URL>",
      "the four idx files of an image set, gzipped or not (default: Fashion-MNIST)",
    ),
  epochs: () => new Option("--epochs <count>", "passes of training over the images").argParser(parseCount).default(3),
  images: () =>
    new Option("--images <count>", "training images to draw when there is no input; a sixth as many for the test")
      .argParser(parseCount)
      .default(6000),
} as const;

/** Where the stack on this machine keeps everything, unless `--home` says otherwise. */
export const defaultHome = ".mlpipe";

export interface ServerFlags {
  readonly home?: string;
  readonly server?: string;
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

function parseTime(text: string): number {
  const [, count, unit = "s"] = /^([1-9]\d{0,8})(s|m|h|d)?$/.exec(text) ?? [];
  const seconds = { s: 1, m: 60, h: 3600, d: 86_400 }[unit];
  if (count === undefined || seconds === undefined)
    throw new InvalidArgumentError("It must be a time such as 90s, 30m, 2h or 1d.");
  return Number(count) * seconds;
}

function parseDollars(text: string): number {
  const dollars = /^\$?(?:\d+\.?\d*|\.\d+)$/.test(text) ? Number(text.replace("$", "")) : 0;
  if (!(dollars > 0) || dollars > mostUsd)
    throw new InvalidArgumentError("It must be US dollars above zero, such as 5 or 0.25.");
  return dollars;
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1)
    throw new InvalidArgumentError("It must be a whole number above zero.");
  return count;
}
