/** How much a replica holds, does at a time, and waits. */
export interface ReplicaLimits {
  /** Sequences that an intent reaches ahead, so that intents are rare. */
  readonly intentAhead: number;
  /** A checkpoint is due after so many bytes of changes … */
  readonly checkpointBytes: number;
  /** … or so long after the first change since the last. */
  readonly checkpointMs: number;
  /** Metadata is set, and what was applied is reported, at least after so many bytes of changes. */
  readonly settleBytes: number;
  readonly settleMs: number;
  readonly directoriesMax: number;
  readonly filesMax: number;
  readonly cacheNodesMax: number;
  /** Between attempts while the disk is full. */
  readonly fullRetryMs: number;
  /** Between attempts after another failure; doubles up to the longest. */
  readonly retryMs: number;
  readonly retryLongestMs: number;
  /** How often it is looked whether a checkpoint is due. */
  readonly tickMs: number;
  /** How often, while changes keep coming, it is noted up to where the journal was read. */
  readonly quietMs: number;
}

export const defaultLimits: ReplicaLimits = {
  intentAhead: 65536,
  checkpointBytes: 256 * 1024 * 1024,
  checkpointMs: 10_000,
  settleBytes: 32 * 1024 * 1024,
  settleMs: 250,
  directoriesMax: 64,
  filesMax: 64,
  cacheNodesMax: 65536,
  fullRetryMs: 3000,
  retryMs: 2000,
  retryLongestMs: 60_000,
  tickMs: 1000,
  quietMs: 15_000,
};
