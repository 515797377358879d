/** Records what a survey found: names first, by plan; then content and metadata of what differs. */
import { setImmediate } from 'node:timers/promises';
import { asNodeId, type NodeId } from '../../../proto/change.js';
import type { Name } from '../../../proto/name.js';
import { isText } from './text-name.js';
import { captureNode, type CaptureOutcome } from './capture-node.js';
import { type NamespaceStep, planNamespace, type Position } from './namespace-plan.js';
import { isFresh, metadataOf, signatureOf } from './seen.js';
import type { ChangeFacts } from './recorder.js';
import type { Survey } from './survey.js';
import { MovedError } from './tree-access.js';
import type { VolumeParts } from './volume-parts.js';

export interface ApplyResult {
  /** Nodes to look at again soon: they changed while being read, or could change unseen. */
  readonly again: { readonly node: number; readonly bytesRead: number }[];
  readonly unreadable: number;
}

export interface ApplyOptions {
  readonly signal: AbortSignal;
  /** Whether a node was captured so recently that it has to wait. */
  isCooling(node: number): boolean;
  /** Tells of bytes read, for progress. */
  onCaptured(node: number, outcome: CaptureOutcome): void;
}

/** Brings the journal to what the survey found, and empties the survey for more. */
export async function applySurvey(parts: VolumeParts, survey: Survey, options: ApplyOptions): Promise<ApplyResult> {
  await confirmMoves(parts, survey, options.signal);
  const touched = new Set<number>();
  const created = await applyNames(parts, survey, touched);
  // A known node may have moved into a directory that was new until just now.
  const captures = [...survey.differences.values()].map((difference) => ({ ...difference, parent: created.get(difference.parent) ?? difference.parent }));
  for (const position of survey.positions.values()) {
    const node = created.get(position.node);
    const found = survey.newNodes.get(position.node);
    if (node === undefined || found === undefined || found.seen.stat.kind === 'directory') continue;
    // What cannot have content, or has none, is captured by its creation, unless it could still change unseen.
    const { stat } = found.seen;
    if ((stat.kind !== 'file' || stat.size === 0) && !isFresh(stat, found.seenAtNs)) parts.index.setSignature(parts.volume, node, signatureOf(stat), 0);
    else captures.push({ node, parent: created.get(position.parent) ?? position.parent, name: position.name });
  }
  await survey.settle(created);
  const again: ApplyResult['again'] = [];
  let unreadable = 0;
  const seen = new Set<number>();
  for (const { node, parent, name } of captures) {
    options.signal.throwIfAborted();
    if (seen.has(node) || (parent !== 0 && parts.index.childNode(parts.volume, parent, name) !== node)) continue;
    seen.add(node);
    if (options.isCooling(node)) {
      again.push({ node, bytesRead: 0 });
      continue;
    }
    const outcome = await captureNode(parts, survey, { node, parent, name });
    options.onCaptured(node, outcome);
    if (outcome.result === 'again') again.push({ node, bytesRead: outcome.bytesRead });
    if (outcome.result === 'moved' && parent > 0) survey.retry.add(parent);
    if (outcome.result === 'unreadable') unreadable += 1;
    await survey.access.trim();
  }
  await stampDirectories(parts, survey, touched, again);
  await parts.recorder.flush();
  return { again, unreadable };
}

/** A known node at a new name has moved or been linked: its other names tell which, so they are looked at. */
async function confirmMoves(parts: VolumeParts, survey: Survey, signal: AbortSignal): Promise<void> {
  const { index, volume } = parts;
  const done = new Set<number>();
  for (let count = 0; ; ) {
    const nodes = [...survey.positions.values()].map((position) => position.node).filter((node) => node > 0 && !done.has(node));
    if (nodes.length === 0) return;
    for (const node of nodes) {
      if (done.has(node)) continue;
      done.add(node);
      for (const { parent, name } of index.linksOf(volume, node)) {
        if (survey.positions.has(`${parent}/${name}`)) continue;
        try {
          await survey.recheck(parent, name);
        } catch (error) {
          if (!(error instanceof MovedError)) throw error;
          // Its directory is no longer there, so neither is this name of it.
          survey.positions.set(`${parent}/${name}`, { parent, name, node: 0 });
        }
        const isStill = !survey.positions.has(`${parent}/${name}`);
        if (isStill && index.node(volume, node)?.kind === 'directory') {
          // Moved back meanwhile: a directory cannot be in two places.
          for (const [key, position] of survey.positions) {
            if (position.node !== node) continue;
            survey.positions.delete(key);
            if (position.parent > 0) survey.retry.add(position.parent);
          }
        }
      }
      await survey.access.trim();
      count += 1;
      if (count % 100 === 0) await setImmediate();
      signal.throwIfAborted();
    }
  }
}

async function applyNames(parts: VolumeParts, survey: Survey, touched: Set<number>): Promise<Map<number, number>> {
  const { index, volume } = parts;
  const created = new Map<number, number>();
  const positions: Position[] = [];
  for (const { parent, name, node } of survey.positions.values()) {
    positions.push({ parent, name, old: parent > 0 ? index.childNode(volume, parent, name) : 0, want: node });
  }
  if (positions.length === 0) return created;
  const wanted = new Set(positions.map((position) => position.want));
  const reachable = positions.filter((position) => position.parent > 0 || wanted.has(position.parent));
  const steps = planNamespace(reachable, {
    root: 1,
    isDirectory: (node) => (node > 0 ? index.node(volume, node)?.kind : survey.newNodes.get(node)?.seen.stat.kind) === 'directory',
    isNew: (node) => node < 0,
    parentOf: (directory) => index.linksOf(volume, directory)[0]?.parent,
    linkCount: (node) => index.node(volume, node)?.links ?? 0,
    isFreeInRoot: (name) => index.childNode(volume, 1, name) === 0,
  });
  const real = (node: number): number => (node > 0 ? node : created.get(node)!);
  let count = 0;
  for (const step of steps) {
    await applyStep(parts, survey, step, created);
    touched.add(real(step.parent));
    if (step.step === 'rename') touched.add(real(step.toParent));
    count += 1;
    if (count % 100 === 0) await setImmediate();
  }
  return created;
}

async function applyStep(parts: VolumeParts, survey: Survey, step: NamespaceStep, created: Map<number, number>): Promise<void> {
  const { index, recorder, volume } = parts;
  const id = (node: number): NodeId => asNodeId(BigInt(node > 0 ? node : created.get(node)!));
  const parent = id(step.parent);
  const name = step.name as Name;
  switch (step.step) {
    case 'create': {
      const { seen, xattrs } = survey.newNodes.get(step.node)!;
      const node = index.volume(volume)!.nextNode;
      created.set(step.node, node);
      await recorder.add(volume, { kind: 'create', node: asNodeId(BigInt(node)), parent, name, metadata: metadataOf(seen, xattrs) });
      index.setIdentity(volume, node, seen.identity);
      if (seen.stat.kind === 'directory' && !isText(step.name)) parts.onUnwatchable(node);
      return;
    }
    case 'link':
      return recorder.add(volume, { kind: 'link', node: id(step.node), parent, name });
    case 'unlink':
      return recorder.add(volume, { kind: 'unlink', parent, name });
    case 'rename':
      if (!isText(step.toName)) parts.onUnwatchable(index.childNode(volume, Number(parent), step.name));
      return recorder.add(volume, { kind: 'rename', parent, name, toParent: id(step.toParent), toName: step.toName as Name, exchange: step.exchange });
    case 'remove-tree':
      return removeTree(parts, { node: Number(id(step.node)), parent: Number(parent), name: step.name });
  }
}

/** Unlinks a directory and all below it, children first, without holding the tree in memory. */
export async function removeTree({ index, recorder, volume }: VolumeParts, top: { readonly node: number; readonly parent: number; readonly name: string }, facts: ChangeFacts = {}): Promise<void> {
  const stack = [top];
  for (let at = stack.at(-1); at !== undefined; at = stack.at(-1)) {
    const children = index.children(volume, at.node, '', 200);
    const directory = children.find((child) => child.kind === 'directory');
    for (const child of children) {
      if (child.kind !== 'directory') await recorder.add(volume, { kind: 'unlink', parent: asNodeId(BigInt(at.node)), name: child.name as Name }, facts);
    }
    if (directory !== undefined) {
      stack.push({ node: directory.node, parent: at.node, name: directory.name });
    } else if (children.length === 0) {
      await recorder.add(volume, { kind: 'unlink', parent: asNodeId(BigInt(at.parent)), name: at.name as Name }, facts);
      stack.pop();
    }
    await setImmediate();
  }
}

/** The times of directories whose entries changed: replaying those changes elsewhere would leave others. */
async function stampDirectories(parts: VolumeParts, survey: Survey, touched: ReadonlySet<number>, again: ApplyResult['again']): Promise<void> {
  for (const directory of touched) {
    const at = directory === 1 ? { parent: 0, name: '' } : parts.index.linksOf(parts.volume, directory)[0];
    if (at === undefined) continue;
    const outcome = await captureNode(parts, survey, { node: directory, ...at });
    if (outcome.result === 'again') again.push({ node: directory, bytesRead: 0 });
    if (outcome.result === 'moved' && at.parent > 0) survey.retry.add(at.parent);
    await survey.access.trim();
  }
}
