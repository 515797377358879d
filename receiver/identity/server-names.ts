/** The names under which agents dial the receiver: DNS names and addresses, checked and in one spelling. */
import { isIP } from 'node:net';
import { hostname as systemHostname } from 'node:os';
import { UsageError } from '../../proto/errors.js';

export interface ServerName {
  readonly type: 'dns' | 'ip';
  readonly value: string;
}

const label = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

/** Reads one `--name`; throws a UsageError that says why it can be neither a DNS name nor an address. */
export function parseServerName(text: string): ServerName {
  const bare = /^\[(.*)\]$/.exec(text)?.[1] ?? text;
  if (isIP(bare) === 4) return { type: 'ip', value: bare };
  if (isIP(bare) === 6 && !bare.includes('%')) return { type: 'ip', value: new URL(`http://[${bare}]`).hostname.slice(1, -1) };
  const name = text.toLowerCase();
  const fault = dnsFault(name);
  if (fault === undefined) return { type: 'dns', value: name };
  throw new UsageError(`${JSON.stringify(text.slice(0, 80))} is neither a DNS name nor an IP address: ${fault}. Give --name what agents will dial, e.g. backup.example.com or 192.0.2.7`);
}

function dnsFault(name: string): string | undefined {
  if (name === '') return 'it is empty';
  if (name.length > 253) return `it has ${name.length} characters, a DNS name at most 253`;
  if (name.includes('://')) return 'it is a URL; give the name alone';
  if (/^[^:]+:\d+$/.test(name) || /\]:\d+$/.test(name)) return 'it ends with a port; give the name alone';
  if (name.includes('%')) return 'an address with a zone holds on one machine only';
  if (/[^\u0000-\u007f]/.test(name)) return 'it has non-ASCII letters; give its "xn--" form';
  const labels = name.split('.');
  for (const part of labels) if (!label.test(part)) return part === '' ? 'it has an empty label between dots' : `${JSON.stringify(part)} is no DNS label`;
  // A last label of digits is how a mistyped IPv4 address looks; no top-level domain is a number.
  if (/^\d+$/.test(labels.at(-1) ?? '')) return 'its last label is a number';
  return undefined;
}

/** The given names, then those of this machine itself, each once. */
export function serverNames(names: readonly string[], hostname: string = systemHostname()): ServerName[] {
  const parsed = names.map(parseServerName);
  // The machine's own name is a convenience: one that no certificate can hold is left out.
  if (dnsFault(hostname.toLowerCase()) === undefined) parsed.push({ type: 'dns', value: hostname.toLowerCase() });
  parsed.push({ type: 'dns', value: 'localhost' }, { type: 'ip', value: '127.0.0.1' }, { type: 'ip', value: '::1' });
  const unique = new Map(parsed.map((name) => [`${name.type}:${name.value}`, name]));
  return [...unique.values()];
}
