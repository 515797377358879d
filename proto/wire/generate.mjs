/** Generates the protobuf code from the .proto files; its output is committed. */
import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const bin = join(here, '..', '..', 'node_modules', '.bin');
const sources = [join(here, 'change.proto'), join(here, 'service.proto')];
const target = join(here, 'generated', 'messages');
const keep = ['--no-create', '--no-verify', '--no-convert', '--no-delimited', '--no-typeurl', '--no-beautify', '--no-service'];
execFileSync(join(bin, 'pbjs'), ['-t', 'static-module', '-w', 'es6', '--force-long', ...keep, '-o', `${target}.js`, ...sources], { stdio: 'inherit' });
execFileSync(join(bin, 'pbts'), ['-o', `${target}.d.ts`, `${target}.js`], { stdio: 'inherit' });
