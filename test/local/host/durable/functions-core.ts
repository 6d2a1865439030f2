// Must be the first import: the library asks for its core module once per process and remembers a refusal.
import { installCoreModule } from "#local/host/core-module.ts";

process.env["WEBSITE_HOSTNAME"] = "localhost:1";

export const registry = installCoreModule(() => undefined);
