/** FORMAT.md and layout.ts say the same: every offset, every length, every limit. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import * as layout from '../../../proto/journal/layout.js';
import { packageRoot } from '../../golden/files.js';

const text = readFileSync(join(packageRoot, 'proto/journal/FORMAT.md'), 'utf8');

/** The cells of the rows of the table below a heading, without its two header lines. */
function tableUnder(heading: string): string[][] {
  const from = text.indexOf(`\n${heading}\n`);
  if (from < 0) throw new RangeError(`FORMAT.md has no heading ${heading}`);
  const lines = text.slice(from + heading.length + 2).split('\n');
  const begin = lines.findIndex((line) => line.startsWith('|'));
  const end = lines.findIndex((line, place) => place > begin && !line.startsWith('|'));
  return lines.slice(begin + 2, end).map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim()));
}

const structures = [
  { heading: '### Frame header', offsets: layout.frame, magic: layout.frameMagic, letters: 'AIFR' },
  { heading: '### Segment head', offsets: layout.segmentHead, magic: layout.segmentMagic, letters: 'AISG' },
  { heading: '### Segment tail', offsets: layout.segmentTail, magic: layout.segmentTailMagic, letters: 'AISE' },
];

for (const { heading, offsets, magic, letters } of structures) {
  t.test(`the table "${heading}" is what the code reads and writes`, (t) => {
    const rows = tableUnder(heading);
    t.strictSame(Object.fromEntries(rows.map(([offset, , field]) => [field, Number(offset)])), { ...offsets }, 'offsets');
    let next = 0;
    for (const [offset, length, field] of rows) {
      t.equal(Number(offset), next, `${field} begins where the field before ends`);
      next += Number(length);
    }
    t.equal(next, offsets.length, 'the lengths add up');
    const meaning = (field: string): string => rows.find((row) => row[2] === field)![3]!;
    t.equal(meaning('magic'), `\`${letters}\` (0x${magic.toString(16)})`);
    t.equal(Buffer.from(letters).readUInt32LE(), magic);
    t.equal(meaning('version'), String(layout.formatVersion));
    t.equal(meaning('headerLength' in offsets ? 'headerLength' : 'tailLength'), String(offsets.length));
    const hash = 'headerHash' in offsets ? 'headerHash' : 'tailHash';
    t.equal(meaning(hash), `xxHash64 of bytes 0 to ${offsets.length - 8 - 1}`, 'the checksum covers all before it');
    t.end();
  });
}

t.test('the limits are those of the code', (t) => {
  const told = Object.fromEntries(tableUnder('## Limits').map(([, value, name]) => [name, Number(value)]));
  const known = Object.fromEntries(Object.keys(told).map((name) => [name, (layout as Record<string, unknown>)[name]]));
  t.strictSame(told, known);
  const numbers = Object.entries(layout).filter(([name, value]) => typeof value === 'number' && !/Magic$|formatVersion/.test(name));
  t.strictSame(Object.keys(told).sort(), numbers.map(([name]) => name).sort(), 'none is missing');
  t.match(text, `version ${layout.formatVersion}\n`);
  t.end();
});
