/** Applies changes of one volume to its names and extents. Content stays where it is: in the journal. */
import { rootNode, type ChangeBody, type NodeId, type VolumeKind } from '../../proto/change.js';
import { payloadOffset } from '../../proto/wire/convert.js';
import { ExtentMap, FrameTable } from '../../proto/tree/extent-map.js';
import { MemoryNamespace } from '../../proto/tree/memory-table.js';
import { applyToNamespace, type NodeState } from '../../proto/tree/namespace.js';
import type { Sequence } from '../../proto/change.js';
import type { FrameLocation } from '../../proto/journal/segment-scan.js';

const anomaliesKept = 100;

/** A frame whose changes are being applied. */
export interface ReplayedFrame {
  readonly location: FrameLocation;
  /** What the content of its changes views. */
  readonly raw: Buffer;
}

export class VolumeReplay {
  readonly frames = new FrameTable();
  readonly namespace = MemoryNamespace.planted();
  readonly #kind: VolumeKind;
  readonly #extents = new Map<NodeId, ExtentMap>();
  readonly #anomalies: string[] = [];
  #anomalyCount = 0;
  #frame: { readonly replayed: ReplayedFrame; readonly number: number } | undefined;
  #deviceBytes = 0;

  constructor(kind: VolumeKind) {
    this.#kind = kind;
  }

  get anomalies(): { readonly count: number; readonly first: readonly string[] } {
    return { count: this.#anomalyCount, first: this.#anomalies };
  }

  extents(node: NodeId): ExtentMap | undefined {
    return this.#extents.get(node);
  }

  /** A device as a point shows it: one file. */
  deviceState(): NodeState {
    return { node: rootNode, nodeKind: 'file', mode: 0o600, uid: 0, gid: 0, modifyNs: 0n, size: this.#deviceBytes, links: 1 };
  }

  /** Applies one change; those of one frame come one after the other, with the same `frame`. */
  apply(body: ChangeBody, change: { readonly sequence: Sequence; readonly frame: ReplayedFrame }): void {
    if (this.#kind === 'device') return this.#applyToDevice(body, change);
    const { ended, anomaly } = applyToNamespace(this.namespace, owned(body));
    for (const node of ended) this.#extents.delete(node);
    if (anomaly === undefined) this.#applyContent(body, change);
    // A name that displaces another one is in place all the same; its extents begin empty.
    else this.#report(change.sequence, anomaly);
  }

  #applyContent(body: ChangeBody, change: { readonly sequence: Sequence; readonly frame: ReplayedFrame }): void {
    switch (body.kind) {
      case 'write':
        return this.#write(body, change.frame);
      case 'zero':
        return this.#map(body.node).zero(body);
      case 'punch':
        return this.#extents.get(body.node)?.punch(body);
      case 'truncate':
        return this.#extents.get(body.node)?.truncate(body.size);
      case 'clone': {
        const source = this.#extents.get(body.sourceNode);
        if (source === undefined && this.namespace.node(body.sourceNode)?.nodeKind !== 'file') {
          this.#report(change.sequence, `content of node ${body.sourceNode}, which is no known file, is copied to node ${body.node}`);
        }
        if (source === undefined) this.#extents.get(body.node)?.punch(body);
        else this.#map(body.node).cloneFrom(source, body);
        return;
      }
      default:
        return;
    }
  }

  /** Only content and size exist there; what is discarded or zeroed takes no space in a copy. */
  #applyToDevice(body: ChangeBody, change: { readonly frame: ReplayedFrame }): void {
    switch (body.kind) {
      case 'write':
        this.#write({ ...body, node: rootNode }, change.frame);
        this.#deviceBytes = Math.max(this.#deviceBytes, body.offset + body.data.byteLength);
        return;
      case 'zero':
      case 'punch':
      case 'discard':
        this.#extents.get(rootNode)?.punch(body);
        if (body.kind === 'zero') this.#deviceBytes = Math.max(this.#deviceBytes, body.offset + body.length);
        return;
      case 'truncate':
        this.#extents.get(rootNode)?.truncate(body.size);
        this.#deviceBytes = body.size;
        return;
      case 'clone':
        this.#map(rootNode).cloneFrom(this.#map(rootNode), body);
        this.#deviceBytes = Math.max(this.#deviceBytes, body.offset + body.length);
        return;
      default:
        return;
    }
  }

  #write(body: ChangeBody & { kind: 'write' }, frame: ReplayedFrame): void {
    // Only frames that hold content of this volume get a number.
    if (this.#frame?.replayed !== frame) this.#frame = { replayed: frame, number: this.frames.add(frame.location) };
    this.#map(body.node).write({ offset: body.offset, length: body.data.byteLength }, { frame: this.#frame.number, payloadOffset: payloadOffset(frame.raw, body.data) });
  }

  #map(node: NodeId): ExtentMap {
    let map = this.#extents.get(node);
    if (map === undefined) this.#extents.set(node, (map = new ExtentMap(this.frames)));
    return map;
  }

  #report(sequence: Sequence, anomaly: string): void {
    this.#anomalyCount += 1;
    if (this.#anomalies.length < anomaliesKept) this.#anomalies.push(`seq:${sequence}: ${anomaly}`);
  }
}

/** Decoded values view their frame; what is kept is copied, or every frame would stay in memory. */
function owned(body: ChangeBody): ChangeBody {
  if (body.kind === 'xattr-set') return { ...body, value: Buffer.from(body.value) };
  if (body.kind !== 'create') return body;
  const { target, xattrs } = body.metadata;
  if (target === undefined && xattrs === undefined) return body;
  return {
    ...body,
    metadata: {
      ...body.metadata,
      ...(target === undefined ? {} : { target: Buffer.from(target) }),
      ...(xattrs === undefined ? {} : { xattrs: new Map([...xattrs].map(([key, value]) => [key, Buffer.from(value)])) }),
    },
  };
}
