/** Processor time of processes, and the small programs that make load. */
import { readFileSync } from 'node:fs';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export const execute = promisify(execFile);
/** sysconf(_SC_CLK_TCK) on every Linux. */
const ticksPerSecond = 100;

/** Seconds of processor time of a process, with those of its children that have ended (proc_pid_stat(5)). */
export function processorSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\) /s, '').split(' ').map(Number);
  return (fields[11]! + fields[12]! + fields[13]! + fields[14]!) / ticksPerSecond;
}

const writer = `
import os, sys, time
path, seconds, every, rate = sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
size = int(sys.argv[5]) if len(sys.argv) > 5 else 4096
pool, fd, count = memoryview(os.urandom(1 << 25)), os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC), 0
span = len(pool) - size
start = time.monotonic()
end = start + seconds
while time.monotonic() < end:
    for _ in range(16):
        piece = count * 32452843 % span
        os.pwrite(fd, pool[piece:piece + size], (count * 7919 % 16384) * 4096 if size == 4096 else count * size % (1 << 28))
        count += 1
        if every and count % every == 0: os.fdatasync(fd)
    if rate:
        ahead = start + count / rate - time.monotonic()
        if ahead > 0: time.sleep(ahead)
print(count / (time.monotonic() - start))
`;

export interface WriteLoad {
  readonly path: string;
  readonly seconds: number;
  /** fdatasync after so many writes; never when absent. */
  readonly syncEvery?: number;
  /** Writes a second; as fast as it goes when absent. */
  readonly rate?: number;
  /** Of one write; 4 KiB at scattered offsets when absent, others one after the other. */
  readonly bytes?: number;
}

/** Writes pieces to a file that neither by themselves nor together can be compressed; resolves to how many a second. */
export async function writeFor({ path, seconds, syncEvery = 0, rate = 0, bytes = 4096 }: WriteLoad): Promise<number> {
  return Number((await execute('python3', ['-c', writer, path, `${seconds}`, `${syncEvery}`, `${rate}`, `${bytes}`])).stdout);
}
