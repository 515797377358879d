/** Builds the native addon when it is missing or stale; where it cannot be built, says so and leaves the portable path. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildCapture } from './build-capture.mjs';

const nativeRoot = dirname(fileURLToPath(import.meta.url));
const packageRoot = dirname(nativeRoot);
const product = join(nativeRoot, 'build', 'Release', 'afterimage.node');
const stamp = join(nativeRoot, 'build', 'afterimage-built-for.json');
const builtFor = JSON.stringify({ abi: process.versions.modules, platform: process.platform, arch: process.arch });
const supported = ['linux', 'darwin'];

function isCurrent() {
  if (!existsSync(product) || !existsSync(stamp) || readFileSync(stamp, 'utf8') !== builtFor) return false;
  const sources = [join(nativeRoot, 'binding.gyp')];
  for (const entry of readdirSync(join(nativeRoot, 'src'), { withFileTypes: true })) {
    if (entry.isFile()) sources.push(join(nativeRoot, 'src', entry.name));
  }
  const builtMs = statSync(product).mtimeMs;
  return sources.every((source) => statSync(source).mtimeMs < builtMs);
}

/** Headers beside this Node.js, as its own archives and the distributions' development packages place them. */
function localHeaders() {
  const prefix = dirname(dirname(process.execPath));
  const versionHeader = join(prefix, 'include', 'node', 'node_version.h');
  if (!existsSync(versionHeader)) return [];
  const text = readFileSync(versionHeader, 'utf8');
  const number = (part) => new RegExp(`#define NODE_${part}_VERSION (\\d+)`).exec(text)?.[1];
  const version = `${number('MAJOR')}.${number('MINOR')}.${number('PATCH')}`;
  return version === process.versions.node ? [`--nodedir=${prefix}`] : [];
}

function runGyp(options = []) {
  const gyp = join(packageRoot, 'node_modules', 'node-gyp', 'bin', 'node-gyp.js');
  if (!existsSync(gyp)) return { ok: false, output: 'node-gyp is not installed: run "npm run setup" first' };
  const headers = process.env.npm_config_nodedir === undefined ? localHeaders() : [];
  // Objects for another Node.js or platform must not be linked into this product.
  const sameTarget = existsSync(stamp) && readFileSync(stamp, 'utf8') === builtFor;
  const commands = sameTarget ? ['configure', 'build'] : ['clean', 'configure', 'build'];
  let output = '';
  for (const command of commands) {
    const run = spawnSync(process.execPath, [gyp, command, '-C', nativeRoot, ...headers, ...options], {
      cwd: packageRoot,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    });
    output += `${run.stdout ?? ''}${run.stderr ?? ''}${run.error ? `${run.error.message}\n` : ''}`;
    if (run.status !== 0) return { ok: false, output };
  }
  return { ok: existsSync(product), output };
}

const portable =
  'Afterimage works without it through the portable path over Node.js file calls: no special files, ' +
  'no extended attributes, times to the microsecond.';

if (!supported.includes(process.platform)) {
  console.log(`native addon: not built, because there is none for ${process.platform}. ${portable}`);
} else if (!isCurrent()) {
  const { ok, output } = runGyp();
  if (ok) {
    writeFileSync(stamp, builtFor);
    console.log('native addon: built');
  } else {
    const lines = output.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('gyp info'));
    for (const line of lines.slice(-25)) console.error(line);
    const need =
      process.platform === 'darwin'
        ? 'the Xcode command line tools (xcode-select --install) and Python 3'
        : 'a C++17 compiler, make and Python 3 (on Debian and Ubuntu: apt-get install g++ make python3)';
    console.error(
      `native addon: not built; the reason is above. It needs ${need}, and the headers of Node.js ` +
        `${process.version}, which node-gyp fetches unless they are installed. ${portable}`,
    );
  }
}

if (existsSync(product)) buildCapture(builtFor, runGyp);
