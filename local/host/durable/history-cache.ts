// The histories of the instances that moved last, so that the next episode reads none from disk. Bounded in bytes:
// idle instances cost nothing but their rows.
import type { HistoryEvent } from "./events.ts";

export interface CachedHistory {
  readonly executionId: string;
  readonly events: HistoryEvent[];
  /** JSON of the events, joined by commas, all played. */
  text: string;
}

/**
 * @param load Reads the events' JSON texts of an instance from the store.
 * @param maximumBytes Of event text; the parsed events take some times as much.
 */
export function createHistoryCache(load: (id: string) => readonly string[], maximumBytes = 8 * 1024 * 1024) {
  const entries = new Map<string, CachedHistory>();
  let bytes = 0;

  function forget(id: string): void {
    bytes -= entries.get(id)?.text.length ?? 0;
    entries.delete(id);
  }

  function keep(id: string, entry: CachedHistory): void {
    entries.set(id, entry);
    bytes += entry.text.length;
    for (const oldest of entries.keys()) {
      if (bytes <= maximumBytes || oldest === id) break;
      forget(oldest);
    }
  }

  return {
    get(id: string, executionId: string): CachedHistory {
      const cached = entries.get(id);
      if (cached?.executionId === executionId) return cached;
      const texts = load(id);
      return { executionId, events: texts.map((text) => JSON.parse(text) as HistoryEvent), text: texts.join(",") };
    },
    /** `texts` are the events' JSON, played. Remembers an instance's history after an episode is stored, and makes it the youngest. */
    append(id: string, history: CachedHistory, events: readonly HistoryEvent[], texts: readonly string[]): void {
      forget(id);
      history.events.push(...events);
      history.text = [...(history.text === "" ? [] : [history.text]), ...texts].join(",");
      keep(id, history);
    },
    forget,
  };
}
