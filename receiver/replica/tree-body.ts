/** A tree volume's replica on disk: ordinary files in one directory, with a staging directory beside it. */
import { asSequence, rootNode, type Change, type ChangeBody, type NodeId, type Sequence } from '../../proto/change.js';
import { applyToNamespace, pathOf, type NamespaceEffect } from '../../proto/tree/namespace.js';
import type { Directory, TreeFile } from '../../native/host/directory.js';
import { CloneGuard, overwritesItself } from './clone-guard.js';
import { DivergenceError, shownPath, type Deviations } from './divergence.js';
import { EntryMover } from './entry-mover.js';
import { sameMark } from './node-row.js';
import { OpenFiles } from './open-files.js';
import type { Patience } from './patience.js';
import { Places } from './places.js';
import { reconcile } from './reconcile.js';
import { settle } from './settle.js';
import type { SqliteNamespace } from './sqlite-namespace.js';
import { Touched } from './touched.js';
import { Trash } from './trash.js';
import { TreeMirror } from './tree-mirror.js';
import type { RedoRange, VolumeBody } from './volume-body.js';

export interface TreeBodyOptions {
  readonly namespace: SqliteNamespace;
  readonly tree: Directory;
  readonly staging: Directory;
  readonly patience: Patience;
  readonly deviations: Deviations;
  /** Ends a repair, which may take long. */
  readonly signal: AbortSignal;
  readonly asRoot: boolean;
  readonly directoriesMax: number;
  readonly filesMax: number;
}

/** Whom to tell of entries that are moved to the staging directory. */
interface RedoneNames {
  readonly through: Sequence;
  /** Changes that did not fit. */
  readonly misfits: ReadonlySet<Sequence>;
  /** Where the last node of a number begins that an earlier one of the range had: what was written to that is not this one's. */
  readonly reborn: ReadonlyMap<NodeId, Sequence>;
}

interface StagedWatch {
  tell: ((node: NodeId) => void) | undefined;
}

export class TreeBody implements VolumeBody {
  readonly #options: TreeBodyOptions;
  readonly #touched = new Touched();
  readonly #places: Places;
  readonly #files: OpenFiles;
  readonly #trash: Trash;
  readonly #mover: EntryMover;
  readonly #mirror: TreeMirror;
  readonly #watch: StagedWatch;

  /** `tree` and `staging` stay the caller's to close. */
  static async open(options: TreeBodyOptions): Promise<TreeBody> {
    const { namespace, tree } = options;
    const mark = namespace.mark(rootNode);
    if (mark === undefined || !sameMark(mark, await tree.stat())) throw new DivergenceError('the tree is another directory than the replica made');
    const watch: StagedWatch = { tell: undefined };
    const trash = await Trash.resume({
      staging: options.staging,
      onStaged: (node) => {
        namespace.setStaged(node, true);
        watch.tell?.(node);
      },
    });
    const body = new TreeBody(options, trash, watch);
    // A tree that was just made has no metadata yet.
    body.#touched.add(rootNode);
    return body;
  }

  private constructor(options: TreeBodyOptions, trash: Trash, watch: StagedWatch) {
    const { namespace, tree, staging, patience, deviations, directoriesMax, filesMax } = options;
    const touched = this.#touched;
    this.#options = options;
    this.#trash = trash;
    this.#watch = watch;
    this.#places = new Places({ namespace, tree, staging, touched, directoriesMax });
    const places = this.#places;
    const label = (node: NodeId): string => shownPath(pathOf(namespace, node));
    this.#files = new OpenFiles({ open: (node) => this.#openFile(node), label, patience, touched, deviations, filesMax });
    this.#mover = new EntryMover({ namespace, places, files: this.#files, trash, patience, touched, deviations });
    this.#mirror = new TreeMirror({ namespace, places, files: this.#files, mover: this.#mover, touched });
  }

  apply(body: ChangeBody): Promise<NamespaceEffect> {
    return this.#mirror.apply(body);
  }

  displaces(body: ChangeBody): boolean {
    return this.#mirror.displaces(body);
  }

  async settle(): Promise<void> {
    await this.#files.flush();
    await settle({ ...this.#options, places: this.#places, touched: this.#touched });
  }

  sync(): Promise<void> {
    return this.#options.tree.syncTree();
  }

  async rest(): Promise<void> {
    await this.#files.flush();
    await this.#files.close();
    await this.#places.forgetAll();
  }

  async close(): Promise<void> {
    await this.#files.close();
    await this.#places.forgetAll();
  }

  /**
   * Three steps: what the names and metadata are at the end; the disk brought to those names, known
   * entries moved and new ones made; content changes redone in order, which gives the same however
   * many of them the files hold already.
   */
  async redo(range: RedoRange): Promise<Sequence> {
    const { namespace } = this.#options;
    const { through, misfits, reborn } = await this.#redoNames(range);
    await reconcile({
      namespace,
      places: this.#places,
      mover: this.#mover,
      trash: this.#trash,
      touched: this.#touched,
      asRoot: this.#options.asRoot,
      signal: this.#options.signal,
      watchStaged: (onStaged) => (this.#watch.tell = onStaged),
    });
    const written = new Set<NodeId>();
    for await (const changes of range.read()) {
      for (const { sequence, body } of changes) {
        if (sequence > through || misfits.has(sequence) || !('node' in body) || body.node === undefined) continue;
        if (namespace.node(body.node)?.nodeKind !== 'file' || sequence < (reborn.get(body.node) ?? 0n)) continue;
        if (overwritesItself(body)) throw new DivergenceError(`sequence ${sequence} copies a range onto itself and cannot be done twice`);
        if (body.kind === 'clone' && namespace.node(body.sourceNode)?.nodeKind !== 'file') await this.#files.zero(body.node, body);
        else await this.#files.apply(body);
        if (body.kind === 'write' || body.kind === 'truncate' || body.kind === 'zero' || body.kind === 'clone') written.add(body.node);
      }
    }
    await this.#files.flush();
    for (const node of written) {
      const { size } = await (await this.#files.file(node)).stat();
      const expected = namespace.node(node)?.size;
      if (size !== expected) throw new DivergenceError(`${shownPath(pathOf(namespace, node))} has ${size} bytes instead of ${expected}`);
    }
    return through;
  }

  async #redoNames(range: RedoRange): Promise<RedoneNames> {
    const { namespace } = this.#options;
    const guard = new CloneGuard();
    const misfits = new Set<Sequence>();
    const ended = new Set<NodeId>();
    const reborn = new Map<NodeId, Sequence>();
    namespace.disksLater = true;
    try {
      for await (const changes of range.read()) {
        for (const change of changes) {
          const { sequence, body } = change;
          // The disk holds nothing from here on: a checkpoint would have come first.
          if (guard.blocks(body, () => this.#mirror.displaces(body))) return { through: asSequence(sequence - 1n), misfits, reborn };
          guard.note(body);
          const effect = applyToNamespace(namespace, body);
          if (effect.anomaly !== undefined) this.#misfit(range, change, effect.anomaly, misfits);
          for (const node of effect.ended) ended.add(node);
          if (body.kind === 'create' && namespace.node(body.node) !== undefined && ended.delete(body.node)) reborn.set(body.node, sequence);
          this.#touch(body);
        }
      }
      return { through: range.through, misfits, reborn };
    } finally {
      namespace.disksLater = false;
      namespace.takeDroppedStaged();
      namespace.takeUnplaced();
    }
  }

  #misfit(range: RedoRange, change: Change, anomaly: string, misfits: Set<Sequence>): void {
    range.onAnomaly(change, anomaly);
    misfits.add(change.sequence);
  }

  #touch(body: ChangeBody): void {
    const touched = this.#touched;
    if (body.kind === 'link' || body.kind === 'unlink' || body.kind === 'rename') touched.add(body.parent);
    if (body.kind === 'rename') touched.add(body.toParent);
    if (body.kind === 'create' && body.parent !== undefined) touched.add(body.parent);
    // Attributes are lost with some writes, so every node that changed has them looked at.
    if ('node' in body && body.node !== undefined) touched.add(body.node, true);
  }

  async #openFile(node: NodeId): Promise<TreeFile> {
    const { namespace } = this.#options;
    const spot = await this.#places.spot(node);
    try {
      const file = await this.#places.permitted(spot, { name: spot.name, node }, () => spot.directory.openFile(spot.name, 'write'));
      const mark = namespace.mark(node);
      if (mark !== undefined && sameMark(mark, await file.stat())) return file;
      await file.close();
      throw new DivergenceError(`${shownPath(pathOf(namespace, node))} is another file than the replica made`);
    } finally {
      spot.release();
    }
  }
}
