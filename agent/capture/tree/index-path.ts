/** The path of a node as the capture index has it. */
import type { CaptureIndex } from './capture-index.js';
import { nodeBytes } from './seen.js';

/** Names from the root down to a node, by its first name, as text for a person or a pattern. */
export function textPathOf(index: CaptureIndex, volume: number, node: number): string[] {
  const names: string[] = [];
  for (let at = node; at !== 1; ) {
    const link = index.linksOf(volume, at)[0];
    if (link === undefined) break;
    names.push(nodeBytes(link.name).toString());
    at = link.parent;
  }
  return names.reverse();
}
