// Lists that are in the order of their names go on after the last name of the page before.

interface PageQuery {
  readonly limit: number;
  readonly after?: string | undefined;
}

/**
 * @param items sorted by name, in plain code order
 * @param link of this list, without a query
 * @returns the page, and where the next one is while there is one
 */
export function pageByName<T extends { readonly name: string }>(
  items: readonly T[],
  { limit, after = "" }: PageQuery,
  link: string,
): { page: T[]; nextLink?: string } {
  const rest = items.filter(({ name }) => name > after);
  const page = rest.slice(0, limit);
  const last = page.at(-1);
  if (last === undefined || rest.length <= limit) return { page };
  return { page, nextLink: `${link}?${new URLSearchParams({ limit: String(limit), after: last.name }).toString()}` };
}
