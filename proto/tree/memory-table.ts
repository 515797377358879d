/** A namespace in memory: what a point and a model use. */
import type { NodeId } from '../change.js';
import { compareNames, type Name } from '../name.js';
import { plantRoot, type NamedNode, type NamespaceTable, type NodeState } from './namespace.js';

interface Node {
  state: NodeState;
  /** Children of a directory, in order of insertion. */
  children: Map<Name, NodeId> | undefined;
  names: NamedNode[];
}

export class MemoryNamespace implements NamespaceTable {
  readonly #nodes = new Map<NodeId, Node>();

  /** A namespace with nothing but an empty root. */
  static planted(): MemoryNamespace {
    const namespace = new MemoryNamespace();
    plantRoot(namespace);
    return namespace;
  }

  get size(): number {
    return this.#nodes.size;
  }

  node(node: NodeId): NodeState | undefined {
    return this.#nodes.get(node)?.state;
  }

  putNode(state: NodeState): void {
    const known = this.#nodes.get(state.node);
    if (known === undefined) this.#nodes.set(state.node, { state, children: undefined, names: [] });
    else known.state = state;
  }

  dropNode(node: NodeId): void {
    this.#nodes.delete(node);
  }

  child(parent: NodeId, name: Name): NodeId | undefined {
    return this.#nodes.get(parent)?.children?.get(name);
  }

  putChild(parent: NodeId, name: Name, node: NodeId): void {
    const directory = this.#nodes.get(parent);
    if (directory === undefined) throw new RangeError(`node ${parent} is not in the table`);
    (directory.children ??= new Map()).set(name, node);
    this.#nodes.get(node)?.names.push({ parent, name, node });
  }

  dropChild(parent: NodeId, name: Name): void {
    const directory = this.#nodes.get(parent);
    const node = directory?.children?.get(name);
    if (directory === undefined || node === undefined) return;
    directory.children!.delete(name);
    const child = this.#nodes.get(node);
    if (child !== undefined) child.names = child.names.filter((known) => known.parent !== parent || known.name !== name);
  }

  *children(parent: NodeId, after?: Name): Iterable<NamedNode> {
    const entries = [...(this.#nodes.get(parent)?.children ?? [])];
    entries.sort(([a], [b]) => compareNames(a, b));
    for (const [name, node] of entries) if (after === undefined || name > after) yield { parent, name, node };
  }

  names(node: NodeId): Iterable<NamedNode> {
    return this.#nodes.get(node)?.names ?? [];
  }
}
