import { stripVTControlCharacters } from "node:util";
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
/** A column gives no more room away than this leaves. */
const narrowest = 12;

/**
 * Columns without lines around them. Where they are wider than `width`, the widest give way and their text goes on in the next
 * line; empty columns are left out.
 *
 * @param width columns of the terminal; undefined when nobody looks: a row is then one line
 */
export function renderTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  width: number | undefined,
): string {
  const filled = head.map((_, column) => rows.some((row) => row[column] !== ""));
  const cells = [head, ...rows].map((row) => row.filter((_, column) => filled[column]));
  const colWidths = width === undefined ? undefined : narrowed(widthsOf(cells), width);
  const table = new Table({
    chars,
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [] },
    ...(colWidths === undefined ? {} : { colWidths, wordWrap: true }),
  });
  table.push(...cells);
  const lines = table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd());
  return lines.map((line) => (width === undefined ? line : truncate(line, width))).join("\n");
}

function widthsOf(rows: readonly (readonly string[])[]): number[] {
  const columns = rows[0]?.length ?? 0;
  return Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => stripVTControlCharacters(row[column] ?? "").length)),
  );
}

/** Undefined when they fit as they are. */
function narrowed(natural: readonly number[], width: number): number[] | undefined {
  const widths = [...natural];
  const gaps = 2 * (widths.length - 1);
  const total = () => widths.reduce((sum, each) => sum + each, gaps);
  if (total() <= width) return undefined;
  while (total() > width) {
    const widest = Math.max(...widths);
    if (widest <= narrowest) break;
    widths[widths.indexOf(widest)] = widest - 1;
  }
  return widths;
}
