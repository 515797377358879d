/** Who may speak: hosts, identities and their revocation, enrolment tokens, and the audit log. */
import type { Database, Statement } from '../../native/host/database.js';
import type { TimeNs } from '../../proto/change.js';
import type { Identity, Role } from '../../proto/identity.js';
import type { JournalId } from '../../proto/journal/frame.js';
import { fromColumn, toColumn } from './catalogue-schema.js';

export interface HostRow {
  readonly name: string;
  readonly role: Role;
  readonly journal: JournalId;
  readonly createdNs: TimeNs;
  readonly platform: string;
  readonly agentVersion: string;
  readonly lastSeenNs: TimeNs | undefined;
  readonly connected: boolean;
}

export interface IdentityRow {
  readonly serial: string;
  readonly name: string;
  readonly role: Role;
  readonly fingerprint: string | undefined;
  readonly issuedMs: number | undefined;
  readonly notAfterMs: number | undefined;
  readonly revokedMs: number | undefined;
}

export interface AuditEntry {
  readonly timeNs: TimeNs;
  /** Who did it, as `role name`; or where from, when nobody was identified. */
  readonly identity: string;
  readonly act: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** A token as it is kept: shaped as the receiver's token book hands it over. */
interface TokenRecord {
  readonly id: string;
  readonly secretDigest: Uint8Array;
  readonly host: string;
  readonly role: Role;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  readonly usedAtMs: number | undefined;
}

interface TokenUse {
  readonly id: string;
  readonly usedAtMs: number;
  readonly identity: Identity;
}

type Row = Readonly<Record<string, unknown>>;
type Column = bigint | Buffer;

export class AccessTables {
  readonly #database: Database;
  readonly #durably: <T>(run: () => T) => T;
  readonly #revoked: Statement;

  constructor(database: Database, durably: <T>(run: () => T) => T) {
    this.#database = database;
    this.#durably = durably;
    this.#revoked = database.prepare('SELECT 1 FROM identities WHERE serial = ? AND revoked_ms IS NOT NULL');
  }

  hosts(): HostRow[] {
    return this.#database.prepare('SELECT * FROM hosts ORDER BY name').all().map((row) => hostFrom(row as Row));
  }

  host(name: string): HostRow | undefined {
    const row = this.#database.prepare('SELECT * FROM hosts WHERE name = ?').get(name);
    return row === undefined ? undefined : hostFrom(row as Row);
  }

  hostOf(journal: JournalId): HostRow | undefined {
    const row = this.#database.prepare('SELECT * FROM hosts WHERE journal = ?').get(journal);
    return row === undefined ? undefined : hostFrom(row as Row);
  }

  /** Stores a host, or what is new about one that is known; its journal never changes. */
  putHost(host: Pick<HostRow, 'name' | 'role' | 'journal' | 'createdNs' | 'platform' | 'agentVersion'>): void {
    this.#durably(() =>
      this.#database.prepare(`INSERT INTO hosts (name, role, journal, created_ns, platform, agent_version) VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT (name) DO UPDATE SET platform = excluded.platform, agent_version = excluded.agent_version`)
        .run(host.name, host.role, host.journal, toColumn(host.createdNs), host.platform, host.agentVersion));
  }

  /** That a host came or went: a convenience for listings, so without waiting for the disk. */
  setConnected(journal: JournalId, seen: { readonly connected: boolean; readonly seenNs: TimeNs; readonly platform?: string; readonly agentVersion?: string }): void {
    this.#database.prepare(`UPDATE hosts SET connected = ?, last_seen_ns = ?, platform = coalesce(?, platform), agent_version = coalesce(?, agent_version) WHERE journal = ?`)
      .run(seen.connected ? 1 : 0, toColumn(seen.seenNs), seen.platform ?? null, seen.agentVersion ?? null, journal);
  }

  /** After a start nobody is connected yet, whatever the last run left behind. */
  setNoneConnected(): void {
    this.#database.prepare('UPDATE hosts SET connected = 0 WHERE connected <> 0').run();
  }

  identities(): IdentityRow[] {
    return this.#database.prepare('SELECT * FROM identities ORDER BY name, role, issued_ms, serial').all().map((row) => identityFrom(row as Row));
  }

  putIdentity(identity: Identity & { readonly issuedMs?: number; readonly notAfterMs?: number }): void {
    this.#durably(() => this.#insertIdentity(identity));
  }

  isRevoked(serial: string): boolean {
    return this.#revoked.get(serial) !== undefined;
  }

  /** Revokes one certificate; one that is unknown here is noted all the same. False when it was revoked before. */
  revoke({ serial, name, role, revokedMs }: { readonly serial: string; readonly name: string; readonly role: Role; readonly revokedMs: number }): boolean {
    return this.#durably(() => {
      this.#database.prepare('INSERT INTO identities (serial, name, role) VALUES (?, ?, ?) ON CONFLICT (serial) DO NOTHING').run(serial, name, role);
      return this.#database.prepare('UPDATE identities SET revoked_ms = ? WHERE serial = ? AND revoked_ms IS NULL').run(revokedMs, serial).changes > 0;
    });
  }

  insert(record: TokenRecord): void {
    this.#durably(() =>
      this.#database.prepare('INSERT INTO tokens (id, secret_digest, host, role, issued_ms, expires_ms, used_ms) VALUES (?, ?, ?, ?, ?, ?, ?)')
        .run(record.id, Buffer.from(record.secretDigest), record.host, record.role, record.issuedAtMs, record.expiresAtMs, record.usedAtMs ?? null));
  }

  find(id: string): TokenRecord | undefined {
    const row = this.#database.prepare('SELECT * FROM tokens WHERE id = ?').get(id) as Row | undefined;
    return row === undefined ? undefined : tokenFrom(row);
  }

  /** Marks an unused token used and stores the identity it became, in one step. */
  markUsed({ id, usedAtMs, identity }: TokenUse): boolean {
    return this.#durably(() => {
      const { changes } = this.#database.prepare('UPDATE tokens SET used_ms = ?, used_serial = ? WHERE id = ? AND used_ms IS NULL').run(usedAtMs, identity.serial, id);
      if (changes > 0) this.#insertIdentity({ ...identity, issuedMs: usedAtMs });
      return changes > 0;
    });
  }

  tokens(): TokenRecord[] {
    return this.#database.prepare('SELECT * FROM tokens ORDER BY issued_ms, id').all().map((row) => tokenFrom(row as Row));
  }

  audit(entry: AuditEntry): void {
    this.#durably(() =>
      this.#database.prepare('INSERT INTO audit (time_ns, identity, act, detail) VALUES (?, ?, ?, ?)').run(toColumn(entry.timeNs), entry.identity, entry.act, JSON.stringify(entry.detail)));
  }

  /** The newest entries, oldest of them first. */
  auditEntries(countMax = 1000): AuditEntry[] {
    const rows = this.#database.prepare('SELECT * FROM (SELECT * FROM audit ORDER BY entry DESC LIMIT ?) ORDER BY entry').all(countMax) as Row[];
    return rows.map((row) => ({
      timeNs: fromColumn(row['time_ns'] as Column), identity: row['identity'] as string, act: row['act'] as string,
      detail: JSON.parse(row['detail'] as string) as Record<string, unknown>,
    }));
  }

  #insertIdentity(identity: Identity & { readonly issuedMs?: number; readonly notAfterMs?: number }): void {
    this.#database.prepare(`INSERT INTO identities (serial, name, role, fingerprint, issued_ms, not_after_ms) VALUES (?, ?, ?, ?, ?, ?)
      ON CONFLICT (serial) DO UPDATE SET fingerprint = excluded.fingerprint, issued_ms = coalesce(issued_ms, excluded.issued_ms), not_after_ms = coalesce(excluded.not_after_ms, not_after_ms)`)
      .run(identity.serial, identity.name, identity.role, identity.fingerprint, identity.issuedMs ?? null, identity.notAfterMs ?? null);
  }
}

function hostFrom(row: Row): HostRow {
  return {
    name: row['name'] as string,
    role: row['role'] as Role,
    journal: row['journal'] as Buffer,
    createdNs: fromColumn(row['created_ns'] as Column),
    platform: row['platform'] as string,
    agentVersion: row['agent_version'] as string,
    lastSeenNs: row['last_seen_ns'] === null ? undefined : fromColumn(row['last_seen_ns'] as Column),
    connected: row['connected'] !== 0n,
  };
}

function identityFrom(row: Row): IdentityRow {
  return {
    serial: row['serial'] as string,
    name: row['name'] as string,
    role: row['role'] as Role,
    fingerprint: (row['fingerprint'] as string | null) ?? undefined,
    issuedMs: milliseconds(row['issued_ms']),
    notAfterMs: milliseconds(row['not_after_ms']),
    revokedMs: milliseconds(row['revoked_ms']),
  };
}

function tokenFrom(row: Row): TokenRecord {
  return {
    id: row['id'] as string,
    secretDigest: row['secret_digest'] as Buffer,
    host: row['host'] as string,
    role: row['role'] as Role,
    issuedAtMs: Number(row['issued_ms']),
    expiresAtMs: Number(row['expires_ms']),
    usedAtMs: milliseconds(row['used_ms']),
  };
}

function milliseconds(value: unknown): number | undefined {
  return value === null ? undefined : Number(value);
}
