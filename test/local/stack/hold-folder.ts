import { openStackFolder } from "#local/stack-folder.ts";

openStackFolder(process.argv[2] ?? "").announce({ url: "http://127.0.0.1:1", key: "key" });
process.send?.("held");
setInterval(() => undefined, 1000);
