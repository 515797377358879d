/** Says before which changes a checkpoint is needed, so that redoing what follows the last one always gives the same. */
import type { ChangeBody, NodeId } from '../../proto/change.js';

/**
 * Changes after a checkpoint are redone on files that may already hold their effects. That is harmless
 * for all but a copy between files: its source must still be there, and must not hold anything later
 * than the copy. So once something was copied, whatever would alter or end its source comes after a
 * further checkpoint.
 */
export class CloneGuard {
  readonly #sources = new Set<NodeId>();

  /** `displaces`: whether the change takes away what a name leads to. */
  blocks(body: ChangeBody, displaces: () => boolean): boolean {
    if (this.#sources.size === 0) return false;
    switch (body.kind) {
      case 'write':
      case 'truncate':
      case 'punch':
      case 'zero':
      case 'clone':
        return this.#sources.has(body.node);
      default:
        return displaces();
    }
  }

  note(body: ChangeBody): void {
    if (body.kind === 'clone') this.#sources.add(body.sourceNode);
  }

  /** After a checkpoint nothing before it is redone. */
  reset(): void {
    this.#sources.clear();
  }
}

/** Whether a copy overwrites part of what it reads, so that doing it twice is not the same as once. */
export function overwritesItself(body: ChangeBody): boolean {
  return body.kind === 'clone' && body.node === body.sourceNode && body.offset !== body.sourceOffset && Math.abs(body.offset - body.sourceOffset) < body.length;
}
