// What watches a run and shows it: in place on a terminal, line by line elsewhere.
import type { RunProgress } from "../follow-run.ts";
import type { Terminal } from "../terminal.ts";
import { createLiveView } from "./live-view.ts";
import { createPlainView } from "./plain-view.ts";

export interface RunView {
  show(progress: RunProgress): void;
  /** A word to the reader that is not about a node; an empty one takes the last back. */
  tell(text: string): void;
  /** Leaves the last state on the screen and the cursor as it was. */
  end(): void;
}

export function createRunView(terminal: Terminal, stream: NodeJS.WriteStream): RunView {
  return terminal.isLive(stream) ? createLiveView(terminal, stream) : createPlainView(stream);
}
