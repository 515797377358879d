/** The weather of one simulated world: which faults it has, and how often; drawn from its seed. */
import type { Chance } from './chance.js';
import type { NetworkFaults } from './network.js';
import type { DiskFaults } from './sim-disk.js';

/** Every fault that the suite is meant to try. Over all seeds each of them must have happened. */
export const plannedFaults = [
  'agent: kill', 'agent: power', 'agent: restart', 'agent: new disk', 'agent: clock step',
  'agent: disk full', 'agent: full burst', 'agent: sync fails', 'agent: write fails', 'agent: disk stall',
  'receiver: kill', 'receiver: power', 'receiver: restart', 'receiver: clock step',
  'receiver: disk full', 'receiver: full burst', 'receiver: sync fails', 'receiver: write fails', 'receiver: disk stall',
  'replica: operation fails', 'replica: tree full',
  'connection breaks', 'connection refused', 'message dropped', 'message duplicated', 'message truncated', 'bit flipped', 'half-open connection', 'unreachable', 'both: power',
] as const;
export type PlannedFault = (typeof plannedFaults)[number];

/** What somebody or something does to the world from time to time. */
export type Disturbance = 'agent kill' | 'agent power' | 'agent restart' | 'agent new disk' | 'agent clock' | 'receiver kill' | 'receiver power' | 'receiver restart' | 'receiver clock' | 'both power' | 'unreachable' | 'reset';

export interface Weather {
  readonly agentDisk: DiskFaults;
  readonly receiverDisk: DiskFaults;
  readonly network: NetworkFaults;
  /** By operation on the replica's tree. */
  readonly treeFails: number;
  readonly treeFull: number;
  readonly disturbances: Partial<Record<Disturbance, number>>;
  readonly disturbEveryMs: number;
  readonly agentCapacityBytes: number;
  readonly receiverCapacityBytes: number;
}

const roomy = 1024 ** 3;

/** Each world has some of the faults only: all at once would hide what one of them alone can do. */
export function drawWeather(chance: Chance): Weather {
  const rare = (probability: number, times = 2): number => (chance.oneIn(times) ? probability * (0.3 + chance.fraction()) : 0);
  const disk = (): DiskFaults => ({ fullBurst: rare(0.01, 3), syncFails: chance.oneIn(10) ? 0.12 : rare(0.02, 3), writeFails: rare(0.01, 3), stall: rare(0.004, 3) });
  const often = chance.pick([0.3, 1, 3]);
  const disturbances: Weather['disturbances'] = {};
  const weights: Record<Disturbance, number> = {
    'agent kill': 4, 'agent power': 4, 'agent restart': 2, 'agent new disk': 0.5, 'agent clock': 1,
    'receiver kill': 4, 'receiver power': 4, 'receiver restart': 2, 'receiver clock': 1, 'both power': 1, unreachable: 2, reset: 2,
  };
  for (const [kind, weight] of Object.entries(weights) as [Disturbance, number][]) if (chance.oneIn(2)) disturbances[kind] = weight;
  return {
    agentDisk: disk(),
    receiverDisk: disk(),
    network: {
      break: rare(0.01 * often), drop: rare(0.006 * often, 3), duplicate: rare(0.01 * often, 3), truncate: rare(0.006 * often, 3), flip: rare(0.012 * often, 3),
      halfOpen: rare(0.003 * often, 3), refuse: rare(0.2, 2),
    },
    treeFails: rare(0.004, 3),
    treeFull: rare(0.005, 4),
    disturbances,
    disturbEveryMs: chance.pick([300, 1000, 4000]),
    agentCapacityBytes: chance.oneIn(4) ? chance.between(12, 200) * 1024 : roomy,
    receiverCapacityBytes: chance.oneIn(4) ? chance.between(12, 200) * 1024 : roomy,
  };
}
