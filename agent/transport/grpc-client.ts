/** A gRPC client for one receiver: TLS that trusts only its authority, and the limits that both sides keep. */
import { checkServerIdentity, createSecureContext } from 'node:tls';
import { isIP } from 'node:net';
import { ChannelCredentials, Client, type ClientOptions } from '@grpc/grpc-js';
import { messageBytesMax } from '../../proto/wire/messages.js';

/** Whom to reach, and who we are; without key and certificate nobody yet, which only enrolment allows. */
export interface LinkIdentity {
  /** HOST:PORT, an IPv6 address in brackets. */
  readonly address: string;
  /** The only authority that the receiver's certificate may come from. */
  readonly caPem: string;
  readonly keyPem?: string;
  readonly certificatePem?: string;
}

/** A dead peer is found out within a minute although nothing is sent. */
const keepaliveTimeMs = 30_000;
const keepaliveTimeoutMs = 20_000;
/** Fills a link of 1 Gbit/s at 60 ms. */
const flowControlWindowBytes = 8 * 1024 * 1024;

/**
 * Makes a client with a connection of its own: one that is shared would also share gRPC's backoff,
 * and the shipper has its own. Whoever makes it closes it.
 */
export function openClient({ address, caPem, keyPem, certificatePem }: LinkIdentity): Client {
  const secureContext = createSecureContext({
    ca: caPem,
    minVersion: 'TLSv1.2',
    ...(keyPem === undefined || certificatePem === undefined ? {} : { key: keyPem, cert: certificatePem }),
  });
  const host = address.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  const isAddress = isIP(host) !== 0;
  const credentials = ChannelCredentials.createFromSecureContext(secureContext, {
    checkServerIdentity: (name, certificate) => checkServerIdentity(isAddress ? host : name, certificate),
  });
  const options: ClientOptions = {
    'grpc.max_receive_message_length': messageBytesMax,
    'grpc.max_send_message_length': messageBytesMax,
    'grpc.keepalive_time_ms': keepaliveTimeMs,
    'grpc.keepalive_timeout_ms': keepaliveTimeoutMs,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_retries': 0,
    'grpc.enable_http_proxy': 0,
    'grpc.service_config_disable_resolution': 1,
    'grpc-node.flow_control_window': flowControlWindowBytes,
    // TLS has no server name for a bare address (RFC 6066); the certificate is checked against the address above.
    ...(isAddress ? { 'grpc.ssl_target_name_override': 'receiver.invalid' } : {}),
  };
  return new Client(`dns:${address}`, credentials, options);
}
