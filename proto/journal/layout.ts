/** Byte positions of frame and segment headers; FORMAT.md shows them as tables, and tests hold the two together. */

export const formatVersion = 1;

/** Raw payload bytes at which a frame closes; one change that is larger still goes into one frame. */
export const frameRawBytesTarget = 1024 * 1024;
/** Raw payload bytes of a frame at most: what a reader must be ready to hold. */
export const frameRawBytesMax = 2 * 1024 * 1024;
/** Stored bytes of a frame at most, header included. */
export const frameBytesMax = frameRawBytesMax + 512;
/** Changes in one frame at most. */
export const frameChangesMax = 65536;
/** Size at which a segment is sealed and the next one begun. */
export const segmentSizeBytesMax = 64 * 1024 * 1024;

export const journalIdBytes = 16;
export const digestBytes = 32;

/** "AIFR" */
export const frameMagic = 0x52464941;
export const frame = {
  magic: 0,
  version: 4,
  headerLength: 6,
  journal: 8,
  firstSequence: 24,
  lastSequence: 32,
  firstTime: 40,
  lastTime: 48,
  codec: 56,
  reserved: 57,
  rawLength: 60,
  storedLength: 64,
  reserved2: 68,
  payloadHash: 72,
  previousDigest: 80,
  headerHash: 112,
  length: 120,
} as const;

/** "AISG" */
export const segmentMagic = 0x47534941;
export const segmentHead = {
  magic: 0,
  version: 4,
  headerLength: 6,
  journal: 8,
  firstSequence: 24,
  previousDigest: 32,
  headerHash: 64,
  length: 72,
} as const;

/** "AISE" */
export const segmentTailMagic = 0x45534941;
export const segmentTail = {
  magic: 0,
  version: 4,
  tailLength: 6,
  journal: 8,
  firstSequence: 24,
  lastSequence: 32,
  lastTime: 40,
  framesBytes: 48,
  frameCount: 56,
  reserved: 60,
  lastDigest: 64,
  tailHash: 96,
  length: 104,
} as const;
