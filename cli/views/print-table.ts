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
/** A longer word, such as an address, may be cut. */
const longestId = 32;

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
  const cells = [head, ...rows].map((row) => row.filter((_, column) => filled[column]).map(toPrintable));
  const colWidths = width === undefined ? undefined : narrowed(widthsOf(cells), cells, width);
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

/** Names and reasons come from anywhere: what would move the cursor, or break the row, does not get through; colours do. */
function toPrintable(cell: string): string {
  return cell.replaceAll(/\p{Cc}/gu, (control, at: number) =>
    control === "\u001b" && /^\[[\d;]*m/.test(cell.slice(at + 1)) ? control : " ",
  );
}

function widthsOf(rows: readonly (readonly string[])[], measure = (text: string) => text.length): number[] {
  const columns = rows[0]?.length ?? 0;
  return Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => measure(stripVTControlCharacters(row[column] ?? "")))),
  );
}

/**
 * Gives way where words need not be broken first: an id that is cut, or a time in two lines, is of no use. Undefined when they fit
 * as they are.
 */
function narrowed(
  natural: readonly number[],
  rows: readonly (readonly string[])[],
  width: number,
): number[] | undefined {
  const widths = [...natural];
  const gaps = 2 * (widths.length - 1);
  const isTooWide = () => widths.reduce((sum, each) => sum + each, gaps) > width;
  if (!isTooWide()) return undefined;
  const withTimes = widthsOf(rows, (text) => longestWord(joinTimes(text)));
  const words = widthsOf(rows, longestWord);
  const steps = [
    { least: withTimes, floor: narrowest },
    { least: withTimes, floor: 9 },
    { least: words, floor: 7 },
    { least: [], floor: narrowest },
  ];
  for (const { least, floor } of steps) {
    const mayGiveWay = (each: number, column: number) => each > Math.max(floor, least[column] ?? 0);
    while (isTooWide() && widths.some(mayGiveWay)) {
      const widest = Math.max(...widths.filter(mayGiveWay));
      const column = widths.findIndex((each, index) => each === widest && mayGiveWay(each, index));
      widths[column] = widest - 1;
    }
  }
  return widths;
}

/** Length of the longest word that is not longer than any id. */
function longestWord(text: string): number {
  return Math.max(...text.split(" ").map(({ length }) => (length > longestId ? 0 : length)));
}

/** Date and time of day as one word. */
function joinTimes(text: string): string {
  return text.replaceAll(/(\d\d-\d\d) (?=\d\d:)/g, "$1_");
}
