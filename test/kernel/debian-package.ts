/** Programs that tests use from Debian's packages: installed where they are missing and root may. */
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

/** Held while something is installed: test files run beside each other, and a package half there is of no use to another. */
const lock = join(tmpdir(), 'afterimage-packages.lock');
const isThere = 'is_there() { command -v "$0" >/dev/null || [ -e "$0" ]; }';
const install = 'apt-get -o DPkg::Lock::Timeout=300 install -y -q --no-install-recommends "$1"';

/**
 * Why a program, by name or by path, is not here, after trying to install its package without starting anything;
 * undefined when it is. Blocks.
 */
export function packageReason(program: string, packageName: string): string | undefined {
  const script = `${isThere}; is_there || ${install} || { apt-get update; ${install}; }; is_there`;
  const { status, stderr } = spawnSync('flock', [lock, 'sh', '-c', script, program, packageName], { env: { ...process.env, PATH: [process.env['PATH'], '/usr/sbin', '/sbin'].join(delimiter), DEBIAN_FRONTEND: 'noninteractive' }, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  return status === 0 ? undefined : `${program} is missing, and apt-get cannot install ${packageName}: ${(stderr ?? '').slice(-500)}`;
}
