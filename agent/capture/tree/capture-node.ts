/** Captures one node that may differ: content, then owner, mode, times and extended attributes. */
import type { Directory, EntryStat, TreeFile } from '../../../native/host/directory.js';
import { asNodeId } from '../../../proto/change.js';
import type { NodeRow } from './capture-index.js';
import { captureContent } from './content.js';
import { differingXattrs, isFresh, nodeBytes, signatureOf } from './seen.js';
import { isGone, isReadFailure, messageOf } from './read-failure.js';
import type { Survey } from './survey.js';
import { MovedError } from './tree-access.js';
import type { VolumeParts } from './volume-parts.js';

export interface CaptureOutcome {
  /** `again`: it changed meanwhile, or could change unseen; `moved`: another node has the name now. */
  readonly result: 'captured' | 'again' | 'moved' | 'unreadable';
  readonly bytesRead: number;
}

/** How long after a write through a mapping a file may still change without its times telling. */
const mappedWriteMs = 60_000n;

interface NodeAt {
  readonly node: number;
  readonly parent: number;
  readonly name: string;
}

/** Captures a node at one of its names; the root when its parent is 0. */
export async function captureNode(parts: VolumeParts, survey: Survey, at: NodeAt): Promise<CaptureOutcome> {
  const row = parts.index.node(parts.volume, at.node);
  if (row === undefined) return { result: 'moved', bytesRead: 0 };
  try {
    const handle = await survey.access.open(at.parent === 0 ? 1 : at.parent);
    if (row.kind === 'file') return await captureFile(parts, survey, handle, at, row);
    return await captureOther(parts, survey, handle, at, row);
  } catch (error) {
    if (error instanceof MovedError || isGone(error)) return { result: 'moved', bytesRead: 0 };
    if (!isReadFailure(error)) throw error;
    parts.report(survey.display(at.parent === 0 ? 1 : at.parent, at.parent === 0 ? undefined : at.name), `cannot be read: ${messageOf(error)}`);
    return { result: 'unreadable', bytesRead: 0 };
  }
}

async function captureFile(parts: VolumeParts, survey: Survey, handle: Directory, at: NodeAt, row: NodeRow): Promise<CaptureOutcome> {
  const { index, volume, clock } = parts;
  const path = survey.display(at.parent, at.name);
  let file: TreeFile;
  try {
    file = await handle.openFile(nodeBytes(at.name), 'read');
  } catch (error) {
    if (isGone(error)) return { result: 'moved', bytesRead: 0 };
    // Its metadata can be had all the same; the content is tried again on every rescan.
    parts.report(path, `content cannot be read: ${messageOf(error)}`);
    const other = await captureOther(parts, survey, handle, at, row);
    index.setSignature(volume, at.node, null, 0);
    return other.result === 'moved' ? other : { result: 'unreadable', bytesRead: 0 };
  }
  try {
    const beganNs = clock.wallNs();
    const before = await file.stat();
    if (survey.identify(before) !== row.identity) return { result: 'moved', bytesRead: 0 };
    const isDue = row.verifyAfterMs !== 0 && beganNs / 1_000_000n > BigInt(row.verifyAfterMs);
    if (row.signature === signatureOf(before) && !survey.isToBeRead(row, beganNs)) return { result: 'captured', bytesRead: 0 };
    const bytesRead = await captureContent(parts, { file, node: at.node, size: before.size, sparse: before.allocatedBytes < before.size });
    const after = await file.stat();
    const isWhole = await captureMetadata(parts, survey, handle, at, after);
    if (signatureOf(after) !== signatureOf(before) || isFresh(before, beganNs)) {
      index.setSignature(volume, at.node, null, 0);
      return { result: 'again', bytesRead };
    }
    // Looked at again by every later look, until it can be read.
    if (!isWhole) {
      index.setSignature(volume, at.node, null, 0);
      return { result: 'unreadable', bytesRead };
    }
    parts.clearReport(path);
    // Stores through a mapping show in a file's times only when its pages are first dirtied.
    const verifyAfterMs = isDue || before.size === 0 ? 0n : before.changeNs / 1_000_000n + mappedWriteMs;
    index.setSignature(volume, at.node, signatureOf(after), verifyAfterMs > beganNs / 1_000_000n ? Number(verifyAfterMs) : 0);
    return { result: 'captured', bytesRead };
  } catch (error) {
    if (!isReadFailure(error)) throw error;
    parts.report(path, `content cannot be read: ${messageOf(error)}`);
    index.setSignature(volume, at.node, null, 0);
    return { result: 'unreadable', bytesRead: 0 };
  } finally {
    await file.close();
  }
}

async function captureOther(parts: VolumeParts, survey: Survey, handle: Directory, at: NodeAt, row: NodeRow): Promise<CaptureOutcome> {
  const beganNs = parts.clock.wallNs();
  const stat = at.parent === 0 ? await handle.stat() : await handle.lookup(nodeBytes(at.name));
  if (stat === undefined || survey.identify(stat) !== row.identity) return { result: 'moved', bytesRead: 0 };
  if (row.signature === signatureOf(stat)) return { result: 'captured', bytesRead: 0 };
  const isWhole = await captureMetadata(parts, survey, handle, at, stat);
  const fresh = isFresh(stat, beganNs);
  parts.index.setSignature(parts.volume, at.node, fresh || !isWhole ? null : signatureOf(stat), 0);
  if (!isWhole) return { result: 'unreadable', bytesRead: 0 };
  return { result: fresh ? 'again' : 'captured', bytesRead: 0 };
}

/** Records what differs; false when some of it could not be read. The index forgets the modification time at every change of content, so it always follows one. */
async function captureMetadata(parts: VolumeParts, survey: Survey, handle: Directory, at: NodeAt, stat: EntryStat): Promise<boolean> {
  const { index, recorder, volume } = parts;
  let isWhole = true;
  const row = index.node(volume, at.node)!;
  const node = asNodeId(BigInt(at.node));
  try {
    const { set, remove } = differingXattrs(row.xattrs, await handle.xattrs(at.parent === 0 ? undefined : nodeBytes(at.name)));
    for (const key of remove) await recorder.add(volume, { kind: 'xattr-remove', node, key });
    for (const [key, value] of set) await recorder.add(volume, { kind: 'xattr-set', node, key, value });
  } catch (error) {
    if (!isReadFailure(error)) throw error;
    isWhole = false;
    if (!isGone(error)) parts.report(survey.display(at.parent === 0 ? 1 : at.parent, at.parent === 0 ? undefined : at.name), `extended attributes cannot be read: ${messageOf(error)}`);
  }
  const attributes = {
    ...(row.mode === stat.mode ? {} : { mode: stat.mode }),
    ...(row.uid === stat.uid ? {} : { uid: stat.uid }),
    ...(row.gid === stat.gid ? {} : { gid: stat.gid }),
    ...(row.modifyNs === String(stat.modifyNs) ? {} : { modifyNs: stat.modifyNs }),
  };
  if (Object.keys(attributes).length > 0) await recorder.add(volume, { kind: 'attributes', node, ...attributes });
  return isWhole;
}

