/** First contact: finds out, before anything secret is sent, whether a server is the receiver that made the token. */
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { checkServerIdentity, connect, type DetailedPeerCertificate } from 'node:tls';
import { errorCode, PeerError, UsageError } from '../../proto/errors.js';
import { millisecondsOf, publicKeyFingerprintOf, serverAuthUsage, validityOf } from '../../proto/identity.js';

export interface ReceiverAddress {
  /** DNS name or address, without brackets. */
  readonly host: string;
  readonly port: number;
}

/** Reads HOST:PORT (an IPv6 address in brackets); UsageError otherwise. */
export function parseReceiverAddress(text: string): ReceiverAddress {
  const [, bracketed, plain, digits = ''] = /^(?:\[([^\]]+)\]|([^:[\]/\s]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host === undefined || (bracketed !== undefined && isIP(bracketed) !== 6) || port < 1 || port > 65535) {
    throw new UsageError(`${JSON.stringify(text.slice(0, 120))} is no receiver address: write HOST:PORT, e.g. backup.example.com:7433 or [2001:db8::7]:7433`);
  }
  return { host, port };
}

export interface FirstContact {
  readonly receiver: ReceiverAddress;
  /** SHA-256 of the CA's public key, from the token. */
  readonly caFingerprint: Uint8Array;
  readonly nowNs: bigint;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** Connects, and returns the PEM of the CA the token pins; PeerError when the server is not to be trusted with the token. */
export async function pinReceiver({ receiver, caFingerprint, nowNs, timeoutMs, signal }: FirstContact): Promise<string> {
  const chain = await shownChain(receiver, timeoutMs, signal);
  return chooseAuthority(chain, { receiver, caFingerprint, nowNs });
}

/** The decision over a chain as shown (leaf first): pure, so that each refusal can be tested. */
export function chooseAuthority(chain: readonly X509Certificate[], { receiver, caFingerprint, nowNs }: Pick<FirstContact, 'receiver' | 'caFingerprint' | 'nowNs'>): string {
  const at = `${receiver.host}:${receiver.port}`;
  const leaf = chain[0];
  const authority = chain.find((certificate) => publicKeyFingerprintOf(certificate).equals(caFingerprint));
  if (leaf === undefined || authority === undefined) {
    throw new PeerError('unauthenticated', `${at} is not the receiver that made the token: check the address, or ask for a token made there; the token was not sent`);
  }
  // The CA's certificate is public: showing it proves nothing unless the leaf, whose key the handshake proved, comes from it.
  if (!authority.ca || !authority.verify(authority.publicKey) || !leaf.checkIssued(authority) || !leaf.verify(authority.publicKey) || leaf.ca) {
    throw new PeerError('unauthenticated', `${at} shows the certificate authority of the receiver that made the token, but no certificate issued by it: someone may be in between; the token was not sent`);
  }
  if (leaf.keyUsage?.includes(serverAuthUsage) !== true) {
    throw new PeerError('unauthenticated', `${at} shows a certificate that is not a receiver's; the token was not sent`);
  }
  for (const certificate of [leaf, authority]) checkDates(certificate, at, nowNs);
  checkName(leaf, receiver);
  return authority.toString();
}

function checkDates(certificate: X509Certificate, at: string, nowNs: bigint): void {
  const { notBeforeMs, notAfterMs } = validityOf(certificate);
  const nowMs = millisecondsOf(nowNs);
  if (nowMs >= notBeforeMs && nowMs <= notAfterMs) return;
  const iso = (ms: number): string => new Date(ms).toISOString();
  throw new PeerError('unauthenticated', `the certificate of ${at} is valid from ${iso(notBeforeMs)} to ${iso(notAfterMs)}, but this host's clock says ${iso(nowMs)}: check both clocks, then restart the receiver to renew its certificate`);
}

function checkName(leaf: X509Certificate, { host }: ReceiverAddress): void {
  const fault = checkServerIdentity(host, leaf.toLegacyObject() as unknown as Parameters<typeof checkServerIdentity>[1]);
  if (fault === undefined) return;
  const names = (leaf.subjectAltName ?? '').split(', ').map((name) => name.replace(/^(DNS|IP Address):/, '')).join(', ');
  throw new PeerError('unauthenticated', `the receiver's certificate does not name ${host}; it names ${names}. Dial one of those, or add the name on the receiver with: afterimage-receiver init --name ${host}`, fault);
}

async function shownChain({ host, port }: ReceiverAddress, timeoutMs: number, signal?: AbortSignal): Promise<X509Certificate[]> {
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const socket = connect({
      host, port, ...(isIP(host) === 0 ? { servername: host } : {}),
      // gRPC servers speak HTTP/2 only and refuse a handshake that does not offer it.
      ALPNProtocols: ['h2'],
      minVersion: 'TLSv1.2',
      // Nothing to verify against yet. The chain is judged by the token's fingerprint, and every
      // byte that matters is sent later, over a connection that accepts only the CA chosen here.
      rejectUnauthorized: false,
    });
    const end = (outcome: () => void): void => {
      signal?.removeEventListener('abort', aborted);
      socket.destroy();
      outcome();
    };
    const failed = (error: Error): void => end(() => reject(new PeerError('unavailable', `cannot reach a receiver at ${host}:${port}: ${errorCode(error) ?? error.message}`, error)));
    const aborted = (): void => end(() => reject(signal?.reason as Error));
    signal?.addEventListener('abort', aborted, { once: true });
    socket.setTimeout(timeoutMs, () => failed(new Error(`no answer within ${timeoutMs} ms`)));
    socket.on('error', failed);
    socket.once('close', () => failed(new Error('the connection was closed')));
    socket.once('secureConnect', () => {
      try {
        const chain = chainOf(socket.getPeerCertificate(true));
        end(() => resolve(chain));
      } catch (error) {
        failed(error as Error);
      }
    });
  });
}

const chainLengthMax = 8;

function chainOf(leaf: DetailedPeerCertificate): X509Certificate[] {
  const chain: X509Certificate[] = [];
  let at: DetailedPeerCertificate | undefined = leaf;
  // A self-signed certificate is its own issuer in this structure.
  while (at?.raw !== undefined && chain.length < chainLengthMax) {
    chain.push(new X509Certificate(at.raw));
    at = at.issuerCertificate === at ? undefined : at.issuerCertificate;
  }
  return chain;
}
