import truncate from "cli-truncate";
import type { DeadLetter, WebhookDocument } from "#shared/api.ts";
import { renderTable } from "./print-table.ts";
import type { TableOptions } from "./run-table.ts";
import { paint } from "./statuses.ts";

export function renderWebhooks(webhooks: readonly WebhookDocument[], { colors, width }: TableOptions): string {
  const rows = webhooks.map(({ name, isEnabled, url, events, pipelines }) => [
    name,
    isEnabled ? paint(colors, "green", "on") : paint(colors, "dim", "off"),
    events.join(" "),
    pipelines.length === 0 ? "all" : pipelines.join(" "),
    url,
  ]);
  return renderTable(["WEBHOOK", "STATUS", "EVENTS", "PIPELINES", "URL"], rows, width);
}

/** On a screen three lines each: the id, which is long, is what one needs of it. */
export function renderDeadLetters(letters: readonly DeadLetter[], { width }: TableOptions): string {
  const tries = ({ attempts }: DeadLetter) => `${attempts} ${attempts === 1 ? "try" : "tries"}`;
  if (width !== undefined) {
    const blocks = letters.map((letter) => [
      letter.id,
      `  ${letter.time.slice(0, 19).replace("T", " ")}  ${letter.message.type} of run ${letter.message.data.runId}`,
      truncate(`  ${tries(letter)}: ${letter.reason}`, width),
    ]);
    return blocks.map((lines) => lines.join("\n")).join("\n\n");
  }
  const rows = letters.map((letter) => [
    letter.id,
    letter.time.slice(0, 19).replace("T", " "),
    letter.message.type,
    letter.message.data.runId,
    `${tries(letter)}: ${letter.reason}`,
  ]);
  return renderTable(["ID", "TIME", "EVENT", "RUN", "WHY"], rows, width);
}
