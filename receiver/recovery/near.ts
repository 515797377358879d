/** Which known names a mistyped one may have meant. */

/** The nearest of `known` to `wanted`, nearest first, leaving out those that have little in common with it. */
export function nearNames(wanted: string, known: Iterable<string>, count = 5): string[] {
  const limit = Math.max(2, Math.floor(wanted.length / 2));
  const found: { name: string; distance: number }[] = [];
  const folded = wanted.toLowerCase();
  for (const name of known) {
    const other = name.toLowerCase();
    // A name of one or two letters is part of almost anything.
    const holds = Math.min(folded.length, other.length) > 2 && (other.includes(folded) || folded.includes(other));
    const distance = holds ? Math.min(1, Math.abs(name.length - wanted.length)) : editDistance(folded, other, limit);
    if (distance <= limit) found.push({ name, distance });
  }
  found.sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1));
  return [...new Set(found.map(({ name }) => name))].slice(0, count);
}

/** ", did you mean a, b?" or nothing. */
export function didYouMean(names: readonly string[]): string {
  return names.length === 0 ? '' : `; did you mean ${names.join(', ')}?`;
}

/** Insertions, removals and replacements between two strings; `limit + 1` as soon as it is more than `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    let least = i;
    for (let j = 1; j <= b.length; j += 1) {
      const cost = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
      next.push(cost);
      least = Math.min(least, cost);
    }
    if (least > limit) return limit + 1;
    row = next;
  }
  return row[b.length]!;
}
