// A YAML text that is changed in places. What is not changed is printed as it was written, to the byte: comments, order,
// quoting, line breaks, keys that nobody knows. That is what the concrete syntax tree of the YAML library is for.
import { CST, Composer, type Document, Parser, type YAMLMap, isAlias, isMap, isScalar, isSeq } from "yaml";
import { isPlainText } from "./print-yaml.ts";
import { readYaml } from "./read-yaml.ts";

/** Keys and positions from the outside in. */
export type YamlPath = readonly (string | number)[];

export interface YamlText {
  /** Puts `text` in place of the scalar at `path`, quoted as that was where it can be. */
  setText(path: YamlPath, text: string): void;
  /** Puts the mapping that `yaml` is in place of the scalar at `path`, with its comments unless that stands in a flow. */
  setMapping(path: YamlPath, yaml: string): void;
  print(): string;
}

type ScalarToken = CST.FlowScalar | CST.BlockScalar;
type BlockItem = CST.BlockMap["items"][number];

/** @param text - has been read by `readYaml`, which bounds it and refuses what is wrong with it */
export function openYaml(text: string): YamlText {
  const tokens = [...new Parser().parse(text)];
  const document = compose(tokens);

  return {
    setText(path, value) {
      const token = tokenAt(document, path);
      if (token !== undefined) putText(token, value);
    },
    setMapping(path, yaml) {
      const holder = resolve(document, find(document, path.slice(0, -1)));
      const item = isMap(holder) ? pairIn(document, holder, String(path.at(-1)))?.srcToken : undefined;
      const token = tokenAt(document, path);
      if (!isMap(holder) || item === undefined || token === undefined) return;
      const block = holder.srcToken;
      if (block?.type === "block-map" && isPlainBlock(yaml)) putBlock(item, token, yaml, block.indent + 2);
      else putFlow(item, token, yaml);
    },
    print: () => tokens.map((token) => CST.stringify(token)).join(""),
  };
}

function compose(tokens: readonly CST.Token[]): Document {
  // The values are readYaml's business; here only their places count.
  const composer = new Composer({ keepSourceTokens: true, schema: "failsafe", uniqueKeys: false, logLevel: "silent" });
  for (const document of composer.compose(tokens)) return document as Document;
  throw new Error("a YAML text without a document");
}

function tokenAt(document: Document, path: YamlPath): ScalarToken | undefined {
  const node = resolve(document, find(document, path));
  return isScalar(node) && CST.isScalar(node.srcToken) ? node.srcToken : undefined;
}

function find(document: Document, path: YamlPath): unknown {
  return path.reduce<unknown>((at, key) => {
    const holder = resolve(document, at);
    if (isSeq(holder)) return holder.items[Number(key)];
    return isMap(holder) ? pairIn(document, holder, String(key))?.value : undefined;
  }, document.contents);
}

function resolve(document: Document, node: unknown): unknown {
  return isAlias(node) ? node.resolve(document) : node;
}

/** The entry `key` of a mapping, or of those that it merges. */
function pairIn(document: Document, holder: YAMLMap, key: string): YAMLMap["items"][number] | undefined {
  const named = (name: string) => holder.items.filter((pair) => isScalar(pair.key) && pair.key.value === name);
  const [own] = named(key);
  if (own !== undefined) return own;
  const merged = named("<<").flatMap(({ value }) => {
    const source = resolve(document, value);
    return isSeq(source) ? source.items.map((item) => resolve(document, item)) : [source];
  });
  return merged.flatMap((source) => (isMap(source) ? (pairIn(document, source, key) ?? []) : []))[0];
}

function putText(token: ScalarToken, value: string): void {
  // The library judges a plain text as if it stood in a block, and by YAML 1.2.
  const staysPlain = token.type !== "scalar" || (/^[\w./@+-]+$/.test(value) && isPlainText(value));
  CST.setScalarValue(token, value, { afterKey: true, ...(staysPlain ? {} : { type: "QUOTE_DOUBLE" }) });
}

/** An anchor could be one that the text around it has, too. */
function isPlainBlock(yaml: string): boolean {
  const [token] = [...new Parser().parse(yaml)].filter(({ type }) => type === "document");
  if (token?.type !== "document" || token.value?.type !== "block-map") return false;
  let isPlain = token.start.every(({ type }) => type !== "anchor" && type !== "tag");
  CST.visit(token, ({ start, sep = [], value }) => {
    if ([...start, ...sep].some(({ type }) => type === "anchor") || value?.type === "alias") isPlain = false;
  });
  return isPlain;
}

function putBlock(item: CST.CollectionItem, replaced: ScalarToken, yaml: string, indent: number): void {
  const [key] = blockItems(`x:\n${indented(yaml, indent)}`);
  if (key?.value === undefined || item.sep === undefined) return;
  // What followed the text in its line, a comment mostly, still follows the key.
  const rest = restOf(replaced);
  const line = rest.some(({ type }) => type === "newline") ? rest : [...rest, newline];
  const colon = item.sep.findIndex(({ type }) => type === "map-value-ind");
  item.sep = [...item.sep.slice(0, colon + 1), ...line, ...key.sep.slice(2)];
  item.value = key.value;
}

const newline: CST.SourceToken = { type: "newline", offset: 0, indent: 0, source: "\n" };

function blockItems(text: string): (BlockItem & { sep: CST.SourceToken[] })[] {
  const [document] = new Parser().parse(text);
  const items = document?.type === "document" && document.value?.type === "block-map" ? document.value.items : [];
  return items.flatMap((item) => (item.sep === undefined ? [] : [item]));
}

/** Without the marks that only a document of its own has. */
function indented(yaml: string, indent: number): string {
  const lines = yaml.replace(/^\uFEFF/, "").split("\n");
  const start = lines.findIndex((line) => /^---(?:\s|$)/.test(line)) + 1;
  const end = lines.findIndex((line, index) => index >= start && /^(?:\.\.\.|---)(?:\s|$)/.test(line));
  const body = lines.slice(start, end < 0 ? lines.length : end).join("\n");
  const whole = body.endsWith("\n") ? body : `${body}\n`;
  return whole.replaceAll(/^(?=.)/gm, " ".repeat(indent));
}

function putFlow(item: CST.CollectionItem, replaced: ScalarToken, yaml: string): void {
  // Every JSON text is a YAML flow.
  const [document] = new Parser().parse(JSON.stringify(readYaml(yaml, undefined).value));
  if (document?.type !== "document" || document.value?.type !== "flow-collection") return;
  item.value = { ...document.value, end: [...document.value.end, ...restOf(replaced)] };
}

/** What follows a scalar: blanks, a comment, the end of its line. */
function restOf(scalar: ScalarToken): readonly CST.SourceToken[] {
  return scalar.type === "block-scalar" ? [newline] : (scalar.end ?? []);
}
