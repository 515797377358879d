/** The randomness a stage is handed: the system's here, a seeded generator in simulation. */
import { randomBytes, randomInt } from 'node:crypto';

export interface Random {
  /** Unpredictable (or, in simulation, seeded) bytes. */
  bytes(length: number): Uint8Array;
  /** A number in [0, 1). */
  fraction(): number;
}

export const systemRandom: Random = {
  bytes: (length) => randomBytes(length),
  fraction: () => randomInt(2 ** 47) / 2 ** 47,
};
