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

export function renderDeadLetters(letters: readonly DeadLetter[], { width }: TableOptions): string {
  const rows = letters.map(({ id, time, attempts, reason, message }) => [
    id,
    time.slice(0, 19).replace("T", " "),
    message.type,
    message.data.runId,
    `${attempts} ${attempts === 1 ? "try" : "tries"}: ${reason}`,
  ]);
  return renderTable(["ID", "TIME", "EVENT", "RUN", "WHY"], rows, width);
}
