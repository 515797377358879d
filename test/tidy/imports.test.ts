/** The arrows between folders, what no stage may ask the machine, and the size and opening of every source file. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import t from 'tap';
import ts from 'typescript';
import { packageRoot } from '../golden/files.js';

const linesMax = 500;
const stages = [
  ...['capture', 'journal', 'transport', 'identity', 'restore', 'control'].map((stage) => `agent/${stage}`),
  ...['ingest', 'store', 'replica', 'recovery', 'nbd', 'identity', 'service'].map((stage) => `receiver/${stage}`),
];
/** The files that see generated code. */
const generatedReaders = ['proto/wire/convert.ts', 'proto/wire/messages.ts'];

interface Source {
  /** Path from the package root, with slashes. */
  readonly path: string;
  readonly text: string;
}

/** Paths from the package root of what a source imports of ours, types included, however it does. */
function importsOf({ path, text }: Source): string[] {
  const { importedFiles } = ts.preProcessFile(text, true, true);
  return importedFiles
    .map(({ fileName }) => fileName)
    .filter((name) => name.startsWith('.'))
    .map((name) => posix.normalize(posix.join(posix.dirname(path), name)));
}

function within(path: string, folder: string): boolean {
  return path.startsWith(`${folder}/`);
}
function stageOf(path: string): string | undefined {
  return stages.find((stage) => within(path, stage));
}

/** Why a source may not import a path, or undefined when it may. */
function arrowFault(path: string, imported: string): string | undefined {
  const [from, to] = [path, imported].map((one) => one.split('/')[0]!);
  const [fromStage, toStage] = [stageOf(path), stageOf(imported)];
  if (imported.startsWith('..')) return 'it lies outside the package';
  if (within(imported, 'proto/wire/generated') && !generatedReaders.includes(path) && !within(path, 'proto/wire/generated') && from !== 'test') return 'only convert.ts and messages.ts see generated code';
  if (from === 'test') return undefined;
  if (to === 'test') return 'programs do not need tests';
  if ((from === 'proto' || from === 'native') && to !== from) return `${from} imports nothing of ours`;
  if ((from === 'agent' && to === 'receiver') || (from === 'receiver' && to === 'agent')) return 'agent and receiver never import each other';
  if (fromStage !== undefined && toStage !== undefined && fromStage !== toStage) return 'stages never import each other';
  if (fromStage !== undefined && toStage === undefined && to === from) return 'a stage imports nothing of what joins it to others';
  return undefined;
}

/** Calls in a stage that get time or chance from anywhere but what the stage was handed. */
function ambientCalls({ path, text }: Source): string[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const isAmbient =
      (ts.isPropertyAccessExpression(node) && /^(Date\.now|Math\.random|performance\.now)$/.test(node.getText())) ||
      (ts.isNewExpression(node) && node.expression.getText() === 'Date' && (node.arguments?.length ?? 0) === 0);
    if (isAmbient) found.push(`${node.getText()} in line ${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}`);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function opensWithDoc({ text }: Source): boolean {
  return /^(#!.*\n)?\/\*\*\s*(\*\s*)?[^\s*/]/.test(text);
}

function sourcesBelow(folder: string): Source[] {
  return readdirSync(join(packageRoot, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return ['node_modules', 'build', 'generated'].includes(entry.name) ? [] : sourcesBelow(path);
    return /\.ts$/.test(entry.name) && !/\.d\.ts$/.test(entry.name) ? [{ path, text: readFileSync(join(packageRoot, path), 'utf8') }] : [];
  });
}

const sources = ['agent', 'receiver', 'proto', 'native', 'test'].flatMap(sourcesBelow);

t.test('the sources are found', (t) => {
  for (const path of ['proto/change.ts', 'native/index.ts', 'test/tidy/imports.test.ts']) t.ok(sources.some((source) => source.path === path), path);
  t.end();
});

t.test('imports go along the arrows', (t) => {
  const faults = sources.flatMap((source) => importsOf(source).flatMap((imported) => {
    const fault = arrowFault(source.path, imported);
    return fault === undefined ? [] : [`${source.path} imports ${imported}: ${fault}`];
  }));
  t.strictSame(faults, []);
  t.end();
});

t.test('the programs open databases through the one file that keeps them', (t) => {
  const programs = sources.filter(({ path }) => !within(path, 'test') && path !== 'native/host/database.ts');
  t.strictSame(programs.filter(({ text }) => /from 'better-sqlite3'/.test(text)).map(({ path }) => path), []);
  t.end();
});

t.test('time and chance reach a stage only through what it is handed', (t) => {
  t.strictSame(sources.filter(({ path }) => stageOf(path) !== undefined).flatMap((source) => ambientCalls(source).map((call) => `${source.path}: ${call}`)), []);
  t.end();
});

t.test(`no source is longer than ${linesMax} lines`, (t) => {
  t.strictSame(sources.filter(({ text }) => text.split('\n').length - 1 > linesMax).map(({ path }) => path), []);
  t.end();
});

t.test('every source opens with what it is for', (t) => {
  t.strictSame(sources.filter((source) => !opensWithDoc(source)).map(({ path }) => path), []);
  t.end();
});

t.test('the rules notice what breaks them', (t) => {
  const rows: readonly [label: string, path: string, text: string, faults: number][] = [
    ['a type of another stage', 'agent/capture/a.ts', `import type { B } from '../journal/b.js';`, 1],
    ['a type inside a type', 'agent/capture/a.ts', `type B = import('../journal/b.js').B;`, 1],
    ['a re-export', 'agent/capture/a.ts', `export * from '../journal/b.js';`, 1],
    ['an import when needed', 'agent/capture/a.ts', `const b = await import('../journal/b.js');`, 1],
    ['an import over several lines', 'agent/capture/a.ts', `import {\n  type B,\n  c,\n} from '../journal/b.js';`, 1],
    ['the other side', 'agent/agent.ts', `import { b } from '../receiver/store/b.js';`, 1],
    ['proto that imports native', 'proto/journal/a.ts', `import { b } from '../../native/host/files.js';`, 1],
    ['native that imports proto', 'native/host/a.ts', `import { b } from '../../proto/errors.js';`, 1],
    ['generated code in a stage', 'receiver/ingest/a.ts', `import { b } from '../../proto/wire/generated/messages.js';`, 1],
    ['generated code in proto', 'proto/journal/a.ts', `import { b } from '../wire/generated/messages.js';`, 1],
    ['a stage that imports what joins it', 'receiver/store/a.ts', `import { b } from '../config.js';`, 1],
    ['a program that imports a test', 'agent/main.ts', `import { b } from '../test/a.js';`, 1],
    ['its own stage', 'agent/capture/a.ts', `import { b } from './portable/b.js';`, 0],
    ['proto and native from a stage', 'agent/capture/a.ts', `import { b } from '../../proto/change.js';\nimport { c } from '../../native/host/clock.js';`, 0],
    ['a stage where stages are joined', 'agent/agent.ts', `import { b } from './capture/b.js';`, 0],
    ['a comment', 'agent/capture/a.ts', `// import { b } from '../journal/b.js';`, 0],
    ['the one converter', 'proto/wire/convert.ts', `import { b } from './generated/messages.js';`, 0],
  ];
  for (const [label, path, text, faults] of rows) t.equal(importsOf({ path, text }).filter((imported) => arrowFault(path, imported) !== undefined).length, faults, label);
  const path = 'agent/capture/a.ts';
  for (const text of ['const a = Date.now();', 'const a = new Date();', 'const a = new Date;', 'const a = Math.random;', 'f(performance.now())']) t.equal(ambientCalls({ path, text }).length, 1, text);
  for (const text of ['const a = new Date(5);', '// Date.now()', `const a = 'Date.now()';`, 'clock.now()', 'Date.parse(a)']) t.equal(ambientCalls({ path, text }).length, 0, text);
  for (const text of ['/** Does. */\n', '#!/usr/bin/env node\n/** Does. */', '/**\n * Does.\n */']) t.ok(opensWithDoc({ path, text }), JSON.stringify(text));
  for (const text of ['import a;\n/** Does. */', '// Does.\n', '/** */', '']) t.notOk(opensWithDoc({ path, text }), JSON.stringify(text));
  t.end();
});
