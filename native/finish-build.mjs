/** Finishes what tsc began in dist/: generated code that it does not compile, and the programs' execute bits. */
import { chmodSync, cpSync, existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const packageRoot = dirname(dirname(fileURLToPath(import.meta.url)));

const generated = join('proto', 'wire', 'generated');
if (existsSync(join(packageRoot, generated))) {
  cpSync(join(packageRoot, generated), join(packageRoot, 'dist', generated), { recursive: true });
}

for (const program of [join('dist', 'agent', 'main.js'), join('dist', 'receiver', 'main.js')]) {
  const path = join(packageRoot, program);
  if (existsSync(path)) chmodSync(path, 0o755);
}
