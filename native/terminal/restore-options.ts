/** Options of the restore commands of both programs, and what their help says of device volumes. */
import { InvalidArgumentError, type Command } from 'commander';

export interface TargetOptions {
  readonly to: string;
  readonly path: readonly string[];
  readonly partition?: number;
  readonly inPlace?: boolean;
  readonly yesOverwrite?: string;
  readonly dryRun?: boolean;
  readonly exactOnly?: boolean;
  readonly sync: boolean;
}

export function withTarget(command: Command): Command {
  return command
    .requiredOption('--to <target>', 'directory to restore into; for a device volume an image file or a block device')
    .option('--path <path...>', 'only this path below the volume\'s root; may be repeated', [])
    .option('--partition <number>', 'with --path, of a device volume: the partition whose file system is meant', wholeNumber)
    .option('--in-place', 'the target is there: write what differs, delete what did not exist then')
    .option('--yes-overwrite <device>', 'the block device of --to once more: what it holds is lost')
    .option('--dry-run', 'say what would be done, write nothing to the target')
    .option('--exact-only', 'refuse a point that is not labelled exact')
    .option('--no-sync', 'return without waiting until all of it survives power loss')
    .addHelpText('after', `
Device volumes:
  The whole volume becomes a sparse raw image in a new file, or is brought to the point in an existing file with
  --in-place. A block device must not be in use; everything on it is written, or with --in-place what differs.
  With --path, files are taken out of the file system on the volume (Linux, root; ext2/3/4, xfs, btrfs, vfat, exfat):
  the image is written beside the target for that time, mounted read-only and removed. A partition need not be
  named where only one holds a file system that can be mounted.`);
}

function wholeNumber(text: string): number {
  if (!/^[1-9][0-9]{0,3}$/.test(text)) throw new InvalidArgumentError('It must be the number of a partition.');
  return Number(text);
}
