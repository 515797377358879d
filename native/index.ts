/** The typed front door to what the machine gives us; the only place that loads the native addon. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NATIVE_INTERFACE_VERSION, type NativeAddon } from './host/addon.js';
import type { DirectoryOpener } from './host/directory.js';
import { plainDirectories } from './host/plain-directory.js';
import { systemDirectoryOpener } from './host/system-directory.js';
import type { SystemOptions } from './host/system-file.js';

export type { NativeAddon };

type Loaded = { readonly addon: NativeAddon } | { readonly reason: string };

/** The nearest directory above this file that holds the package: the same from dist/ and from source. */
function packageRoot(): string | undefined {
  for (let at = dirname(fileURLToPath(import.meta.url)); ; at = dirname(at)) {
    const manifest = join(at, 'package.json');
    if (existsSync(manifest) && (JSON.parse(readFileSync(manifest, 'utf8')) as { name?: string }).name === 'afterimage') {
      return at;
    }
    if (dirname(at) === at) return undefined;
  }
}

function load(): Loaded {
  if (process.env['AFTERIMAGE_NATIVE'] === 'off') return { reason: 'switched off by AFTERIMAGE_NATIVE=off' };
  const root = packageRoot();
  if (root === undefined) return { reason: 'the package that this file belongs to was not found' };
  const path = join(root, 'native', 'build', 'Release', 'afterimage.node');
  if (!existsSync(path)) return { reason: `not built on this machine (npm run build:native); no ${path}` };
  try {
    const addon = createRequire(import.meta.url)(path) as NativeAddon;
    if (addon.interfaceVersion !== NATIVE_INTERFACE_VERSION) {
      return { reason: `${path} was built from another version (npm run build:native)` };
    }
    return { addon };
  } catch (error) {
    return { reason: `${path} cannot be loaded: ${(error as Error).message}` };
  }
}

let loaded: Loaded | undefined;

/** The addon, or undefined where it is not built, does not fit or is switched off. */
export function loadNative(): NativeAddon | undefined {
  loaded ??= load();
  return 'addon' in loaded ? loaded.addon : undefined;
}

/** Why loadNative gave nothing, for a person to read; undefined when it gave the addon. */
export function nativeUnavailableReason(): string | undefined {
  loaded ??= load();
  return 'reason' in loaded ? loaded.reason : undefined;
}

/** Directories by the best means that this machine has: the addon, or else node:fs. */
function bestDirectories(options: SystemOptions): DirectoryOpener {
  let opener: DirectoryOpener | undefined;
  return {
    openRoot(path) {
      if (opener === undefined) {
        const addon = loadNative();
        opener = addon === undefined ? plainDirectories : systemDirectoryOpener(addon, options);
      }
      return opener.openRoot(path);
    },
  };
}

export const systemDirectories: DirectoryOpener = bestDirectories({ handled: false });

/** The same, whose stats also tell who each inode is (EntryStat.inode) where the machine and the file system can. */
export const handledDirectories: DirectoryOpener = bestDirectories({ handled: true });

/** The same as systemDirectories for a thread of its own: its writes are not handed to yet another thread. */
export const blockingDirectories: DirectoryOpener = bestDirectories({ handled: false, blocking: true });
