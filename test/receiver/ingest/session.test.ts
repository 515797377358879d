/** The conversation of one stream: greeting, refusals, displacement, silence, and what the agent is told. */
import t from 'tap';
import { asSequence, noSequence } from '../../../proto/change.js';
import type { AgentMessage, Hello, ReceiverMessage } from '../../../proto/wire/messages.js';
import { Ingest, type IngestOptions } from '../../../receiver/ingest/ingest.js';
import { bench, failure, FrameMaker, journalId, stored, type Bench } from './fixture.js';

const hello: Hello = { kind: 'hello', protocolVersion: 1, journal: journalId, agentVersion: '1.2.3', platform: 'linux', heldFrom: 0n, capturedThrough: noSequence };

/** An agent's end of a stream. */
class Agent {
  readonly told: ReceiverMessage[] = [];
  readonly #out: AgentMessage[] = [];
  #wake: () => void = () => undefined;
  #toldNow: () => void = () => undefined;
  #ended = false;
  readonly abort = new AbortController();
  readonly served: Promise<unknown>;

  constructor(ingest: Ingest, send?: (message: ReceiverMessage) => Promise<void>) {
    const incoming = this.#incoming();
    this.served = ingest.serve({
      host: 'web-1', journal: journalId, incoming, signal: this.abort.signal,
      send: send ?? (async (message) => {
        this.told.push(message);
        this.#toldNow();
      }),
    }).catch((error: unknown) => error);
  }

  say(message: AgentMessage): this {
    this.#out.push(message);
    this.#wake();
    return this;
  }
  end(): void {
    this.#ended = true;
    this.#wake();
  }
  async hears(holds: (message: ReceiverMessage) => boolean): Promise<ReceiverMessage> {
    for (;;) {
      const found = this.told.find(holds);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        this.#toldNow = resolve;
      });
    }
  }

  async *#incoming(): AsyncGenerator<AgentMessage> {
    for (;;) {
      const next = this.#out.shift();
      if (next !== undefined) yield next;
      else if (this.#ended) return;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}

function ingestOf(made: Bench, more: Partial<IngestOptions> = {}): Ingest {
  const { durableFloor, knownVolumes, journal, ...rest } = made.options;
  return new Ingest({ ...rest, durableFloor: () => durableFloor, knownVolumes: () => knownVolumes(), ...more });
}

t.test('an agent is welcomed with where to go on, and told what is durable', async (t) => {
  const made = bench(t);
  await using ingest = ingestOf(made);
  const agent = new Agent(ingest).say(hello);
  t.match(await agent.hears(({ kind }) => kind === 'welcome'), { protocolVersion: 1, durableThrough: 0n, appliedThrough: 0n, windowBytes: 16 * 1024 * 1024, lastVolume: 0, liveVolumes: [] });
  const maker = new FrameMaker();
  for (let n = 0; n < 5; n += 1) agent.say({ kind: 'frame', frame: maker.write() });
  await agent.hears((message) => message.kind === 'durable' && message.through === 5n);
  const report = { kind: 'report', capturedThrough: asSequence(9n), capturedTimeNs: 1n, oldestUndurableNs: 0n, undurableBytes: 0, spoolBytes: 0, sentNs: 2n, volumes: [] } as const;
  agent.say(report).end();
  t.equal(await agent.served, undefined);
  t.same(made.watcher.reports, [report]);
  t.same(made.watcher.events, ['connected', 'disconnected']);
  const again = new Agent(ingest).say(hello);
  t.match(await again.hears(({ kind }) => kind === 'welcome'), { durableThrough: 5n, digest: maker.end.digest, lastTimeNs: maker.end.lastTimeNs });
});

t.test('a stream that begins or goes on wrongly is refused with a reason', async (t) => {
  const made = bench(t);
  await using ingest = ingestOf(made);
  const maker = new FrameMaker();
  const frame = maker.write();
  const cases: readonly { readonly says: readonly AgentMessage[]; readonly code: string; readonly message: RegExp }[] = [
    { says: [{ kind: 'frame', frame }], code: 'invalid', message: /must be a hello, not a frame/ },
    { says: [{ ...hello, protocolVersion: 2 }], code: 'invalid', message: /the agent speaks protocol version 2 and this receiver version 1/ },
    { says: [{ ...hello, journal: Buffer.alloc(16, 9) }], code: 'forbidden', message: /belongs to host web-1, whose journal is 00112233445566778899aabbccddeeff, not 0909/ },
    { says: [hello, hello], code: 'invalid', message: /second hello/ },
    { says: [hello, { kind: 'frame', frame: Buffer.from('nonsense') }], code: 'invalid', message: /nothing of it stored/ },
    { says: [hello, { kind: 'frame', frame: maker.write() }], code: 'out-of-order', message: /starts at sequence 2, expected 1/ },
  ];
  for (const { says, code, message } of cases) {
    const agent = new Agent(ingest);
    for (const one of says) agent.say(one);
    t.match(await agent.served, { name: 'PeerError', code, message }, String(message));
    t.match(agent.told.at(-1), { kind: 'refused', code, message }, 'and the agent is told');
  }
  t.notOk((await stored(made.store)).length > 72, 'nothing is stored');
  const good = new Agent(ingest).say(hello).say({ kind: 'frame', frame });
  await good.hears((one) => one.kind === 'durable' && one.through === 1n);
});

t.test('a new stream of a host displaces the one before, which may be half open', async (t) => {
  const made = bench(t);
  await using ingest = ingestOf(made);
  const first = new Agent(ingest).say(hello);
  await first.hears(({ kind }) => kind === 'welcome');
  const second = new Agent(ingest).say(hello);
  await second.hears(({ kind }) => kind === 'welcome');
  t.match(await first.served, { code: 'unavailable', message: 'another connection of host web-1 took over' });
  t.match(first.told.at(-1), { kind: 'refused', code: 'unavailable' });
  const maker = new FrameMaker();
  second.say({ kind: 'frame', frame: maker.write() });
  await second.hears((message) => message.kind === 'durable');
  second.end();
  await second.served;
  t.equal(made.watcher.events.at(-1), 'disconnected');
  t.equal(made.watcher.events.filter((event) => event === 'connected').length, 2);
});

t.test('a stream that falls silent is ended', async (t) => {
  const made = bench(t);
  await using ingest = ingestOf(made, { idleMs: 40 });
  const agent = new Agent(ingest).say(hello);
  t.match(await agent.served, { code: 'unavailable', message: /nothing was heard for 0.04 s/ });
});

t.test('an agent that does not read holds up neither ingest nor the end of its stream', async (t) => {
  const made = bench(t);
  const ingest = ingestOf(made);
  let sent = 0;
  const agent = new Agent(ingest, () => (sent++ === 0 ? Promise.resolve() : new Promise(() => undefined))).say(hello);
  const maker = new FrameMaker();
  for (let n = 0; n < 100; n += 1) agent.say({ kind: 'frame', frame: maker.write() });
  while ((await ingest.durableThrough(journalId)) !== 100n) await new Promise((resolve) => setTimeout(resolve, 5));
  t.ok(sent <= 3, 'what could not be sent yet is told once, as it stands then');
  await ingest[Symbol.asyncDispose]();
  t.match(await agent.served, { code: 'unavailable', message: /shutting down/ });
});

t.test('the agent hears of a full disk, of its end, and of a journal that had to be opened again', async (t) => {
  const made = bench(t);
  await using ingest = ingestOf(made);
  const agent = new Agent(ingest).say(hello);
  const maker = new FrameMaker();
  const frames = [maker.write(), maker.write(), maker.write()];
  agent.say({ kind: 'frame', frame: frames[0]! });
  await agent.hears((message) => message.kind === 'durable');
  made.files.onWrite = () => {
    throw failure('ENOSPC');
  };
  agent.say({ kind: 'frame', frame: frames[1]! });
  t.match(await agent.hears((message) => message.kind === 'state'), { state: 'disk-full', message: /the receiver's disk is full/ });
  made.files.onWrite = () => undefined;
  await agent.hears((message) => message.kind === 'state' && message.state === 'ok');
  await agent.hears((message) => message.kind === 'durable' && message.through === 2n);
  made.files.onDatasync = async () => {
    made.files.onDatasync = async () => undefined;
    throw failure('EIO');
  };
  agent.say({ kind: 'frame', frame: frames[2]! });
  t.match(await agent.served, { code: 'unavailable', message: /could not write the journal/ });
  t.notOk(agent.told.some((message) => message.kind === 'durable' && message.through === 3n), 'what was not synced was not acknowledged');
  for (let told: ReceiverMessage | undefined; told?.kind !== 'welcome';) {
    const again = new Agent(ingest).say(hello);
    told = await again.hears(({ kind }) => kind === 'welcome' || kind === 'refused');
    if (told.kind !== 'welcome') {
      await new Promise((resolve) => setTimeout(resolve, 5));
      continue;
    }
    t.equal(told.durableThrough, 2n);
    again.say({ kind: 'frame', frame: frames[2]! });
    await again.hears((message) => message.kind === 'durable' && message.through === 3n);
  }
});

t.test('what the replica applied is passed on', async (t) => {
  const made = bench(t);
  let tell: (through: typeof noSequence) => void = () => undefined;
  let unsubscribed = false;
  await using ingest = ingestOf(made, {
    applied: {
      through: () => asSequence(7n),
      subscribe: (_, applied) => {
        tell = applied;
        return () => {
          unsubscribed = true;
        };
      },
    },
  });
  const agent = new Agent(ingest).say(hello);
  t.match(await agent.hears(({ kind }) => kind === 'welcome'), { appliedThrough: 7n });
  tell(asSequence(8n));
  t.match(await agent.hears(({ kind }) => kind === 'applied'), { through: 8n });
  agent.end();
  await agent.served;
  t.ok(unsubscribed);
});

t.test('a journal that cannot be opened refuses its host, and is tried again', async (t) => {
  const made = bench(t);
  let floor = asSequence(5n);
  await using ingest = ingestOf(made, { durableFloor: () => floor });
  const agent = new Agent(ingest).say(hello);
  t.match(await agent.served, { code: 'unavailable', message: /cannot open the journal of host web-1: .*5 was durable/ });
  t.match(made.log.text(), /a journal cannot be opened/);
  floor = noSequence;
  await new Agent(ingest).say(hello).hears(({ kind }) => kind === 'welcome');
});
