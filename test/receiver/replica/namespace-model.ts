/** A volume after any changes at all, also those that do not fit: names by the shared state machine, content beside it. */
import { rootNode, type ChangeBody, type NodeId } from '../../../proto/change.js';
import { MemoryNamespace } from '../../../proto/tree/memory-table.js';
import { applyToNamespace, type NodeState } from '../../../proto/tree/namespace.js';
import { Model, type ModelNode } from './model.js';

export class NamespaceModel {
  readonly namespace = MemoryNamespace.planted();
  readonly #content = new Map<NodeId, Buffer>();

  apply(body: ChangeBody): void {
    const { ended, anomaly } = applyToNamespace(this.namespace, body);
    for (const node of ended) this.#content.delete(node);
    if (anomaly !== undefined || !('node' in body) || body.node === undefined) return;
    const state = this.namespace.node(body.node);
    if (state?.nodeKind !== 'file') return;
    const content = Buffer.alloc(state.size);
    const before = this.#content.get(body.node) ?? Buffer.alloc(0);
    before.copy(content);
    if (body.kind === 'write') body.data.copy(content, body.offset);
    if (body.kind === 'punch' || body.kind === 'zero') content.fill(0, Math.min(body.offset, content.length), Math.min(body.offset + body.length, content.length));
    if (body.kind === 'clone') {
      const bytes = Buffer.alloc(body.length);
      const source = body.sourceNode === body.node ? before : (this.#content.get(body.sourceNode) ?? Buffer.alloc(0));
      source.subarray(body.sourceOffset, body.sourceOffset + body.length).copy(bytes);
      bytes.copy(content, body.offset);
    }
    this.#content.set(body.node, content);
  }

  /** The same volume in the shape that can be described. */
  model(): Model {
    const model = new Model();
    const root = this.namespace.node(rootNode)!;
    model.root.metadata = root;
    const made = new Map<NodeId, ModelNode>();
    const fill = (directory: NodeId, into: ModelNode): void => {
      for (const { name, node } of this.namespace.children(directory)) {
        const state = this.namespace.node(node);
        // No file system here holds longer names.
        if (state === undefined || name.length > 255) continue;
        const known = made.get(node);
        const child = known ?? this.#node(state);
        made.set(node, child);
        into.entries.set(name, child);
        if (known === undefined && state.nodeKind === 'directory') fill(node, child);
      }
    };
    fill(rootNode, model.root);
    return model;
  }

  #node(state: NodeState): ModelNode {
    const content = Buffer.alloc(state.nodeKind === 'file' ? state.size : 0);
    this.#content.get(state.node)?.copy(content);
    return { id: state.node, metadata: state, content, entries: new Map(), names: state.links };
  }
}
