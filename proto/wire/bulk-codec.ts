/**
 * Messages that are nearly all one field of bytes, put together in one piece of memory of their length: the
 * generated code takes several times as much, and what is taken outside the heap has to be collected.
 */
import { checkSize } from './numbers.js';
import { fieldLength, putField, putVarint, varintLength } from './write-codec.js';

/** Tags of service.proto: field number times eight, and the wire type. */
const inAgentMessage = { frame: (2 << 3) | 2 } as const;
const inFrameMessage = { frame: (1 << 3) | 2 } as const;
const inRestoreMessage = { piece: (3 << 3) | 2 } as const;
const inPiece = { index: 1 << 3, offset: 2 << 3, data: (3 << 3) | 2 } as const;

/** A field of bytes; empty ones are left out, as the generated code does. */
function bytesLength(bytes: Buffer): number {
  return bytes.byteLength === 0 ? 0 : 1 + varintLength(bytes.byteLength) + bytes.byteLength;
}

function putBytes(target: Buffer, at: number, fieldTag: number, bytes: Buffer): void {
  if (bytes.byteLength > 0) bytes.copy(target, putField(target, at, fieldTag, bytes.byteLength));
}

/** FrameMessage of service.proto. */
export function frameMessage(frame: Buffer): Buffer {
  const message = Buffer.allocUnsafe(bytesLength(frame));
  putBytes(message, 0, inFrameMessage.frame, frame);
  return message;
}

/** AgentMessage of service.proto with a frame. */
export function agentFrameMessage(frame: Buffer): Buffer {
  const length = bytesLength(frame);
  const message = Buffer.allocUnsafe(1 + varintLength(length) + length);
  message[0] = inAgentMessage.frame;
  putBytes(message, putVarint(message, 1, length), inFrameMessage.frame, frame);
  return message;
}

/** RestoreMessage of service.proto with a piece. Throws RangeError for numbers that are no sizes. */
export function restorePieceMessage({ index, offset, data }: { readonly index: number; readonly offset: number; readonly data: Buffer }): Buffer {
  checkSize(index);
  checkSize(offset);
  const length = fieldLength(index) + fieldLength(offset) + bytesLength(data);
  const message = Buffer.allocUnsafe(1 + varintLength(length) + length);
  message[0] = inRestoreMessage.piece;
  let at = putVarint(message, 1, length);
  at = putField(message, at, inPiece.index, index);
  at = putField(message, at, inPiece.offset, offset);
  putBytes(message, at, inPiece.data, data);
  return message;
}
