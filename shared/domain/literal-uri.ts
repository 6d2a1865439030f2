// A literal that travels where data travels: as a `data:` URI (RFC 2397), which holds its text itself.

const head = "data:,";

export function toLiteralUri(text: string): string {
  return head + encodeURIComponent(text.toWellFormed());
}

/** The text that `uri` holds, or undefined when it names a place. */
export function literalIn(uri: string): string | undefined {
  return uri.startsWith(head) ? decodeURIComponent(uri.slice(head.length)) : undefined;
}
