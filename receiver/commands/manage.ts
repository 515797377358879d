/** The commands that make and keep a receiver: init, token, revoke, serve, rebuild-catalogue, rebuild-replica. */
import { Option, type Command } from 'commander';
import { systemClock } from '../../native/host/clock.js';
import { systemFiles } from '../../native/host/files.js';
import { systemRandom } from '../../native/host/random.js';
import { formatDuration, formatJson, formatTime, parseDuration } from '../../native/terminal/format.js';
import { newCommand, shutdownSignal, withExamples } from '../../native/terminal/program.js';
import { UsageError } from '../../proto/errors.js';
import { checkIdentityName, roles, type Role } from '../../proto/identity.js';
import { dataLayout, defaultListen, parseListen } from '../config.js';
import { DataDirectory } from '../data.js';
import { CertificateAuthority } from '../identity/authority.js';
import { TokenBook } from '../identity/tokens.js';
import { claimDirectory, rebuildReplica, serveReceiver } from '../receiver.js';
import { Catalogue } from '../store/catalogue.js';
import { LocalSegmentStore } from '../store/local-segment-store.js';
import { rebuildCatalogue } from '../store/rebuild.js';
import { revoke } from '../store/revocations.js';
import { openLogger, withData, withJson, withLogLevel, type DataOption, type JsonOption, type LogLevelOption } from './options.js';

const operator = 'operator local';

export function initCommand(): Command {
  const command = withJson(withData(newCommand('init')))
    .description('make a data directory with its own certificate authority; run again with other names, it renews the server certificate')
    .option('--name <dns-or-ip...>', 'name or address that agents dial; may be repeated', [])
    .action(async (options: DataOption & JsonOption & { name: string[] }) => {
      const layout = dataLayout(options.data);
      await systemFiles.makeDirectory(layout.directory);
      const place = { files: systemFiles, directory: layout.authority, clock: systemClock };
      const isThere = await CertificateAuthority.exists(place);
      const authority = isThere ? await CertificateAuthority.open({ ...place, ...(options.name.length === 0 ? {} : { names: options.name }) }) : await CertificateAuthority.create({ ...place, names: options.name });
      for (const directory of [layout.journals, layout.replicas]) await systemFiles.makeDirectory(directory);
      Catalogue.open({ path: layout.catalogue }).close();
      const answer = { data: options.data, names: authority.names, fingerprint: authority.fingerprint.toString('hex'), made: !isThere };
      const next = `start it with "afterimage-receiver serve --data ${options.data}", and let hosts in with "afterimage-receiver token --data ${options.data} --host NAME"`;
      process.stdout.write(options.json === true ? `${formatJson(answer)}\n` : `${isThere ? 'renewed the server certificate' : 'made a receiver'} in ${options.data} for ${authority.names.join(', ')}; authority ${answer.fingerprint}\n${isThere ? 'restart "serve" to use it' : next}\n`);
    });
  return withExamples(command, 'afterimage-receiver init --data /var/lib/afterimage --name backup.example.com --name 192.0.2.7');
}

export function tokenCommand(): Command {
  const command = withJson(withData(newCommand('token')))
    .description('make a one-time token that lets one host enrol')
    .requiredOption('--host <name>', 'name that the host will have')
    .option('--ttl <time>', 'how long it can be used', '1h')
    .addOption(new Option('--role <role>', 'what its holder may do').choices(roles).default('host'))
    .action(async (options: DataOption & JsonOption & { host: string; ttl: string; role: Role }) => {
      checkIdentityName(options.host);
      const ttlMs = parseDuration(options.ttl);
      if (ttlMs === undefined || ttlMs < 1000) throw new UsageError(`--ttl ${options.ttl} is no time of at least 1s; write it as 15m, 1h or 2d`);
      await using data = await DataDirectory.open(options.data, { readOnly: false });
      const authority = await CertificateAuthority.open({ files: systemFiles, directory: data.layout.authority, clock: systemClock });
      const tokens = new TokenBook({ store: data.catalogue.access, clock: systemClock, random: systemRandom, caFingerprint: authority.fingerprint });
      const token = await tokens.issue({ host: options.host, role: options.role, ttlMs });
      data.catalogue.access.audit({ timeNs: systemClock.wallNs(), identity: operator, act: 'token', detail: { host: options.host, role: options.role, ttlMs } });
      const expires = formatTime(systemClock.wallNs() + BigInt(ttlMs) * 1_000_000n);
      process.stdout.write(options.json === true ? `${formatJson({ token, host: options.host, role: options.role, expires })}\n` : `${token}\n`);
      if (options.json !== true) process.stderr.write(`good once, for ${formatDuration(ttlMs)}: afterimage-agent enroll --receiver ${authority.names[0] ?? 'THIS-MACHINE'}:7433 --token ${token}\n`);
    });
  return withExamples(command, 'afterimage-receiver token --data /var/lib/afterimage --host web-1', 'afterimage-receiver token --data /var/lib/afterimage --host alice --role operator --ttl 15m');
}

export function revokeCommand(): Command {
  const command = withData(newCommand('revoke'))
    .description('refuse all certificates that a host has; a new token lets it in again')
    .requiredOption('--host <name>', 'whose certificates')
    .action(async (options: DataOption & { host: string }) => {
      await using data = await DataDirectory.open(options.data, { readOnly: false });
      const issued = data.catalogue.access.identities().filter((identity) => identity.name === options.host && identity.revokedMs === undefined);
      if (issued.length === 0) throw new UsageError(`no certificate of ${options.host} is on record that is not revoked already`);
      for (const { serial, name, role } of issued) {
        const revocation = { serial, name, role, revokedMs: Number(systemClock.wallNs() / 1_000_000n) };
        await revoke({ files: systemFiles, directory: options.data, catalogue: data.catalogue, revocation });
      }
      data.catalogue.access.audit({ timeNs: systemClock.wallNs(), identity: operator, act: 'revoke', detail: { host: options.host, certificates: issued.length } });
      process.stdout.write(`revoked ${issued.length} certificates of ${options.host}\n`);
    });
  return withExamples(command, 'afterimage-receiver revoke --data /var/lib/afterimage --host web-1');
}

export function serveCommand(): Command {
  const command = withLogLevel(withData(newCommand('serve')), 'info')
    .description('receive journals and keep the replicas, until interrupted')
    .option('--listen <host:port>', 'where agents connect', defaultListen)
    .option('--no-replica', 'keep journals only')
    .action(async (options: DataOption & LogLevelOption & { listen: string; replica: boolean }) => {
      const logger = openLogger(options.logLevel);
      await serveReceiver({ data: options.data, listen: parseListen(options.listen), replica: options.replica, logLevel: options.logLevel, files: systemFiles, clock: systemClock, random: systemRandom, logger }, shutdownSignal(), ({ host, port }) => {
        process.stdout.write(`listening on ${host.includes(':') ? `[${host}]` : host}:${port}\n`);
      });
    });
  return withExamples(command, 'afterimage-receiver serve --data /var/lib/afterimage', 'afterimage-receiver serve --data /var/lib/afterimage --listen 192.0.2.7:7433');
}

export function rebuildCatalogueCommand(): Command {
  const command = withJson(withData(newCommand('rebuild-catalogue')))
    .description('derive the catalogue anew from the segments; stop "serve" first')
    .action(async (options: DataOption & JsonOption) => {
      const layout = dataLayout(options.data);
      if (!(await systemFiles.exists(layout.authority))) throw new UsageError(`${options.data} is no receiver's data directory; make one with "afterimage-receiver init --data ${options.data}"`);
      using claim = claimDirectory(layout);
      void claim;
      using catalogue = Catalogue.open({ path: layout.catalogue });
      await using store = new LocalSegmentStore({ files: systemFiles, directory: layout.journals });
      const rebuilt = await rebuildCatalogue({ store, catalogue, files: systemFiles, directory: options.data });
      const answer = { journals: rebuilt.journals, nameless: rebuilt.nameless.map((journal) => journal.toString('hex')), damage: rebuilt.damage };
      const lines = [`rebuilt the catalogue of ${rebuilt.journals} journals; unused tokens and the audit log are not in the segments`, ...answer.nameless.map((journal) => `journal ${journal} has no host: that host has to enrol again`), ...answer.damage.map((damage) => `damage: ${formatJson(damage)}`)];
      process.stdout.write(`${options.json === true ? formatJson(answer) : lines.join('\n')}\n`);
      if (answer.damage.length > 0) process.exitCode = 1;
    });
  return withExamples(command, 'afterimage-receiver rebuild-catalogue --data /var/lib/afterimage');
}

export function rebuildReplicaCommand(): Command {
  const command = withData(newCommand('rebuild-replica'))
    .description('make the replica of a volume anew from the journal; stop "serve" first')
    .requiredOption('--host <name>', 'whose volume')
    .requiredOption('--volume <name>', 'which volume')
    .action(async (options: DataOption & { host: string; volume: string }) => {
      await using data = await DataDirectory.open(options.data, { readOnly: false });
      using claim = claimDirectory(data.layout);
      void claim;
      const [host] = data.hosts(options.host);
      const volumes = data.catalogue.journals.volumes(host!.journal).filter((volume) => volume.name === options.volume);
      const volume = volumes.find((each) => each.retiredNs === undefined) ?? volumes.at(-1);
      if (volume === undefined) throw new UsageError(`host ${options.host} has no volume named ${options.volume}`);
      const path = await rebuildReplica({ data, host: host!, volume: volume.volume, clock: systemClock, files: systemFiles });
      process.stdout.write(`the replica of ${options.volume} is rebuilt in ${path}\n`);
    });
  return withExamples(command, 'afterimage-receiver rebuild-replica --data /var/lib/afterimage --host web-1 --volume data');
}
