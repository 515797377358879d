/** Names keep every byte, show without lying, and are read back as shown. */
import t from 'tap';
import { FormatError, UsageError } from '../../proto/errors.js';
import { compareNames, displayName, displayPath, nameBytes, nameFault, nameFromBytes, nameFromDisplay, nameFromText, pathFromDisplay, type Name } from '../../proto/name.js';
import { anyName, chance } from './seeded.js';

t.test('every byte value but slash and NUL survives in a name', (t) => {
  for (let byte = 1; byte < 256; byte += 1) {
    if (byte === 0x2f) continue;
    const bytes = Buffer.from([0x61, byte]);
    const name = nameFromBytes(bytes);
    t.ok(nameBytes(name).equals(bytes) && nameFromDisplay(displayName(name)) === name && /^[^\p{Cc}]*$/u.test(displayName(name)), `byte ${byte}`);
  }
  t.end();
});

t.test('any name is shown so that it can be read back', (t) => {
  const c = chance(t);
  for (let round = 0; round < 3000; round += 1) {
    const name = anyName(c);
    if (nameFromDisplay(displayName(name)) !== name) t.fail('did not come back', { name: nameBytes(name).toString('hex') });
  }
  t.end();
});

t.test('names are shown as a person may see them', (t) => {
  const rows: readonly [label: string, bytes: Buffer, shown: string][] = [
    ['plain', Buffer.from('report.txt'), 'report.txt'],
    ['UTF-8', Buffer.from('Füße ✓ 𝔘'), 'Füße ✓ 𝔘'],
    ['Latin-1', Buffer.from([0x46, 0xfc]), 'F\\xfc'],
    ['a backslash', Buffer.from('a\\b'), 'a\\\\b'],
    ['what looks like an escape', Buffer.from('a\\x41'), 'a\\\\x41'],
    ['line feed, return, tab', Buffer.from('a\n\r\t'), 'a\\n\\r\\t'],
    ['a terminal sequence', Buffer.from('\x1b[2J'), '\\x1b[2J'],
    ['a control character of two bytes', Buffer.from('\u009b'), '\\xc2\\x9b'],
    ['a right-to-left override', Buffer.from('a\u202efdp.exe'), 'a\\xe2\\x80\\xaefdp.exe'],
    ['an overlong slash', Buffer.from([0xc0, 0xaf]), '\\xc0\\xaf'],
    ['a surrogate in UTF-8', Buffer.from([0xed, 0xa0, 0x80]), '\\xed\\xa0\\x80'],
    ['past the last code point', Buffer.from([0xf4, 0x90, 0x80, 0x80]), '\\xf4\\x90\\x80\\x80'],
    ['a sequence cut short', Buffer.from([0x61, 0xe2, 0x82]), 'a\\xe2\\x82'],
  ];
  for (const [label, bytes, shown] of rows) {
    t.equal(displayName(nameFromBytes(bytes)), shown, label);
    t.ok(nameBytes(nameFromDisplay(shown)).equals(bytes), `${label}, read back`);
  }
  t.end();
});

t.test('what can be no path component is refused', (t) => {
  const hostile = { empty: '', dot: '.', 'dot dot': '..', slash: 'a/b', 'a slash alone': '/', NUL: 'a\0b', 'too long': 'x'.repeat(4097) };
  for (const [label, text] of Object.entries(hostile)) {
    t.type(nameFault(text), 'string', label);
    t.throws(() => nameFromBytes(Buffer.from(text)), FormatError, label);
    t.throws(() => nameFromDisplay(text), UsageError, label);
  }
  for (const shown of ['\\x2f', '\\x00', '\\x2e\\x2e', '\\q', 'a\\', '\\x4', '\\xzz']) t.throws(() => nameFromDisplay(shown), UsageError, shown);
  for (const text of ['...', '.a', ' ', '-rf', 'x'.repeat(4096), '\\']) t.equal(nameFault(text), undefined, JSON.stringify(text.slice(0, 9)));
  t.end();
});

t.test('paths are shown and read', (t) => {
  const path = [nameFromText('a b'), nameFromText('c\\'), nameFromText('ü')];
  t.equal(displayPath(path), 'a b/c\\\\/ü');
  t.strictSame(pathFromDisplay('/a b//./c\\\\/ü/'), path);
  t.equal(displayPath([]), '.');
  t.strictSame(pathFromDisplay('/'), []);
  t.throws(() => pathFromDisplay('a/../b'), UsageError);
  t.end();
});

t.test('names sort by their bytes', (t) => {
  const c = chance(t);
  const sign = (value: number): number => Math.sign(value);
  for (let round = 0; round < 500; round += 1) {
    const [a, b]: Name[] = [anyName(c), anyName(c)];
    if (sign(compareNames(a!, b!)) !== sign(Buffer.compare(nameBytes(a!), nameBytes(b!)))) t.fail('order differs', { a, b });
  }
  t.equal(compareNames(nameFromText('a'), nameFromText('a')), 0);
  t.end();
});
