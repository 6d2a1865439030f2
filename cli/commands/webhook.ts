import { Command } from "commander";
import type { PutWebhookRequest, WebhookAnswer } from "#shared/api.ts";
import { overlapHours } from "#shared/domain/webhook/webhook.ts";
import { connect } from "../connect.ts";
import type { CliContext } from "../context.ts";
import { type ServerFlags, flags } from "../flags.ts";
import { createHint } from "../hint.ts";
import { renderDeadLetters, renderWebhooks } from "../views/webhook-table.ts";

interface WebhookFlags extends ServerFlags {
  readonly json?: boolean;
  readonly event?: PutWebhookRequest["events"];
  readonly pipeline?: string[];
  readonly revoke?: boolean;
}

const listedLetters = 100;

export function createWebhookCommand(context: CliContext): Command {
  const command = new Command("webhook").description("notifications of runs, sent to an address of yours");
  const add = (
    name: string,
    what: string,
    more: readonly (readonly [name: string, what: string])[],
    action: (context: CliContext, values: readonly string[], options: WebhookFlags) => Promise<void>,
  ): Command => {
    const child = new Command(name).description(what);
    for (const argument of more) child.argument(...argument);
    child.addOption(flags.json()).addOption(flags.home()).addOption(flags.server());
    child.action((...given: unknown[]) =>
      // commander gives the arguments, then the options, then the command itself
      action(context, given.slice(0, more.length) as string[], given[more.length] as WebhookFlags),
    );
    command.addCommand(child);
    return child;
  };
  const webhook = ["<webhook>", "name of the webhook"] as const;
  const url = ["<url>", "https address that is told"] as const;
  const letter = ["<id>", "id of the dead letter"] as const;
  add("set", "make or change a webhook; a new one's secret is shown once", [webhook, url], set)
    .addOption(flags.notifications())
    .addOption(flags.pipelines());
  add("list", "list the webhooks", [], list);
  add("test", "send one message now and say what came of it", [webhook], test);
  add("rotate", "make a new secret, shown once", [webhook], rotate).addOption(flags.revoke());
  add("dead-letters", "list messages that were given up", [webhook], deadLetters);
  add("redeliver", "send a message that was given up once more", [webhook, letter], redeliver);
  add("delete", "delete a webhook", [webhook], remove);
  return command;
}

async function set(
  context: CliContext,
  [name = "", url = ""]: readonly string[],
  options: WebhookFlags,
): Promise<void> {
  const { json, event = [], pipeline = [], ...server } = options;
  const { client } = await connect(context, server, { mayBegin: true });
  const answer = await client.putWebhook(name, {
    url,
    ...(event.length === 0 ? {} : { events: event }),
    ...(pipeline.length === 0 ? {} : { pipelines: pipeline }),
  });
  if (json === true) return context.terminal.out(JSON.stringify(answer));
  context.terminal.out(`Webhook ${name} is told of ${answer.events.join(", ")}.`);
  showSecret(context, answer);
  context.terminal.err(`To try it: ${createHint(context, server)(`webhook test ${name}`)}`);
}

function showSecret({ terminal }: CliContext, { secret }: WebhookAnswer): void {
  if (secret === undefined) return;
  terminal.out(`Its secret, which is not shown again: ${secret}`);
}

async function list(context: CliContext, _none: readonly string[], { json, ...server }: WebhookFlags): Promise<void> {
  const { terminal } = context;
  const { client } = await connect(context, server);
  const answer = await client.listWebhooks();
  if (json === true) return terminal.out(JSON.stringify(answer));
  if (answer.webhooks.length === 0)
    return terminal.err(`No webhooks. Make one: ${createHint(context, server)("webhook set <name> <url>")}`);
  terminal.out(renderWebhooks(answer.webhooks, tableOptions(context)));
}

async function test(context: CliContext, [name = ""]: readonly string[], options: WebhookFlags): Promise<void> {
  const { json, ...server } = options;
  const { client } = await connect(context, server);
  const { isDelivered, status, reason } = await client.testWebhook(name);
  if (json === true) return context.terminal.out(JSON.stringify({ isDelivered, status, reason }));
  context.terminal.out(isDelivered ? `Delivered: it answered ${status}.` : `Not delivered: ${reason}.`);
}

async function rotate(context: CliContext, [name = ""]: readonly string[], options: WebhookFlags): Promise<void> {
  const { json, revoke, ...server } = options;
  const { client } = await connect(context, server);
  const answer = await client.rotateWebhookSecret(name, revoke === true);
  if (json === true) return context.terminal.out(JSON.stringify(answer));
  showSecret(context, answer);
  if (answer.previousSecretExpires !== undefined)
    context.terminal.out(
      `The one before signs as well for ${overlapHours} hours, until ${answer.previousSecretExpires}.`,
    );
}

async function deadLetters(context: CliContext, [name = ""]: readonly string[], options: WebhookFlags): Promise<void> {
  const { json, ...server } = options;
  const { terminal } = context;
  const { client } = await connect(context, server);
  const answer = await client.listDeadLetters(name, listedLetters);
  if (json === true) return terminal.out(JSON.stringify(answer));
  if (answer.deadLetters.length === 0) return terminal.err(`Webhook ${name} has no dead letters.`);
  terminal.out(renderDeadLetters(answer.deadLetters, tableOptions(context)));
  terminal.err(`To send one again: ${createHint(context, server)(`webhook redeliver ${name} <id>`)}`);
}

async function redeliver(context: CliContext, given: readonly string[], options: WebhookFlags): Promise<void> {
  const [name = "", id = ""] = given;
  const { json, ...server } = options;
  const { client } = await connect(context, server);
  const letter = await client.redeliver(name, id);
  const text = `${letter.message.type} of run ${letter.message.data.runId} is on its way again.`;
  context.terminal.out(json === true ? JSON.stringify(letter) : text);
}

async function remove(context: CliContext, [name = ""]: readonly string[], options: WebhookFlags): Promise<void> {
  const { json, ...server } = options;
  const { client } = await connect(context, server);
  await client.deleteWebhook(name);
  context.terminal.out(json === true ? JSON.stringify({ name, deleted: true }) : `Webhook ${name} is deleted.`);
}

function tableOptions({ terminal }: CliContext) {
  return { colors: terminal.colorsFor(terminal.stdout), width: terminal.widthOf(terminal.stdout), now: Date.now() };
}
