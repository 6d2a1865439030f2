import { startStack } from "#local/stack.ts";

const { url, key } = await startStack({ home: process.argv[2] ?? "" });
process.send?.({ url, key });
