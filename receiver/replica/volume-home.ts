/** The directory of one volume's replica: what lies in it, how a rebuilt generation takes its place, what is left over. */
import type { VolumeKind } from '../../proto/change.js';
import type { Directory, EntryName } from '../../native/host/directory.js';
import { errorCode } from '../../proto/errors.js';
import { imageName } from './device-body.js';
import { Trash } from './trash.js';

export const treeName: EntryName = Buffer.from('tree');
export const rebuildName = (generation: number): EntryName => Buffer.from(`rebuild-${generation}`);
export const stagingName = (generation: number): EntryName => Buffer.from(`staging-${generation}`);
const replacedName = (generation: number): EntryName => Buffer.from(`replaced-${generation}`);

/** Opens a sub-directory, making it when it is missing. */
export async function openOrMake(parent: Directory, name: EntryName): Promise<Directory> {
  if ((await parent.lookup(name)) === undefined) await parent.makeDirectory(name);
  return parent.openDirectory(name);
}

/** The directories that a generation is in. For a tree `content` is the tree itself, for a device it holds the image. */
export interface GenerationPlace {
  readonly content: Directory;
  readonly staging: Directory;
  close(): Promise<void>;
}

export interface GenerationId {
  readonly kind: VolumeKind;
  readonly generation: number;
  /** It is being built beside the one to be seen. */
  readonly beside: boolean;
}

/** Opens the directories of a generation that was made before; ENOENT when they are gone. */
export async function openGeneration(home: Directory, { kind, generation, beside }: GenerationId): Promise<GenerationPlace> {
  const staging = await home.openDirectory(stagingName(generation));
  try {
    return placeOf(home, staging, await openContent(home, { kind, generation, beside }));
  } catch (error) {
    await staging.close();
    throw error;
  }
}

/** Makes the directories of a new generation, empty; what an interrupted attempt left there goes. */
export async function makeGeneration(home: Directory, { kind, generation, beside }: GenerationId): Promise<GenerationPlace> {
  const staging = await openOrMake(home, stagingName(generation));
  try {
    const trash = await Trash.resume({ staging, onStaged: () => {} });
    for (const { name } of await staging.list()) await trash.take(staging, name);
    const content = beside ? rebuildName(generation) : kind === 'tree' ? treeName : imageName;
    const left = await home.lookup(content);
    if (left?.kind === 'directory') await home.setOwnerAndMode(content, { mode: 0o700 });
    if (left !== undefined) await trash.take(home, content);
    await trash.empty();
    if (beside || kind === 'tree') await home.makeDirectory(content);
    const opened = await openContent(home, { kind, generation, beside });
    if (kind === 'device') await (await opened.createFile(imageName)).close();
    return placeOf(home, staging, opened);
  } catch (error) {
    await staging.close();
    throw error;
  }
}

/** Puts a rebuilt generation in the place of the old one. Doing it again after a crash finishes it. */
export async function putInPlace(home: Directory, { kind, generation }: { readonly kind: VolumeKind; readonly generation: number }): Promise<void> {
  const source = rebuildName(generation);
  if ((await home.lookup(source)) === undefined) return;
  if (kind === 'tree') {
    if ((await home.lookup(treeName)) !== undefined) await home.rename(treeName, home, replacedName(generation));
    await home.rename(source, home, treeName);
  } else {
    const directory = await home.openDirectory(source);
    try {
      if ((await directory.lookup(imageName)) !== undefined) await directory.rename(imageName, home, imageName);
    } finally {
      await directory.close();
    }
    await home.removeDirectory(source);
  }
  await home.syncTree();
}

export interface KeptGenerations {
  readonly generation: number;
  readonly rebuilding: number | undefined;
}

/** Numbers of earlier generations and broken-off rebuilds that left something. */
export async function leftoverGenerations(home: Directory, keep: KeptGenerations): Promise<number[]> {
  const entries = await home.list();
  return [...new Set(entries.flatMap(({ name }) => leftover(name, keep)?.generation ?? []))];
}

/** Removes the tree or image that is to be seen, by way of its own staging directory. */
export async function removeContent(home: Directory, { kind, generation }: { readonly kind: VolumeKind; readonly generation: number }): Promise<void> {
  const content = kind === 'tree' ? treeName : imageName;
  const stat = await home.lookup(content);
  if (stat === undefined) return;
  const staging = await openOrMake(home, stagingName(generation));
  try {
    const trash = await Trash.resume({ staging, onStaged: () => {} });
    if (stat.kind === 'directory') await home.setOwnerAndMode(content, { mode: 0o700 });
    await trash.take(home, content);
    await trash.empty();
  } finally {
    await staging.close();
  }
}

/** Removes what they left. */
export async function clearLeftovers(home: Directory, staging: Directory, keep: KeptGenerations): Promise<void> {
  const trash = await Trash.resume({ staging, onStaged: () => {} });
  for (const { name, stat } of await home.list()) {
    if (leftover(name, keep) === undefined) continue;
    // Moving a directory takes the right to write to it, which the source's modes may deny.
    if (stat.kind === 'directory') await home.setOwnerAndMode(name, { mode: 0o700 });
    await trash.take(home, name);
  }
  await trash.empty();
}

/** The generation an entry was left by; a replaced tree is its predecessor's, whose staging directory tells the number. */
function leftover(name: EntryName, { generation, rebuilding }: KeptGenerations): { readonly generation: number | undefined } | undefined {
  const [, what, digits] = /^(rebuild|staging|replaced)-([0-9]{1,9})$/.exec(name.toString('latin1')) ?? [];
  if (what === 'replaced') return { generation: undefined };
  const number = Number(digits);
  return what === undefined || number === rebuilding || (what === 'staging' && number === generation) ? undefined : { generation: number };
}

function placeOf(home: Directory, staging: Directory, content: Directory): GenerationPlace {
  return {
    content,
    staging,
    close: async () => {
      await staging.close();
      if (content !== home) await content.close();
    },
  };
}

/** For a device that is to be seen, the image lies in the volume's directory itself. */
async function openContent(home: Directory, { kind, generation, beside }: GenerationId): Promise<Directory> {
  if (!beside && kind === 'device') return home;
  const name = beside ? rebuildName(generation) : treeName;
  try {
    return await home.openDirectory(name);
  } catch (error) {
    if (errorCode(error) !== 'EACCES') throw error;
    // The source's root may keep out the replica's own user; its mode is set again with the rest.
    await home.setOwnerAndMode(name, { mode: 0o700 });
    return home.openDirectory(name);
  }
}
