/** The list of protected volumes survives restarts, never reuses an id, and refuses what is damaged. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { VolumeRegister, checkVolumeName, volumeNameFor, type VolumeRecord } from '../../agent/volumes.js';
import { systemFiles } from '../../native/host/files.js';
import { asVolumeId } from '../../proto/change.js';

const record = (name: string, volume: number): VolumeRecord => ({ volume: asVolumeId(volume), name, kind: 'tree', path: `/srv/${name}`, engine: 'portable', exclude: ['*.tmp'] });

t.test('what was added is there after reopening, and ids are not used again', async (t) => {
  const path = join(t.testdir({}), 'volumes.json');
  const register = await VolumeRegister.open(systemFiles, path);
  t.equal(register.nextVolume(0), 1);
  await register.add(record('home', 1));
  await register.add(record('mail', 2));
  await register.remove('mail');
  const again = await VolumeRegister.open(systemFiles, path);
  t.same(again.records, [record('home', 1)]);
  t.equal(again.nextVolume(0), 3, 'a removed volume keeps its id');
  t.equal(again.nextVolume(9), 10, 'the receiver may know of more');
});

t.test('a damaged list is refused with its path', async (t) => {
  const path = join(t.testdir({}), 'volumes.json');
  for (const content of ['', '{', '{"version":2,"volumes":[]}', '{"version":1,"lastVolume":1,"volumes":[{"name":"../x"}]}', '{"version":1,"lastVolume":1,"volumes":[{"name":"x","volume":-1}]}']) {
    writeFileSync(path, content);
    await t.rejects(VolumeRegister.open(systemFiles, path), { name: 'FormatError', message: path });
  }
});

t.test('names are checked, and made from paths', async (t) => {
  for (const name of ['', '.', '..', 'a/b', '-x', 'ü', 'a b', 'x'.repeat(65)]) t.throws(() => checkVolumeName(name), { name: 'UsageError' });
  for (const name of ['a', 'home', 'db-1.main', '_x', 'x'.repeat(64)]) t.doesNotThrow(() => checkVolumeName(name));
  t.equal(volumeNameFor('/srv/my data', new Set()), 'my-data');
  t.equal(volumeNameFor('/srv/data', new Set(['data', 'data-2'])), 'data-3');
  t.equal(volumeNameFor('/', new Set()), 'root');
  t.equal(volumeNameFor('/...', new Set()), 'volume');
});
