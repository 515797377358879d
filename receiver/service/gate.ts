/** The one gate of every call that needs an identity: who it is, what the role may, and how many calls at once. */
import type { AuthContext } from '@grpc/grpc-js/build/src/auth-context.js';
import { PeerError } from '../../proto/errors.js';
import type { Identity, Role } from '../../proto/identity.js';

export interface Caller {
  getPeer(): string;
  getAuthContext(): AuthContext | null;
}

export interface GateOptions {
  readonly identify: (certificateDer: Uint8Array | undefined) => Identity;
  readonly unverified: (peer: string) => { readonly certificateDer: Uint8Array; readonly fault: string } | undefined;
  readonly callsPerIdentityMax?: number;
  readonly callsMax?: number;
}

const callsPerIdentityMaxDefault = 16;
const callsMaxDefault = 512;

export class Gate {
  readonly #options: GateOptions;
  readonly #calls = new Map<string, number>();
  #total = 0;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /** Throws PeerError 'unauthenticated' with cause and remedy for anyone not known. */
  identify(caller: Caller): Identity {
    // Present only when TLS verified the certificate against the authority.
    const certificateDer = caller.getAuthContext()?.sslPeerCertificate?.raw;
    if (certificateDer !== undefined) return this.#options.identify(certificateDer);
    const shown = this.#options.unverified(caller.getPeer());
    this.#options.identify(shown?.certificateDer);
    // What TLS did not verify never passes, even if it looks right from here.
    throw new PeerError('unauthenticated', `the client certificate could not be verified (${shown?.fault ?? 'none was shown'})`);
  }

  /** Identifies the caller and counts its call until it is disposed of. */
  admit(caller: Caller, roles: readonly Role[]): Admission {
    const identity = this.identify(caller);
    if (!roles.includes(identity.role)) {
      throw new PeerError('forbidden', `the certificate is of the ${identity.role} ${identity.name}, and this is for ${roles.map((role) => `${role}s`).join(' and ')} only`);
    }
    const key = `${identity.role} ${identity.name}`;
    const calls = this.#calls.get(key) ?? 0;
    if (calls >= (this.#options.callsPerIdentityMax ?? callsPerIdentityMaxDefault)) throw new PeerError('unavailable', `${key} has ${calls} calls under way, which is the most at once; try again later`);
    if (this.#total >= (this.#options.callsMax ?? callsMaxDefault)) throw new PeerError('unavailable', 'the receiver has as many calls under way as it takes; try again later');
    this.#calls.set(key, calls + 1);
    this.#total += 1;
    let open = true;
    return {
      identity,
      [Symbol.dispose]: () => {
        if (!open) return;
        open = false;
        this.#total -= 1;
        const left = this.#calls.get(key)! - 1;
        if (left === 0) this.#calls.delete(key);
        else this.#calls.set(key, left);
      },
    };
  }
}

export interface Admission extends Disposable {
  readonly identity: Identity;
}
