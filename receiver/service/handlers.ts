/** What each call does, once the gate has let it in. */
import type { ServerDuplexStream, ServerWritableStream } from '@grpc/grpc-js';
import type { Clock } from '../../native/host/clock.js';
import { PeerError } from '../../proto/errors.js';
import type { Identity } from '../../proto/identity.js';
import type { JournalId } from '../../proto/journal/frame.js';
import {
  decodeAgentMessage, decodeEnrolRequest, decodeReadFramesRequest, decodeRenewRequest, decodeRestoreRequest,
  type AgentMessage, type EnrolReply, type ReceiverMessage, type RestoreItem,
} from '../../proto/wire/messages.js';
import { arrivals, sendOn } from './call-streams.js';
import type { Caller, Gate } from './gate.js';
import type { Issued, Logger, ServiceParts } from './parts.js';
import { decodeRequest } from './status.js';

export interface HandlersOptions {
  readonly parts: ServiceParts;
  readonly gate: Gate;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly enrolmentsMax?: number;
  /** How often the certificate behind a long call is looked at again. */
  readonly recheckMs?: number;
}

export interface CallSignals {
  readonly gone: AbortSignal;
  readonly signal: AbortSignal;
}

const enrolmentsMaxDefault = 8;
const recheckMsDefault = 30_000;
const textLengthMax = 256;
const noJournal = Buffer.alloc(0);

export class Handlers {
  readonly #options: HandlersOptions;
  #enrolments = 0;

  constructor(options: HandlersOptions) {
    this.#options = options;
  }

  /** The only call that needs no certificate: the token in it is what entitles. */
  async enrol(caller: Caller, request: Buffer): Promise<EnrolReply> {
    const { parts, logger, enrolmentsMax = enrolmentsMaxDefault } = this.#options;
    // Signing costs, and anyone may ask for it.
    if (this.#enrolments >= enrolmentsMax) throw new PeerError('unavailable', 'the receiver is enrolling as many hosts as it takes at once; try again');
    this.#enrolments += 1;
    try {
      const { token, certificateRequestDer, platform, agentVersion } = decodeRequest(() => decodeEnrolRequest(request));
      const issued = await parts.enrol({ token, csrDer: certificateRequestDer });
      const { name, role, serial } = issued.identity;
      const journal = role === 'host' ? await parts.admit({ name, platform: short(platform), agentVersion: short(agentVersion) }) : noJournal;
      parts.noteIssued(issued);
      parts.audit({ identity: `${role} ${name}`, act: 'enrol', detail: { peer: caller.getPeer(), serial, platform: short(platform), journal: journal.toString('hex') } });
      logger.info({ peer: caller.getPeer(), role, name, serial }, 'enrolled');
      return replyOf(issued, journal);
    } finally {
      this.#enrolments -= 1;
    }
  }

  async renew(caller: Caller, request: Buffer): Promise<EnrolReply> {
    const { parts, gate } = this.#options;
    using admission = gate.admit(caller, ['host', 'operator']);
    const { identity } = admission;
    const csrDer = decodeRequest(() => decodeRenewRequest(request));
    const journal = identity.role === 'host' ? this.#journalOf(identity) : noJournal;
    const issued = await parts.renew(identity, csrDer);
    parts.noteIssued(issued);
    parts.audit({ identity: `${identity.role} ${identity.name}`, act: 'renew', detail: { peer: caller.getPeer(), before: identity.serial, serial: issued.identity.serial } });
    return replyOf(issued, journal);
  }

  /** `gone`: the peer is; `signal`: it is, or the call must end for another reason, of which the peer is told. */
  async stream(call: ServerDuplexStream<Buffer, ReceiverMessage>, { gone, signal }: CallSignals): Promise<void> {
    const { parts, gate } = this.#options;
    using admission = gate.admit(call, ['host']);
    const { name } = admission.identity;
    const journal = this.#journalOf(admission.identity);
    await this.#watched(call, signal, (watched) =>
      parts.stream({ host: name, journal, incoming: decoded(arrivals(call, gone)), send: (message) => sendOn(call, message, gone), signal: watched }));
  }

  async readFrames(call: ServerWritableStream<Buffer, Buffer>, { signal }: CallSignals): Promise<void> {
    const { parts, gate } = this.#options;
    using admission = gate.admit(call, ['host']);
    const after = decodeRequest(() => decodeReadFramesRequest(call.request));
    const journal = this.#journalOf(admission.identity);
    await this.#watched(call, signal, async (watched) => {
      for await (const { frame } of parts.frames({ journal, after, signal: watched })) await sendOn(call, frame.bytes, watched);
    });
  }

  async restore(call: ServerWritableStream<Buffer, RestoreItem>, { signal }: CallSignals): Promise<void> {
    const { parts, gate } = this.#options;
    using admission = gate.admit(call, ['host', 'operator']);
    const { identity } = admission;
    const asked = decodeRequest(() => decodeRestoreRequest(call.request));
    const host = asked.host === '' && identity.role === 'host' ? identity.name : asked.host;
    if (host === '') throw new PeerError('invalid', `say whose volume to restore: the ${identity.role} ${identity.name} has none of its own`);
    if (identity.role === 'host' && host !== identity.name) {
      throw new PeerError('forbidden', `the certificate is of host ${identity.name}, which may restore its own volumes only, not those of ${host.slice(0, textLengthMax)}; an operator may`);
    }
    const { volume, at, paths, planOnly } = asked;
    parts.audit({ identity: `${identity.role} ${identity.name}`, act: planOnly ? 'plan restore' : 'restore', detail: { peer: call.getPeer(), host, volume, at, paths } });
    await this.#watched(call, signal, async (watched) => {
      for await (const item of parts.restore({ ...asked, host }, identity, watched)) await sendOn(call, item, watched);
    });
  }

  #journalOf(identity: Identity): JournalId {
    const journal = this.#options.parts.journalOf(identity.name);
    if (journal === undefined) throw new PeerError('not-found', `the receiver knows no host ${identity.name}: enrol it again with afterimage-agent enroll`);
    return journal;
  }

  /** Runs a long call that ends when its certificate expires or is revoked meanwhile. */
  async #watched(caller: Caller, signal: AbortSignal, run: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { gate, clock, recheckMs = recheckMsDefault } = this.#options;
    const revoked = new AbortController();
    const stop = clock.every(recheckMs, () => {
      try {
        gate.identify(caller);
      } catch (error) {
        revoked.abort(error);
      }
    });
    try {
      await run(AbortSignal.any([signal, revoked.signal]));
    } catch (error) {
      throw revoked.signal.aborted ? revoked.signal.reason : error;
    } finally {
      stop();
    }
  }
}

async function* decoded(messages: AsyncIterable<Buffer>): AsyncGenerator<AgentMessage> {
  for await (const message of messages) yield decodeRequest(() => decodeAgentMessage(message));
}

function replyOf({ identity, certificatePem, caPem }: Issued, journal: JournalId): EnrolReply {
  return { host: identity.name, role: identity.role, journal, certificatePem, caPem };
}

/** A stranger's text, bounded, for listings. */
function short(text: string): string {
  return text.slice(0, textLengthMax);
}
