import { Command } from "commander";
import { connect } from "../connect.ts";
import type { CliContext } from "../context.ts";
import { type ServerFlags, flags } from "../flags.ts";
import { createHint } from "../hint.ts";
import { renderModelList, renderModelVersion, renderModelVersions } from "../views/model-table.ts";

interface ModelFlags extends ServerFlags {
  readonly json?: boolean;
}

export function createModelCommand(context: CliContext): Command {
  const place = (command: Command) => command.addOption(flags.json()).addOption(flags.home()).addOption(flags.server());
  return new Command("model")
    .description("registered models: their versions, stages, metrics and the runs that made them")
    .addCommand(
      place(new Command("list").description("list the models")).action((options: ModelFlags) => list(context, options)),
    )
    .addCommand(
      place(
        new Command("show")
          .description("show a model with its versions, or one version with where it comes from")
          .argument("<model>", "its name, or name:version"),
      ).action((model: string, options: ModelFlags) => show(context, model, options)),
    );
}

async function list(context: CliContext, { json, ...server }: ModelFlags): Promise<void> {
  const { terminal } = context;
  const { client } = await connect(context, server);
  const models = await client.listModels();
  if (json === true) return terminal.out(JSON.stringify({ models }));
  if (models.length === 0)
    return terminal.err("No models. A pipeline registers one by `promote:` in its `settings.mlpipe`.");
  terminal.out(renderModelList(models, tableOptions(context)));
}

async function show(context: CliContext, model: string, { json, ...server }: ModelFlags): Promise<void> {
  const { terminal } = context;
  const { client } = await connect(context, server);
  const colon = model.indexOf(":");
  const [name, version] = colon === -1 ? [model] : [model.slice(0, colon), model.slice(colon + 1)];
  if (version !== undefined) {
    const document = await client.getModelVersion(name, version);
    return terminal.out(json === true ? JSON.stringify(document) : renderModelVersion(document, tableOptions(context)));
  }
  const document = await client.getModel(name);
  if (json === true) return terminal.out(JSON.stringify(document));
  terminal.out(renderModelVersions(document, tableOptions(context)));
  terminal.err(`Where one comes from: ${createHint(context, server)(`model show ${name}:<version>`)}`);
}

function tableOptions({ terminal }: CliContext) {
  return { colors: terminal.colorsFor(terminal.stdout), width: terminal.widthOf(terminal.stdout), now: Date.now() };
}
