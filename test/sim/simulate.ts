/** Runs the world of one seed and says, when it failed, all that it takes to see it again. */
import { World, type Outcome } from './world.js';

export interface Simulated {
  readonly outcome: Outcome | undefined;
  readonly failure: string | undefined;
  readonly fired: ReadonlyMap<string, number>;
}

export async function simulate(seed: number): Promise<Simulated> {
  const world = new World(seed);
  try {
    const outcome = await world.run();
    return { outcome, failure: undefined, fired: outcome.fired };
  } catch (error) {
    const failure = [
      `AFTERIMAGE_SEED=${seed}`,
      world.scheduler.traceTail(),
      `seed ${seed}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      `replay: AFTERIMAGE_SEED=${seed} npx tap run dist/test/sim/sim.test.js`,
    ].join('\n');
    return { outcome: undefined, failure, fired: world.fired };
  }
}
