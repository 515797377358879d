/** Builds the exact capture engine, the BPF programs and their addon, where the machine has what that takes. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const nativeRoot = dirname(fileURLToPath(import.meta.url));
const release = join(nativeRoot, 'build', 'Release');
const programs = join(release, 'capture.bpf.o');
const addon = join(release, 'afterimage-capture.node');
const stamp = join(nativeRoot, 'build', 'capture-built-for.json');
const bpfArchitecture = { x64: 'x86', arm64: 'arm64' }[process.arch];
const clang = process.env.CLANG ?? 'clang';

function filesBelow(folder) {
  return readdirSync(join(nativeRoot, folder)).map((name) => join(nativeRoot, folder, name));
}

function isCurrent(builtFor) {
  if (!existsSync(addon) || !existsSync(programs) || !existsSync(stamp) || readFileSync(stamp, 'utf8') !== builtFor) return false;
  const sources = [join(nativeRoot, 'binding.gyp'), ...filesBelow('src/capture'), ...filesBelow('bpf')];
  const builtMs = Math.min(statSync(addon).mtimeMs, statSync(programs).mtimeMs);
  return sources.every((source) => statSync(source).mtimeMs < builtMs);
}

function run(program, options) {
  const { status, stdout, stderr, error } = spawnSync(program, options, { encoding: 'utf8', cwd: nativeRoot });
  return { ok: status === 0, output: `${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}` };
}

/** The link options with which a shared object that uses libbpf can be made, the most self-contained first. */
function linkOptions() {
  const folder = mkdtempSync(join(tmpdir(), 'afterimage-'));
  try {
    const source = join(folder, 'probe.cc');
    writeFileSync(source, '#include <bpf/libbpf.h>\nextern "C" void* probe() { return bpf_object__open_file("", nullptr); }\n');
    // Some distributions build their archives in a way that only programs can link.
    for (const options of ['-l:libbpf.a -l:libelf.a -l:libz.a', '-lbpf -lelf -lz']) {
      // Every symbol is to be found when linking, not only when loading.
      const command = ['-shared', '-fPIC', '-Wl,-z,defs', source, '-o', join(folder, 'probe.so'), ...options.split(' ')];
      if (run(process.env.CXX ?? 'g++', command).ok) return options;
    }
    return undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Builds what is missing or stale; `runGyp` builds all targets with the options it is given. Prints how it went. */
export function buildCapture(builtFor, runGyp) {
  if (process.platform !== 'linux' || bpfArchitecture === undefined || isCurrent(builtFor)) return;
  const need =
    'It needs clang, and libbpf, libelf and zlib with their headers (on Debian and Ubuntu: ' +
    'apt-get install clang libbpf-dev libelf-dev zlib1g-dev). Afterimage works without it through the portable engine.';
  if (!run(clang, ['--version']).ok) return console.error(`exact capture: not built, because there is no clang. ${need}`);
  const libraries = linkOptions();
  if (libraries === undefined) return console.error(`exact capture: not built, because libbpf cannot be linked. ${need}`);
  mkdirSync(release, { recursive: true });
  const compile = run(clang, [
    ...['-target', 'bpf', '-mcpu=v3', '-O2', '-g', '-Wall', `-D__TARGET_ARCH_${bpfArchitecture}`],
    ...['-c', join('bpf', 'capture.bpf.c'), '-o', programs],
  ]);
  if (!compile.ok) return console.error(`${compile.output}\nexact capture: not built; the reason is above. ${need}`);
  const { ok, output } = runGyp(['--capture=yes', `--capture_libraries=${libraries}`]);
  if (!ok || !existsSync(addon)) {
    console.error(output.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('gyp info')).slice(-25).join('\n'));
    return console.error(`exact capture: not built; the reason is above. ${need}`);
  }
  writeFileSync(stamp, builtFor);
  console.log('exact capture: built');
}
