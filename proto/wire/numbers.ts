/** 64-bit numbers between the wire (Long) and the domain (bigint, or number where it must be safe). */
import Long from 'long';
import { FormatError } from '../errors.js';

const u64Max = 2n ** 64n - 1n;
const i64Max = 2n ** 63n - 1n;

/** An unsigned 64-bit value for an encoder. */
export function toUnsigned(value: bigint): Long {
  if (value < 0n || value > u64Max) throw new RangeError(`${value} is no unsigned 64-bit value`);
  return Long.fromBits(Number(value & 0xffffffffn) | 0, Number(value >> 32n) | 0, true);
}

/** A signed 64-bit value for an encoder. */
export function toSigned(value: bigint): Long {
  if (value > i64Max || value < -i64Max - 1n) throw new RangeError(`${value} is no signed 64-bit value`);
  return Long.fromBits(Number(value & 0xffffffffn) | 0, Number((value >> 32n) & 0xffffffffn) | 0, false);
}

export function fromUnsigned(value: Long): bigint {
  return value.high === 0 ? BigInt(value.low >>> 0) : (BigInt(value.high >>> 0) << 32n) | BigInt(value.low >>> 0);
}

export function fromSigned(value: Long): bigint {
  return BigInt.asIntN(64, fromUnsigned(value));
}

/** A byte count or offset: must fit a number exactly, else FormatError. */
export function fromSize(value: Long, field: string): number {
  // 2^53 - 1 has 21 bits above the low word.
  if (value.high >>> 0 > 0x1fffff) throw new FormatError('read number', { field, value: fromUnsigned(value), fault: 'past 2^53 - 1 bytes' });
  return (value.high >>> 0) * 4294967296 + (value.low >>> 0);
}

/** Throws RangeError for what is no whole number from 0 to 2^53 - 1. */
export function checkSize(value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} is no byte count`);
}

export function toSize(value: number): Long {
  checkSize(value);
  return Long.fromNumber(value, true);
}
