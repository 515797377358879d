/** A look at a whole tree or parts of it, spread over bounded steps; what is gone is judged last. */
import { setImmediate } from 'node:timers/promises';
import type { Survey, SurveyTask } from './survey.js';
import type { VolumeParts } from './volume-parts.js';

export interface LookAccess {
  /** Runs with a new survey of the volume; not at all when its root is missing. */
  survey(options: { readonly deferVanished: boolean }, run: (survey: Survey) => Promise<void>): Promise<void>;
  /** Runs tasks of the survey until none is left or `untilMs` (monotonic) is past, applying as it goes. */
  runTasks(survey: Survey, untilMs: number): Promise<void>;
  /** Records what the survey found; true when names moved while it looked. */
  apply(survey: Survey): Promise<boolean>;
}

export class TreeLook {
  readonly #parts: Pick<VolumeParts, 'index' | 'volume'>;
  readonly #tasks: SurveyTask[];
  readonly #vanished: { readonly parent: number; readonly name: string }[] = [];
  #rootDone: boolean;
  /** Names moved while it went on: what it saw may not be one moment's. */
  unstable = false;
  /** Entries listed so far. */
  entries = 0;

  /** `root`: the root's own metadata is looked at too. */
  constructor(parts: Pick<VolumeParts, 'index' | 'volume'>, tasks: readonly SurveyTask[], { root }: { readonly root: boolean }) {
    this.#parts = parts;
    this.#tasks = [...tasks];
    this.#rootDone = !root;
  }

  /** One bounded step; true when everything has been looked at but what is gone. */
  async step(survey: Survey, access: LookAccess, untilMs: number): Promise<boolean> {
    if (!this.#rootDone) survey.differences.set(1, { node: 1, parent: 0, name: '' });
    this.#rootDone = true;
    survey.tasks.push(...this.#tasks.splice(0));
    await access.runTasks(survey, untilMs);
    if (await access.apply(survey)) this.unstable = true;
    this.#tasks.push(...survey.tasks.splice(0));
    for (const gone of survey.vanished.splice(0)) this.#vanished.push(gone);
    this.entries += survey.entries;
    return this.#tasks.length === 0;
  }

  /** What is gone is judged last: moved nodes have been found at their new names by then. Then runs `end`, with the root still there. */
  async judgeVanished(access: LookAccess, end: (survey: Survey) => Promise<void>): Promise<void> {
    const names = new Map<number, Set<string>>();
    let count = 0;
    for (const { parent, name } of this.#vanished.splice(0)) {
      count += 1;
      if (count % 500 === 0) await setImmediate();
      if (this.#parts.index.childNode(this.#parts.volume, parent, name) === 0) continue;
      this.unstable = true;
      const known = names.get(parent);
      if (known === undefined) names.set(parent, new Set([name]));
      else known.add(name);
    }
    await access.survey({ deferVanished: false }, async (survey) => {
      for (const [directory, wanted] of names) survey.tasks.push({ directory, names: wanted, deep: false });
      await access.runTasks(survey, Infinity);
      await access.apply(survey);
      await end(survey);
    });
  }
}
