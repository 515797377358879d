/** Programs that tests use from Debian's packages: installed where they are missing and root may. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Why a program is not here, after trying to install its package without starting anything; undefined when it is. */
export async function packageReason(program: string, packageName: string): Promise<string | undefined> {
  if (existsSync(program)) return undefined;
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const install = (): Promise<unknown> => run('apt-get', ['install', '-y', '--no-install-recommends', packageName], { env: environment, maxBuffer: 64 * 1024 * 1024 });
  await install().catch(async () => {
    await run('apt-get', ['update']).catch(() => undefined);
    await install().catch(() => undefined);
  });
  return existsSync(program) ? undefined : `${program} is missing, and apt-get cannot install ${packageName}`;
}
