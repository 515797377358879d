/** Runs command lines of a program one after the other in this process, and prints what each said and with which code it would have ended. */
import { pathToFileURL } from 'node:url';

const [main, lines] = process.argv.slice(2) as [string, string];
// Each line listens anew for what ends a program.
process.setMaxListeners(0);
process.stdout.setMaxListeners(0);
const outcomes: { code: number; stdout: string; stderr: string }[] = [];
const writes = { stdout: process.stdout.write.bind(process.stdout), stderr: process.stderr.write.bind(process.stderr) };
for (const [place, words] of (JSON.parse(lines) as string[][]).entries()) {
  const said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    process[stream].write = (text: string | Uint8Array): boolean => {
      said[stream] += String(text);
      return true;
    };
  }
  process.argv = [process.execPath, main, ...words];
  process.exitCode = undefined;
  // Another query is another module: the program begins anew, what it imports is kept.
  await import(`${pathToFileURL(main).href}?line=${place}`);
  outcomes.push({ code: Number(process.exitCode ?? 0), ...said });
}
process.stdout.write = writes.stdout;
process.stderr.write = writes.stderr;
process.exitCode = 0;
process.stdout.write(JSON.stringify(outcomes));
