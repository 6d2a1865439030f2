const maxDepth = 400;

/** How many values a document has once everything that is shared is written out; Infinity when it is too deep to tell, or holds itself. */
export function documentSize(document: unknown): number {
  const sizes = new Map<object, number>();

  function sizeOf(value: unknown, depth: number): number {
    if (typeof value !== "object" || value === null) return 1;
    if (depth > maxDepth) return Infinity;
    const known = sizes.get(value);
    if (known !== undefined) return known;
    let size = 1;
    for (const item of Object.values(value)) size += sizeOf(item, depth + 1);
    sizes.set(value, size);
    return size;
  }

  return sizeOf(document, 0);
}
