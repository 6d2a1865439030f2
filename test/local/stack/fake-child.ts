// A child as the supervisor's contract has it; its options say how it behaves.
import { receiveOptions } from "#local/child-options.ts";

interface Behaviour {
  /** Message instead of `ready`. */
  fails?: string;
  /** Ends with this code before it is ready. */
  exits?: number;
  says?: string;
  /** Hears the end of its channel and goes on. */
  isDeaf?: boolean;
  /** Started as well, in a group of its own, and forgotten. */
  spawns?: boolean;
}

const { fails, exits, says, isDeaf, spawns } = (await receiveOptions()) as Behaviour;
if (says !== undefined) console.log(says);
if (spawns === true) {
  const { spawn } = await import("node:child_process");
  spawn("sleep", ["300"], { detached: true, stdio: "ignore" }).unref();
}
if (isDeaf !== true) process.once("disconnect", () => process.exit(0));
setInterval(() => undefined, 1000);
if (fails !== undefined) process.send?.({ type: "failed", message: fails }, () => process.exit(1));
else if (exits !== undefined) process.exit(exits);
else process.send?.({ type: "ready", url: "http://127.0.0.1:1", life: process.pid });
