import Table from "cli-table3";
import truncate from "cli-truncate";

const none = "";
const chars = {
  top: none,
  "top-mid": none,
  "top-left": none,
  "top-right": none,
  bottom: none,
  "bottom-mid": none,
  "bottom-left": none,
  "bottom-right": none,
  left: none,
  "left-mid": none,
  mid: none,
  "mid-mid": none,
  right: none,
  "right-mid": none,
  middle: "  ",
};

/** Columns without lines around them, each row cut at `width`. Empty columns are left out. */
export function renderTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  width: number | undefined,
): string {
  const filled = head.map((_, column) => rows.some((row) => row[column] !== ""));
  const keep = (cells: readonly string[]) => cells.filter((_, column) => filled[column]);
  const table = new Table({ chars, style: { "padding-left": 0, "padding-right": 0, head: [], border: [] } });
  table.push(keep(head), ...rows.map(keep));
  const lines = table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd());
  return lines.map((line) => (width === undefined ? line : truncate(line, width))).join("\n");
}
