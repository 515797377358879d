/** Which nodes' metadata on disk may differ from the namespace since it was last set. */
import type { NodeId } from '../../proto/change.js';

export class Touched {
  /** True when extended attributes are to be compared too. */
  readonly #nodes = new Map<NodeId, boolean>();

  get size(): number {
    return this.#nodes.size;
  }

  add(node: NodeId, xattrs = false): void {
    if (xattrs || !this.#nodes.has(node)) this.#nodes.set(node, xattrs);
  }

  has(node: NodeId): boolean {
    return this.#nodes.has(node);
  }

  /** Whether its extended attributes on disk may be others than the namespace has. */
  hasXattrs(node: NodeId): boolean {
    return this.#nodes.get(node) === true;
  }

  delete(node: NodeId): void {
    this.#nodes.delete(node);
  }

  /** All so far; none afterwards. */
  take(): [NodeId, boolean][] {
    const taken = [...this.#nodes];
    this.#nodes.clear();
    return taken;
  }
}
