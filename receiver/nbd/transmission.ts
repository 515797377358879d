/**
 * Serves the requests of one connection, one after the other. What a request holds in memory does not grow with its
 * length, and the next one is not taken before the client has made room for the reply.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../../native/host/clock.js';
import type { ByteRange } from '../../proto/change.js';
import { errorCode } from '../../proto/errors.js';
import type { ByteChannel } from './byte-channel.js';
import type { Agreement } from './handshake.js';
import type { AllocationPart, BlockTarget, Logger, NbdExport } from './parts.js';
import { readChunks, type ReadChunk } from './read-chunks.js';
import { refusalOf, requestBytesMax, type Refusal, type RequestRules } from './request-rules.js';
import {
  allocationState,
  command,
  commandFlag,
  decodeRequest,
  encodeBlockStatus,
  encodeDataHead,
  encodeDone,
  encodeErrorChunk,
  encodeHole,
  encodeSimpleReply,
  errorNumber,
  requestHeaderBytes,
  type Request,
  type StatusExtent,
} from './transmission-codec.js';

/** Bytes of a write that are taken from the client at once. */
const writeBytesMax = 256 * 1024;
const statusExtentsMax = 1024;
/** Parts looked at for one `block status`: many of them may be one extent. */
const statusPartsMax = 65_536;
/** How long one connection goes on without letting others have their turn. */
const turnMs = 5;
const zeroes = Buffer.alloc(256 * 1024);

/** What a connection says when it ends through the client's fault. */
export class ProtocolViolation extends Error {
  override readonly name = 'ProtocolViolation';
}

export class Transmission {
  readonly #channel: ByteChannel;
  readonly #exported: NbdExport;
  readonly #agreement: Agreement;
  readonly #rules: RequestRules;
  readonly #logger: Logger;
  readonly #closing: AbortSignal;
  readonly #signal: AbortSignal;
  readonly #clock: Clock;
  #turnBeganMs: number;

  /** `closing`: the server ends; what is not answered yet is answered with that. */
  constructor(parts: { readonly channel: ByteChannel; readonly exported: NbdExport; readonly agreement: Agreement; readonly logger: Logger; readonly clock: Clock; readonly closing: AbortSignal }) {
    const { device, target } = parts.exported;
    this.#channel = parts.channel;
    this.#exported = parts.exported;
    this.#agreement = parts.agreement;
    this.#rules = { sizeBytes: device.sizeBytes, isWritable: target !== undefined, allocation: parts.agreement.allocation };
    this.#logger = parts.logger;
    this.#clock = parts.clock;
    this.#turnBeganMs = parts.clock.monotonicMs();
    this.#closing = parts.closing;
    this.#signal = AbortSignal.any([parts.channel.gone, parts.closing]);
  }

  /** Returns when the client disconnects. Throws ProtocolViolation where it cannot be understood, and what the channel throws when it is gone. */
  async run(): Promise<void> {
    for (;;) {
      const bytes = await this.#channel.take(requestHeaderBytes);
      if (bytes === undefined) return;
      const request = decodeRequest(bytes);
      if (request === undefined) throw new ProtocolViolation('what should be a request is none');
      if (request.command === command.disconnect) return;
      await this.#serve(request);
      await this.#giveWay();
    }
  }

  async #serve(request: Request): Promise<void> {
    const refusal = refusalOf(request, this.#rules);
    if (request.command === command.write) return this.#write(request, refusal);
    if (refusal !== undefined) return this.#refuse(request, refusal);
    const range = { offset: Number(request.offset), length: request.length };
    if (request.command === command.read) return this.#agreement.structured ? this.#readStructured(request, range) : this.#readSimple(request, range);
    try {
      if (request.command === command.blockStatus) {
        const extents = await this.#status(range, (request.flags & commandFlag.oneExtent) !== 0 ? 1 : statusExtentsMax);
        return await this.#channel.send(encodeBlockStatus({ cookie: request.cookie, extents }));
      }
      if (request.command === command.writeZeroes && (request.flags & commandFlag.noHole) !== 0) await this.#fill(range);
      // All that is written is in its place when it is answered, and it lasts as long as the device: a flush has nothing to do.
      else if (request.command !== command.flush) await this.#target.punch(range);
    } catch (error) {
      return this.#refuse(request, this.#failure(request, error));
    }
    await this.#channel.send(encodeSimpleReply({ cookie: request.cookie, error: errorNumber.none }));
  }

  get #target(): BlockTarget {
    const { target } = this.#exported;
    if (target === undefined) throw new Error('the rules let a write pass to a read-only export');
    return target;
  }

  async #readStructured(request: Request, range: ByteRange): Promise<void> {
    const { cookie } = request;
    try {
      for await (const { offset, length, data } of this.#chunks(range)) {
        if (data === undefined) await this.#channel.send(encodeHole({ cookie, offset, length }));
        else await this.#channel.send(encodeDataHead({ cookie, offset, length }), data);
      }
    } catch (error) {
      return this.#refuse(request, this.#failure(request, error));
    }
    await this.#channel.send(encodeDone(cookie));
  }

  /** Success is said before the bytes: where reading fails later, the protocol leaves only to cut the connection. */
  async #readSimple(request: Request, range: ByteRange): Promise<void> {
    let head: Buffer | undefined = encodeSimpleReply({ cookie: request.cookie, error: errorNumber.none });
    try {
      for await (const { length, data } of this.#chunks(range)) {
        const first: Buffer[] = head === undefined ? [] : [head];
        head = undefined;
        if (data !== undefined) await this.#channel.send(...first, data);
        else for (let done = 0; done < length; done += zeroes.byteLength) await this.#channel.send(...(done === 0 ? first : []), zeroes.subarray(0, length - done));
      }
    } catch (error) {
      const failure = this.#failure(request, error);
      if (head !== undefined) return this.#refuse(request, failure);
      throw new Error('a reply that had begun could not be completed', { cause: error });
    }
    if (head !== undefined) await this.#channel.send(head);
  }

  async *#chunks(range: ByteRange): AsyncGenerator<ReadChunk, void, undefined> {
    if (range.length === 0) return;
    for await (const chunk of readChunks(this.#exported.device.read(range, this.#signal), range)) {
      this.#signal.throwIfAborted();
      yield chunk;
      await this.#giveWay();
    }
  }

  /** What comes out of memory into a socket with room waits for nothing: without this a greedy client would keep all others waiting. */
  async #giveWay(): Promise<void> {
    if (this.#clock.monotonicMs() - this.#turnBeganMs < turnMs) return;
    await nextTurn();
    this.#turnBeganMs = this.#clock.monotonicMs();
  }

  /** The content is taken in parts, so that it is never held as a whole; one that is refused is passed over. */
  async #write(request: Request, refusal: Refusal | undefined): Promise<void> {
    if (request.length > requestBytesMax) throw new ProtocolViolation(`a write of ${request.length} bytes was sent, ${requestBytesMax} are allowed`);
    let failed = refusal;
    for (let done = 0; done < request.length; ) {
      const data = await this.#channel.take(Math.min(writeBytesMax, request.length - done));
      if (data === undefined) throw new ProtocolViolation('the input ends within a write');
      try {
        if (failed === undefined) await this.#target.write(Number(request.offset) + done, data);
      } catch (error) {
        failed = this.#failure(request, error);
      }
      done += data.byteLength;
    }
    if (failed !== undefined) return this.#refuse(request, failed);
    await this.#channel.send(encodeSimpleReply({ cookie: request.cookie, error: errorNumber.none }));
  }

  async #fill({ offset, length }: ByteRange): Promise<void> {
    for (let done = 0; done < length; done += zeroes.byteLength) {
      this.#signal.throwIfAborted();
      await this.#target.write(offset + done, zeroes.subarray(0, length - done));
    }
  }

  /** States from the start of the range on, as many as are wanted; fewer than the range has are allowed. */
  async #status(range: ByteRange, extentsMax: number): Promise<StatusExtent[]> {
    const extents: { length: number; readonly state: number }[] = [];
    let looked = 0;
    for await (const part of this.#exported.device.allocation(range, this.#signal)) {
      const state = stateOf(part);
      const last = extents[extents.length - 1];
      if (last?.state === state) last.length += part.length;
      else if (extents.length === extentsMax) break;
      else extents.push({ length: part.length, state });
      looked += 1;
      if (looked >= statusPartsMax) break;
    }
    return extents;
  }

  #refuse({ command: asked, cookie }: Request, { error, text }: Refusal): Promise<void> {
    const inChunks = this.#agreement.structured && (asked === command.read || asked === command.blockStatus);
    return this.#channel.send(inChunks ? encodeErrorChunk({ cookie, error, text }) : encodeSimpleReply({ cookie, error }));
  }

  #failure(request: Request, error: unknown): Refusal {
    // Nobody can be told: the connection ends here.
    this.#channel.gone.throwIfAborted();
    if (this.#closing.aborted) return { error: errorNumber.ESHUTDOWN, text: 'the server ends' };
    const isFull = ['ENOSPC', 'EDQUOT', 'EFBIG'].includes(errorCode(error) ?? '');
    this.#logger.error({ command: request.command, offset: request.offset.toString(), length: request.length, err: error }, 'a request failed');
    return { error: isFull ? errorNumber.ENOSPC : errorNumber.EIO, text: (error as Error).message };
  }
}

function stateOf({ state }: AllocationPart): number {
  return state === 'data' ? allocationState.data : state === 'zero' ? allocationState.zero : allocationState.hole | allocationState.zero;
}
