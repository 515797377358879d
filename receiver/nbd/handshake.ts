/** Agrees with a client on how it will use the export: the options of NBD's fixed newstyle handshake. */
import type { ByteChannel } from './byte-channel.js';
import {
  allocationContext,
  clientFlagsBytes,
  decodeContextRequest,
  decodeExportRequest,
  decodeOptionHeader,
  encodeBlockSizes,
  encodeContext,
  encodeExportFacts,
  encodeExportInformation,
  encodeGreeting,
  encodeListed,
  encodeOptionReply,
  encodeTextInformation,
  handshakeFlag,
  information,
  nameBytesMax,
  option,
  optionHeaderBytes,
  optionReply,
  transmissionFlag,
  type ExportFacts,
} from './handshake-codec.js';
import type { NbdExport } from './parts.js';
import { requestBytesMax } from './request-rules.js';
import { allocationContextId } from './transmission-codec.js';

/** Data of one option that is looked at. */
const optionBytesMax = 64 * 1024;
/** Data of one option that is passed over to refuse it politely; a client that announces more is cut off. */
const skippedBytesMax = 32 * 1024 * 1024;
const preferredBytes = 4096;

/** What a client asked for before it went over to transmission. */
export interface Agreement {
  readonly structured: boolean;
  /** Whether it may ask which ranges are holes. */
  readonly allocation: boolean;
}

type Reply = { readonly type: number; readonly data?: Buffer };

export function factsOf({ device, target }: NbdExport): ExportFacts {
  const { hasFlags, readOnly, sendFlush, sendForceUnitAccess, sendTrim, sendWriteZeroes, canMultiConnect } = transmissionFlag;
  const able = target === undefined ? readOnly | sendFlush : sendFlush | sendForceUnitAccess | sendTrim | sendWriteZeroes;
  // All connections lead to the same device in the same process, so any of them sees what another one wrote.
  return { sizeBytes: device.sizeBytes, flags: hasFlags | canMultiConnect | able };
}

/** Undefined when the connection is to be closed without transmission. `onStep` is called after each option. */
export async function negotiate(channel: ByteChannel, exported: NbdExport, onStep: () => void): Promise<Agreement | undefined> {
  await channel.send(encodeGreeting());
  const clientFlags = (await channel.take(clientFlagsBytes))?.readUInt32BE();
  if (clientFlags === undefined || (clientFlags & ~(handshakeFlag.fixedNewstyle | handshakeFlag.noZeroes)) !== 0) return undefined;
  const haggling = new Haggling(exported);
  for (;;) {
    onStep();
    const header = await channel.take(optionHeaderBytes);
    const asked = header === undefined ? undefined : decodeOptionHeader(header);
    if (asked === undefined) return undefined;
    if (asked.option === option.exportName) {
      const name = asked.length > nameBytesMax ? undefined : await channel.take(asked.length);
      // There is no way to refuse this option but to close.
      if (name === undefined || !haggling.isExport(name.toString())) return undefined;
      await channel.send(encodeExportFacts(factsOf(exported), { zeroes: (clientFlags & handshakeFlag.noZeroes) === 0 }));
      return haggling.agreement;
    }
    // A client of the older form knows no replies to options.
    if ((clientFlags & handshakeFlag.fixedNewstyle) === 0) return undefined;
    if (asked.length > optionBytesMax) {
      if (asked.length > skippedBytesMax || !(await channel.skip(asked.length))) return undefined;
      await channel.send(encodeOptionReply({ option: asked.option, type: optionReply.tooBig, data: Buffer.from(`at most ${optionBytesMax} bytes`) }));
      continue;
    }
    const data = await channel.take(asked.length);
    if (data === undefined) return undefined;
    const replies = haggling.answer(asked.option, data);
    await channel.send(...replies.map((reply) => encodeOptionReply({ option: asked.option, ...reply })));
    if (asked.option === option.abort) return undefined;
    if (asked.option === option.go && replies.at(-1)!.type === optionReply.acknowledged) return haggling.agreement;
  }
}

/** What was agreed so far, and the replies to the next option. */
class Haggling {
  readonly #exported: NbdExport;
  #structured = false;
  #allocation = false;

  constructor(exported: NbdExport) {
    this.#exported = exported;
  }

  get agreement(): Agreement {
    return { structured: this.#structured, allocation: this.#allocation };
  }

  /** The one export there is also goes by no name. */
  isExport(name: string): boolean {
    return name === '' || name === this.#exported.name;
  }

  answer(asked: number, data: Buffer): readonly Reply[] {
    switch (asked) {
      case option.abort:
        return [acknowledged];
      case option.list:
        return data.byteLength > 0 ? [refusal(optionReply.invalid, 'this option takes no data')] : [{ type: optionReply.server, data: encodeListed(this.#exported.name) }, acknowledged];
      case option.structuredReply:
        if (data.byteLength > 0) return [refusal(optionReply.invalid, 'this option takes no data')];
        this.#structured = true;
        return [acknowledged];
      case option.info:
      case option.go:
        return this.#describe(data);
      case option.listMetaContext:
      case option.setMetaContext:
        return this.#contexts(asked, data);
      default:
        return [refusal(optionReply.unsupported, `option ${asked} is not supported`)];
    }
  }

  #describe(data: Buffer): readonly Reply[] {
    const request = decodeExportRequest(data);
    if (request === undefined) return [refusal(optionReply.invalid, 'malformed request')];
    if (!this.isExport(request.name)) return [refusal(optionReply.unknownExport, 'there is no such export')];
    const known = new Map([
      [information.name, () => encodeTextInformation(information.name, this.#exported.name)],
      [information.description, () => encodeTextInformation(information.description, this.#exported.description)],
      [information.blockSize, () => encodeBlockSizes({ leastBytes: 1, preferredBytes, mostBytes: requestBytesMax })],
    ] as [number, () => Buffer][]);
    const told = [...new Set(request.wanted)].flatMap((kind) => known.get(kind)?.() ?? []);
    return [encodeExportInformation(factsOf(this.#exported)), ...told].map((each): Reply => ({ type: optionReply.info, data: each })).concat(acknowledged);
  }

  #contexts(asked: number, data: Buffer): readonly Reply[] {
    const isSelection = asked === option.setMetaContext;
    // A selection replaces the one before, also when it fails.
    if (isSelection) this.#allocation = false;
    const request = decodeContextRequest(data);
    if (request === undefined || !this.#structured) return [refusal(optionReply.invalid, request === undefined ? 'malformed request' : 'structured replies have to be agreed on first')];
    if (!this.isExport(request.name)) return [refusal(optionReply.unknownExport, 'there is no such export')];
    const asksForAll = !isSelection && (request.queries.length === 0 || request.queries.includes('base:'));
    if (!asksForAll && !request.queries.includes(allocationContext)) return [acknowledged];
    if (isSelection) this.#allocation = true;
    return [{ type: optionReply.metaContext, data: encodeContext({ id: isSelection ? allocationContextId : 0, name: allocationContext }) }, acknowledged];
  }
}

const acknowledged: Reply = { type: optionReply.acknowledged };

function refusal(type: number, text: string): Reply {
  return { type, data: Buffer.from(text) };
}
