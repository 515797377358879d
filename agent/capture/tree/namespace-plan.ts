/** Orders namespace operations that turn what the journal holds into what the disk shows. Pure. */

/** One place where a name's node differs, or may differ, from what the journal holds. 0 means no node. */
export interface Position {
  readonly parent: number;
  readonly name: string;
  readonly old: number;
  readonly want: number;
}

export type NamespaceStep =
  | { readonly step: 'create'; readonly node: number; readonly parent: number; readonly name: string }
  | { readonly step: 'link'; readonly node: number; readonly parent: number; readonly name: string }
  | { readonly step: 'unlink'; readonly parent: number; readonly name: string }
  /** The directory and all that is still below it goes, children first. */
  | { readonly step: 'remove-tree'; readonly node: number; readonly parent: number; readonly name: string }
  | { readonly step: 'rename'; readonly parent: number; readonly name: string; readonly toParent: number; readonly toName: string; readonly exchange: boolean };

/** What the planner asks about nodes; all of it as of before the first step. */
export interface NamespaceFacts {
  readonly root: number;
  isDirectory(node: number): boolean;
  /** Whether the node is yet to be created. */
  isNew(node: number): boolean;
  /** Where an existing directory other than the root is. */
  parentOf(directory: number): number | undefined;
  /** How many names an existing node has, those at the positions included. */
  linkCount(node: number): number;
  /** Whether the root directory has no entry of this name. */
  isFreeInRoot(name: string): boolean;
}

/** Names that a node takes for the length of a few steps, when names cannot be freed in any other order. */
export const parkingPrefix = '.afterimage-moving-';

/**
 * The steps, in an order in which each is valid as a system call would be: parents exist, names are
 * free or replaceable, directories are empty when they go, and none moves below itself.
 * Every position ends with the node it wants; all other names stay.
 */
export function planNamespace(positions: readonly Position[], facts: NamespaceFacts): NamespaceStep[] {
  return new Planner(positions, facts).run();
}

interface Place {
  readonly parent: number;
  readonly name: string;
  readonly want: number;
  now: number;
}

interface NodeState {
  readonly node: number;
  exists: boolean;
  readonly directory: boolean;
  /** Names outside the places in play, which stay. */
  kept: number;
  readonly current: Set<Place>;
  /** Places that want this node and do not have it yet. */
  readonly missing: Set<Place>;
  parked: boolean;
}

class Planner {
  readonly #facts: NamespaceFacts;
  readonly #places = new Map<string, Place>();
  readonly #nodes = new Map<number, NodeState>();
  readonly #parents = new Map<number, number>();
  readonly #steps: NamespaceStep[] = [];
  readonly #work: Place[] = [];
  readonly #waitingForParent = new Map<number, Place[]>();
  readonly #dead = new Set<Place>();
  #parkings = 0;

  constructor(positions: readonly Position[], facts: NamespaceFacts) {
    this.#facts = facts;
    for (const { parent, name, old, want } of positions) {
      if (old === want) continue;
      this.#places.set(placeKey(parent, name), { parent, name, want, now: old });
    }
    for (const place of this.#places.values()) {
      if (place.now !== 0) {
        const state = this.#state(place.now);
        state.current.add(place);
        state.kept -= 1;
        this.#dead.add(place);
      }
      if (place.want !== 0) this.#state(place.want).missing.add(place);
    }
  }

  run(): NamespaceStep[] {
    // Directories first and in the order given, so that what goes into them finds them.
    const wanted = [...this.#places.values()].filter((place) => place.want !== 0);
    this.#work.push(...wanted.filter((place) => !this.#state(place.want).directory).reverse());
    this.#work.push(...wanted.filter((place) => this.#state(place.want).directory).reverse());
    for (;;) {
      this.#drain();
      if (this.#removeNames()) continue;
      const open = [...this.#places.values()].filter((place) => place.want !== 0 && place.now !== place.want);
      if (open.length === 0) break;
      // A directory that was in the way of a move may have moved itself meanwhile.
      const stepsBefore = this.#steps.length;
      this.#work.push(...open);
      this.#drain();
      if (this.#steps.length > stepsBefore) continue;
      if (this.#removeDeadTrees(open)) continue;
      if (this.#exchangeOne(open)) continue;
      if (this.#parkOne(open)) continue;
      throw new Error(`namespace cannot be ordered: ${open.length} of ${this.#places.size} names are left`);
    }
    return this.#steps;
  }

  #drain(): void {
    for (let place = this.#work.pop(); place !== undefined; place = this.#work.pop()) this.#satisfy(place);
  }

  /** Puts the wanted node at its place when that is possible now. */
  #satisfy(place: Place): void {
    if (place.want === 0 || place.now === place.want) return;
    const wanted = this.#state(place.want);
    if (!this.#directoryExists(place.parent)) {
      const waiting = this.#waitingForParent.get(place.parent) ?? [];
      waiting.push(place);
      this.#waitingForParent.set(place.parent, waiting);
      return;
    }
    const source = wanted.exists ? surplus(wanted) : undefined;
    if (wanted.exists && wanted.directory) {
      if (source === undefined || this.#isWithin(place.parent, wanted.node)) return;
    }
    if (place.now !== 0) {
      const occupant = this.#state(place.now);
      if (occupant.directory || !mayLose(occupant)) return;
      // A file may be replaced by renaming another over it; anything else needs the name free.
      if (source === undefined || wanted.directory) this.#unlink(place);
    }
    if (!wanted.exists) {
      this.#steps.push({ step: 'create', node: wanted.node, parent: place.parent, name: place.name });
      wanted.exists = true;
      this.#occupy(place, wanted);
    } else if (source !== undefined) {
      this.#move(source, place, wanted);
    } else {
      this.#steps.push({ step: 'link', node: wanted.node, parent: place.parent, name: place.name });
      this.#occupy(place, wanted);
    }
  }

  #move(source: Place, place: Place, wanted: NodeState): void {
    this.#steps.push({ step: 'rename', parent: source.parent, name: source.name, toParent: place.parent, toName: place.name, exchange: false });
    if (place.now !== 0) {
      this.#state(place.now).current.delete(place);
      this.#dead.delete(place);
    }
    wanted.current.delete(source);
    this.#vacate(source);
    this.#occupy(place, wanted);
  }

  #occupy(place: Place, wanted: NodeState): void {
    place.now = wanted.node;
    wanted.current.add(place);
    wanted.missing.delete(place);
    if (!wanted.directory) {
      // More names for the node may have waited for it to exist.
      for (const other of wanted.missing) this.#work.push(other);
      return;
    }
    this.#parents.set(wanted.node, place.parent);
    const waiting = this.#waitingForParent.get(wanted.node);
    if (waiting === undefined) return;
    this.#waitingForParent.delete(wanted.node);
    this.#work.push(...waiting);
  }

  #vacate(place: Place): void {
    place.now = 0;
    this.#dead.delete(place);
    if (place.want !== 0) this.#work.push(place);
    else this.#places.delete(placeKey(place.parent, place.name));
  }

  #unlink(place: Place): void {
    this.#steps.push({ step: 'unlink', parent: place.parent, name: place.name });
    this.#state(place.now).current.delete(place);
    this.#dead.delete(place);
    place.now = 0;
  }

  /** Drops names of files that nothing waits for any more. */
  #removeNames(): boolean {
    let removed = false;
    for (const place of this.#dead) {
      const state = this.#state(place.now);
      if (state.directory || state.missing.size > 0) continue;
      if (place.want !== 0 && !mayLose(state)) continue;
      this.#unlink(place);
      this.#vacate(place);
      removed = true;
    }
    if (removed) return true;
    // With every wanted name in place the dead trees hold nothing of value.
    const open = [...this.#dead].some((place) => this.#state(place.now).directory);
    return open && this.#removeDeadTrees([...this.#places.values()].filter((place) => place.want !== 0 && place.now !== place.want));
  }

  #removeDeadTrees(open: readonly Place[]): boolean {
    const needed = new Set<number>();
    for (const { want } of open) {
      const state = this.#state(want);
      // One name that stays is enough to be reached by: the others may go with their tree.
      if (!state.exists || state.parked || state.kept > 0 || isSettled(state)) continue;
      for (const link of state.current) {
        for (let at: number | undefined = link.parent; at !== undefined && !needed.has(at); at = this.#parentOf(at)) needed.add(at);
      }
    }
    const removed = new Set<number>();
    for (const place of [...this.#dead]) {
      const state = this.#state(place.now);
      if (!state.directory || state.missing.size > 0 || needed.has(state.node)) continue;
      if (this.#isWithinAny(place.parent, removed)) continue;
      this.#steps.push({ step: 'remove-tree', node: state.node, parent: place.parent, name: place.name });
      removed.add(state.node);
      state.current.delete(place);
      state.exists = false;
      this.#vacate(place);
    }
    if (removed.size === 0) return false;
    // Names inside went with their tree, and must not be removed a second time.
    for (const place of [...this.#dead]) if (this.#isWithinAny(place.parent, removed)) this.#forget(place);
    return true;
  }

  #isWithinAny(directory: number, ancestors: ReadonlySet<number>): boolean {
    for (let at: number | undefined = directory; at !== undefined; at = this.#parentOf(at)) if (ancestors.has(at)) return true;
    return false;
  }

  #forget(place: Place): void {
    this.#state(place.now).current.delete(place);
    this.#dead.delete(place);
    this.#places.delete(placeKey(place.parent, place.name));
  }

  /** Swaps a wanted node with the living one in its place: each swap settles at least one name of a cycle. */
  #exchangeOne(open: readonly Place[]): boolean {
    for (const place of open) {
      const wanted = this.#state(place.want);
      const source = wanted.exists ? surplus(wanted) : undefined;
      if (source === undefined || place.now === 0 || !this.#directoryExists(place.parent)) continue;
      const occupant = this.#state(place.now);
      if (occupant.missing.size === 0) continue;
      if (wanted.directory && this.#isWithin(place.parent, wanted.node)) continue;
      if (occupant.directory && this.#isWithin(source.parent, occupant.node)) continue;
      this.#steps.push({ step: 'rename', parent: source.parent, name: source.name, toParent: place.parent, toName: place.name, exchange: true });
      wanted.current.delete(source);
      occupant.current.delete(place);
      this.#dead.delete(place);
      source.now = 0;
      this.#dead.delete(source);
      this.#occupy(place, wanted);
      source.now = occupant.node;
      occupant.current.add(source);
      if (source.want === occupant.node) occupant.missing.delete(source);
      else this.#dead.add(source);
      if (occupant.directory) this.#parents.set(occupant.node, source.parent);
      for (const other of [...occupant.missing, ...wanted.missing]) this.#work.push(other);
      return true;
    }
    return false;
  }

  /** Moves one node to a spare name in the root, where it blocks nothing; each node is parked once at most. */
  #parkOne(open: readonly Place[]): boolean {
    for (const { want } of open) {
      const state = this.#state(want);
      const source = state.exists ? surplus(state) : undefined;
      if (source === undefined || state.parked) continue;
      let name: string;
      do {
        this.#parkings += 1;
        name = `${parkingPrefix}${this.#parkings}`;
      } while (!this.#facts.isFreeInRoot(name) || this.#places.has(placeKey(this.#facts.root, name)));
      const parking: Place = { parent: this.#facts.root, name, want: 0, now: state.node };
      this.#places.set(placeKey(parking.parent, name), parking);
      this.#steps.push({ step: 'rename', parent: source.parent, name: source.name, toParent: parking.parent, toName: name, exchange: false });
      state.current.delete(source);
      state.current.add(parking);
      state.parked = true;
      this.#dead.add(parking);
      if (state.directory) this.#parents.set(state.node, parking.parent);
      this.#vacate(source);
      this.#work.push(...open.filter((place) => place.now !== place.want).reverse());
      return true;
    }
    return false;
  }

  #directoryExists(node: number): boolean {
    return this.#nodes.get(node)?.exists ?? !this.#facts.isNew(node);
  }

  /** Whether `directory` is `ancestor` or lies below it, as names stand now. */
  #isWithin(directory: number, ancestor: number): boolean {
    for (let at: number | undefined = directory; at !== undefined; at = this.#parentOf(at)) if (at === ancestor) return true;
    return false;
  }

  #parentOf(directory: number): number | undefined {
    if (directory === this.#facts.root) return undefined;
    return this.#parents.get(directory) ?? (this.#facts.isNew(directory) ? undefined : this.#facts.parentOf(directory));
  }

  #state(node: number): NodeState {
    const known = this.#nodes.get(node);
    if (known !== undefined) return known;
    const exists = !this.#facts.isNew(node);
    const state: NodeState = {
      node,
      exists,
      directory: this.#facts.isDirectory(node),
      kept: exists ? this.#facts.linkCount(node) : 0,
      current: new Set(),
      missing: new Set(),
      parked: false,
    };
    this.#nodes.set(node, state);
    return state;
  }
}

/** A name of the node at a place that is meant for something else. */
function surplus(state: NodeState): Place | undefined {
  for (const place of state.current) if (place.want !== state.node) return place;
  return undefined;
}

/** Whether the node has a name already that it is to keep. */
function isSettled(state: NodeState): boolean {
  for (const place of state.current) if (place.want === state.node) return true;
  return false;
}

/** Whether the node can do without one of its names: it is wanted nowhere else, or has another. */
function mayLose(state: NodeState): boolean {
  return state.missing.size === 0 || state.current.size + state.kept > 1;
}

function placeKey(parent: number, name: string): string {
  return `${parent}/${name}`;
}
