// Plain values as YAML text that Azure ML's client, which reads YAML 1.1, and every reader of YAML 1.2 take for the same.
import { Document, visit } from "yaml";
import { pythonText } from "./python-text.ts";
import { readPlainScalar } from "./yaml-scalar.ts";

/** What PyYAML makes something else of than text: dates, numbers to the base of sixty, `=` and `<<`. */
const special = /^(?:\d{4}-\d\d?-\d\d?(?:[Tt\s].*)?|[-+]?\d[\d_]*(?::[0-5]?\d)+(?:\.[\d_]*)?|=|<<)$/;
/** What YAML 1.2 makes a number of. */
const modern = /^[-+]?(?:0o[0-7]+|\.?\d[\d.]*(?:[eE][-+]?\d+)?)$/;

/** @param comment - stands above the document, line by line */
export function printYaml(value: unknown, comment?: string): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  if (comment !== undefined) document.commentBefore = comment.replaceAll(/^/gm, " ");
  visit(document, {
    Scalar(_, node) {
      // A number that Python prints in another way goes to the program as Python's text.
      if (typeof node.value === "number" && pythonText(node.value) !== String(node.value))
        node.value = pythonText(node.value);
      if (typeof node.value === "string" && !isPlainText(node.value) && !node.value.includes("\n"))
        node.type = "QUOTE_DOUBLE";
    },
  });
  return document.toString({ lineWidth: 0 });
}

/** Whether every reader takes the unquoted text for text. */
export function isPlainText(text: string): boolean {
  return readPlainScalar(text) === text && !special.test(text) && !modern.test(text);
}
