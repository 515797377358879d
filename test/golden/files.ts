/** Where golden files are, seen from the compiled tests too. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const packageRoot: string = findPackageRoot();
export const goldenDirectory: string = join(packageRoot, 'test', 'golden', 'v1');

function findPackageRoot(): string {
  for (let at = dirname(fileURLToPath(import.meta.url)); ; at = dirname(at)) {
    if (existsSync(join(at, 'package.json'))) return at;
    if (at === dirname(at)) throw new Error('there is no package.json above this file');
  }
}
