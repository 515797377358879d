/** Kills a process that keeps a replica on the real disk, again and again, and compares what is left. */
import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, chownSync, constants, existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { systemDirectories } from '../../../native/index.js';
import { asSequence } from '../../../proto/change.js';
import { faults, modelAt, seededRandom, seedOf } from './fixture.js';
import { journalOf } from './kill-history.js';
import { removeTree } from './remove-tree.js';

t.setTimeout(300_000);

const script = fileURLToPath(new URL('kill-child.js', import.meta.url));
const nobody = 65534;

class Child {
  readonly process: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  #errors = '';

  constructor(args: readonly string[], user: number | undefined) {
    this.process = spawn(process.execPath, [script, ...args], { stdio: ['pipe', 'pipe', 'pipe'], ...(user === undefined ? {} : { uid: user, gid: user }) });
    this.#lines = createInterface({ input: this.process.stdout! })[Symbol.asyncIterator]();
    this.process.stderr!.on('data', (text: Buffer) => (this.#errors += text.toString()));
    // A child that is gone takes no more orders.
    this.process.stdin!.on('error', () => {});
  }

  async line(): Promise<string[]> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error(`the child ended: ${this.#errors}`);
    return (value as string).split(' ');
  }

  say(text: string): void {
    this.process.stdin!.write(`${text}\n`);
  }

  async kill(): Promise<void> {
    const ended = new Promise((resolve) => this.process.once('exit', resolve));
    this.process.kill('SIGKILL');
    await ended;
  }
}

async function survivesKills(t: Test, { user, kills, count }: { readonly user: number | undefined; readonly kills: number; readonly count: number }): Promise<void> {
  const seed = seedOf(t);
  const random = seededRandom(seed);
  const asRoot = user === undefined && process.getuid?.() === 0;
  const journal = journalOf({ seed, count, asRoot });
  const root = mkdtempSync(join(tmpdir(), 'afterimage-replica-'));
  if (user !== undefined) chownSync(root, user, user);
  t.teardown(() => removeTree(root));
  const tree = join(root, '1', 'tree');
  const args = [root, String(seed), String(count)];
  const check = async (through: bigint, label: string): Promise<boolean> => {
    if (!existsSync(tree)) return t.equal(through, 0n, `${label}: nothing is there yet`);
    return t.same(await faults(systemDirectories, tree, modelAt(journal, asSequence(through)), { owners: asRoot }), [], `${label}: the tree is as of ${through}`);
  };
  for (let kill = 1; kill <= kills; kill += 1) {
    const child = new Child(args, user);
    const [, through, rebuilds, ...cause] = await child.line();
    t.equal(rebuilds, '0', 'it was repaired without a rebuild', { cause: cause.join(' ') });
    if (!(await check(BigInt(through!), `after ${kill - 1} kills`))) {
      await child.kill();
      return;
    }
    child.say('go');
    await new Promise((resolve) => setTimeout(resolve, random.fraction() * 150));
    await child.kill();
  }
  const last = new Child(args, user);
  await last.line();
  last.say('go');
  const [, through, rebuilds, ...notes] = await last.line();
  t.equal(through, String(journal.last), 'in the end all is applied');
  t.equal(rebuilds, '0', 'and nothing was ever rebuilt');
  await check(journal.last, 'in the end');
  t.match(notes.join(' '), user === undefined ? '[]' : /./);
  last.say('end');
  t.same(await last.line(), ['ended']);
}

t.test('a replica that is killed under load twenty times over is repaired each time', (t) => survivesKills(t, { user: undefined, kills: 20, count: 5000 }));

function nobodyMayRead(): boolean {
  if (process.getuid?.() !== 0) return false;
  try {
    accessSync(script, constants.R_OK);
    process.seteuid!(nobody);
    accessSync(script, constants.R_OK);
    return true;
  } catch {
    return false;
  } finally {
    process.seteuid!(0);
  }
}

t.test('the same as an ordinary user, whom the modes of the source keep out of its own tree', { skip: nobodyMayRead() ? false : 'needs root, to become somebody else who may read this package' }, (t) => survivesKills(t, { user: nobody, kills: 8, count: 2500 }));
