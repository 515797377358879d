/** Which part of a tree paths ask for: names that lead to them, level by level. */
import type { Name, Path } from '../../proto/name.js';

/** `all`: everything from here on; else only what lies below these names. */
export type Scope = 'all' | ReadonlyMap<Name, Scope>;

/** No paths, or the root among them, ask for everything; a path within another one adds nothing. */
export function scopeOf(paths: readonly Path[] | undefined): Scope {
  if (paths === undefined || paths.length === 0 || paths.some((path) => path.length === 0)) return 'all';
  const root = new Map<Name, Scope>();
  for (const path of paths) {
    let at = root;
    path.forEach((name, index) => {
      const known = at.get(name);
      if (known === 'all') {
        // A path that leads here is asked for as a whole: nothing below it is recorded.
        at = new Map();
        return;
      }
      const next = index === path.length - 1 ? 'all' : (known ?? new Map<Name, Scope>());
      at.set(name, next);
      if (next !== 'all') at = next as Map<Name, Scope>;
    });
  }
  return root;
}
