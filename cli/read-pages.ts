/** Every item of a list that comes in pages. */
export async function readPages<T>(
  readPage: (query: string) => Promise<{ items: readonly T[]; nextLink: string | undefined }>,
): Promise<T[]> {
  const all: T[] = [];
  for (let query = ""; ;) {
    const { items, nextLink } = await readPage(query);
    all.push(...items);
    if (nextLink === undefined) return all;
    query = new URL(nextLink).search;
  }
}
