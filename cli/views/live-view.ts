// Redraws a run in place on a terminal: at every change, and once a second for the clocks.
import { createLogUpdate } from "log-update";
import type { RunProgress } from "../follow-run.ts";
import type { Terminal } from "../terminal.ts";
import { renderFrame } from "./render-frame.ts";
import type { RunView } from "./run-view.ts";

export function createLiveView(terminal: Terminal, stream: NodeJS.WriteStream): RunView {
  const log = createLogUpdate(stream);
  const colors = terminal.colorsFor(stream);
  let latest: RunProgress | undefined;
  let note: string | undefined;
  let hasEnded = false;

  const draw = () => {
    if (latest === undefined) return;
    // The last column stays free: a full line makes some terminals wrap.
    const width = (terminal.widthOf(stream) ?? 80) - 1;
    log(
      renderFrame(latest, {
        now: Date.now(),
        width,
        rows: stream.rows || 24,
        colors,
        ...(note === undefined ? {} : { note }),
      }),
    );
  };
  const clock = setInterval(draw, 1000);
  stream.on("resize", draw);

  return {
    show(progress) {
      latest = progress;
      draw();
    },
    tell(text) {
      note = text === "" ? undefined : text;
      draw();
    },
    end() {
      if (hasEnded) return;
      hasEnded = true;
      clearInterval(clock);
      stream.off("resize", draw);
      note = undefined;
      draw();
      log.done();
    },
  };
}
