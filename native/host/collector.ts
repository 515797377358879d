/** How the engine below collects garbage in programs through which much memory outside its heap goes. */
import { setFlagsFromString } from 'node:v8';

/**
 * For daemons, once, at their start. Their heap is small, and gigabytes of buffers pass by it, which V8 counts
 * as growth of the heap: it would mark everything, beside the program, for every few megabytes of them. With its
 * own largest factor (a collection when four times as much is in use as after the last) buffers go with the young
 * objects they hang on, and so that this comes soon enough, the space for those stays as small as it begins.
 */
export function collectRarely(): void {
  setFlagsFromString('--heap-growing-percent=300');
  setFlagsFromString('--semi-space-growth-factor=1');
}
