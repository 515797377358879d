/** What the components log goes into the trace, where a failure shows it. */
import type { Scheduler } from './scheduler.js';

type Log = (context: object, message?: string) => void;

export interface WorldLogger {
  readonly debug: Log;
  readonly info: Log;
  readonly warn: Log;
  readonly error: Log;
}

export function worldLogger(scheduler: Scheduler, name: string): WorldLogger {
  const at = (level: string): Log => (context, message) => {
    const { err } = context as { err?: unknown };
    const why = err === undefined ? '' : `: ${err instanceof Error ? err.message : String(err)}`;
    scheduler.note(`${name} ${level}: ${message ?? ''}${why}`);
  };
  return { debug: () => undefined, info: at('info'), warn: at('warn'), error: at('error') };
}
