/** Reads the items of a restore one by one. */
import { TreeRestoreError, type TreeItem } from './items.js';

/** The next item; never waits past an abort, since a source may be waiting for what never comes. */
export async function nextItem(iterator: AsyncIterator<TreeItem>, signal: AbortSignal | undefined): Promise<TreeItem> {
  const step = await unlessAborted(iterator.next(), signal);
  if (step.done === true) throw new TreeRestoreError('incomplete', 'restore incomplete: the items ended early');
  return step.value;
}

/** A result, or the signal's reason when that comes first. */
async function unlessAborted<Result>(result: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
  if (signal === undefined) return result;
  result.catch(() => undefined);
  signal.throwIfAborted();
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(signal.reason as Error);
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([result, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
