/** What the stream told of while something was looked at: what was seen of it there says nothing. */
import type { ContentChange } from '../../../proto/change.js';

/** More ranges of one node than this count as all of it. */
const rangesMax = 256;

export class TouchedNodes {
  /** Low and high of each range in turn; undefined for all content. */
  readonly #content = new Map<number, number[] | undefined>();
  readonly #others = new Set<number>();

  /** Content changed; `sizeBefore` is the node's size until then. */
  content(body: ContentChange, sizeBefore: number): void {
    if (!('node' in body)) return;
    const node = Number(body.node);
    this.#others.add(node);
    if (body.kind === 'truncate') this.range(node, Math.min(body.size, sizeBefore), Infinity);
    else if (body.kind === 'write') this.range(node, body.offset, body.offset + body.data.byteLength);
    else if ('offset' in body && 'length' in body) this.range(node, body.offset, body.offset + body.length);
    else this.#content.set(node, undefined);
    // A write past the end fills what lies between.
    if (body.kind === 'write' && body.offset > sizeBefore) this.range(node, sizeBefore, body.offset);
  }

  range(node: number, low: number, high: number): void {
    const known = this.#content.get(node);
    if (known === undefined && this.#content.has(node)) return;
    if (known === undefined) this.#content.set(node, [low, high]);
    else if (known.length >= 2 * rangesMax) this.#content.set(node, undefined);
    else if (known.at(-1) === low) known[known.length - 1] = high;
    else known.push(low, high);
  }

  /** Metadata of a node changed, or names in a directory. */
  node(node: number): void {
    this.#others.add(node);
  }

  hasContent(node: number, low: number, high: number): boolean {
    if (!this.#content.has(node)) return false;
    const ranges = this.#content.get(node);
    if (ranges === undefined) return true;
    for (let at = 0; at < ranges.length; at += 2) if (ranges[at]! < high && ranges[at + 1]! > low) return true;
    return false;
  }

  has(node: number): boolean {
    return this.#others.has(node);
  }
}
