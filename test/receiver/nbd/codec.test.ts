/** The bytes of the NBD protocol, as the protocol's document has them, and which requests are served. */
import t from 'tap';
import {
  decodeContextRequest,
  decodeExportRequest,
  decodeOptionHeader,
  encodeBlockSizes,
  encodeContext,
  encodeExportFacts,
  encodeExportInformation,
  encodeGreeting,
  encodeListed,
  encodeOptionReply,
  encodeTextInformation,
  information,
  nameBytesMax,
  option,
  optionReply,
} from '../../../receiver/nbd/handshake-codec.js';
import { refusalOf, requestBytesMax } from '../../../receiver/nbd/request-rules.js';
import { decodeRequest, encodeBlockStatus, encodeDataHead, encodeDone, encodeErrorChunk, encodeHole, encodeSimpleReply, errorNumber } from '../../../receiver/nbd/transmission-codec.js';
import { contextRequest, exportRequest, requestBytes, u32 } from './client.js';

const hex = (...words: string[]): string => words.join('').replaceAll(' ', '');

t.test('the handshake has the bytes of the protocol', async (t) => {
  t.equal(encodeGreeting().toString('hex'), hex('4e42444d41474943', '49484156454f5054', '0003'));
  t.strictSame(decodeOptionHeader(Buffer.from(hex('49484156454f5054', '00000007', '0000002a'), 'hex')), { option: option.go, length: 42 });
  t.equal(decodeOptionHeader(Buffer.alloc(16)), undefined);
  t.equal(encodeOptionReply({ option: option.list, type: optionReply.acknowledged }).toString('hex'), hex('0003e889045565a9', '00000003', '00000001', '00000000'));
  t.equal(encodeOptionReply({ option: 99, type: optionReply.unsupported, data: Buffer.from('no') }).toString('hex'), hex('0003e889045565a9', '00000063', '80000001', '00000002', '6e6f'));
  t.equal(encodeExportFacts({ sizeBytes: 2 ** 33, flags: 0x103 }, { zeroes: false }).toString('hex'), hex('0000000200000000', '0103'));
  t.strictSame(encodeExportFacts({ sizeBytes: 1, flags: 1 }, { zeroes: true }), Buffer.concat([Buffer.from('00000000000000010001', 'hex'), Buffer.alloc(124)]));
  t.equal(encodeListed('disk').toString('hex'), hex('00000004', '6469736b'));
  t.equal(encodeExportInformation({ sizeBytes: 512, flags: 3 }).toString('hex'), hex('0000', '0000000000000200', '0003'));
  t.equal(encodeTextInformation(information.name, 'ä').toString('hex'), hex('0001', 'c3a4'));
  t.equal(encodeBlockSizes({ leastBytes: 1, preferredBytes: 4096, mostBytes: requestBytesMax }).toString('hex'), hex('0003', '00000001', '00001000', '02000000'));
  t.equal(encodeContext({ id: 1, name: 'base:allocation' }).toString('hex'), hex('00000001', Buffer.from('base:allocation').toString('hex')));
});

t.test('data of options is read whole or not at all', async (t) => {
  t.strictSame(decodeExportRequest(exportRequest('disk', [3, 0])), { name: 'disk', wanted: [3, 0] });
  t.strictSame(decodeContextRequest(contextRequest('', ['base:', 'x'])), { name: '', queries: ['base:', 'x'] });
  const [request, contexts] = [exportRequest('disk', [3]), contextRequest('disk', ['base:allocation'])];
  for (let length = 0; length < request.byteLength; length += 1) t.equal(decodeExportRequest(request.subarray(0, length)), undefined);
  for (let length = 0; length < contexts.byteLength; length += 1) t.equal(decodeContextRequest(contexts.subarray(0, length)), undefined);
  t.equal(decodeExportRequest(Buffer.concat([request, Buffer.alloc(1)])), undefined, 'bytes too many');
  t.equal(decodeContextRequest(Buffer.concat([contexts, Buffer.alloc(1)])), undefined, 'bytes too many');
  t.equal(decodeExportRequest(Buffer.concat([u32(0xffffffff), Buffer.alloc(100)])), undefined, 'a length that lies');
  t.equal(decodeContextRequest(Buffer.concat([u32(0), u32(0xffffffff), Buffer.alloc(100)])), undefined, 'a count that lies');
  t.equal(decodeExportRequest(exportRequest('n'.repeat(nameBytesMax + 1))), undefined, 'a name too long');
  t.equal(decodeExportRequest(exportRequest('n'.repeat(nameBytesMax)))?.name.length, nameBytesMax);
});

t.test('the transmission has the bytes of the protocol', async (t) => {
  const cookie = 0x0102030405060708n;
  t.strictSame(decodeRequest(requestBytes({ command: 7, flags: 8, offset: 2n ** 63n, length: 0xfffffe00 }, cookie)), { flags: 8, command: 7, cookie, offset: 2n ** 63n, length: 0xfffffe00 });
  t.equal(decodeRequest(Buffer.alloc(28)), undefined);
  t.equal(encodeSimpleReply({ cookie, error: errorNumber.EPERM }).toString('hex'), hex('67446698', '00000001', '0102030405060708'));
  t.equal(encodeDone(cookie).toString('hex'), hex('668e33ef', '0001', '0000', '0102030405060708', '00000000'));
  t.equal(encodeDataHead({ cookie, offset: 4096, length: 10 }).toString('hex'), hex('668e33ef', '0000', '0001', '0102030405060708', '00000012', '0000000000001000'));
  t.equal(encodeHole({ cookie, offset: 4096, length: 10 }).toString('hex'), hex('668e33ef', '0000', '0002', '0102030405060708', '0000000c', '0000000000001000', '0000000a'));
  t.equal(encodeBlockStatus({ cookie, extents: [{ length: 7, state: 3 }, { length: 9, state: 0 }] }).toString('hex'), hex('668e33ef', '0001', '0005', '0102030405060708', '00000014', '00000001', '00000007 00000003', '00000009 00000000'));
  t.equal(encodeErrorChunk({ cookie, error: errorNumber.EIO, text: 'oh' }).toString('hex'), hex('668e33ef', '0001', '8001', '0102030405060708', '00000008', '00000005', '0002', '6f68'));
});

t.test('requests are refused for what is wrong with them', async (t) => {
  const { EPERM, EINVAL, ENOSPC } = errorNumber;
  const size = 64 * 1024 * 1024;
  const rows: readonly { label: string; words: Parameters<typeof requestBytes>[0]; readOnly: number | undefined; writable: number | undefined; allocation?: boolean }[] = [
    { label: 'read', words: { command: 0, offset: 0, length: 512 }, readOnly: undefined, writable: undefined },
    { label: 'read of nothing at the end', words: { command: 0, offset: size, length: 0 }, readOnly: undefined, writable: undefined },
    { label: 'read of as much as is allowed', words: { command: 0, offset: 0, length: requestBytesMax }, readOnly: undefined, writable: undefined },
    { label: 'read of more', words: { command: 0, offset: 0, length: requestBytesMax + 1 }, readOnly: EINVAL, writable: EINVAL },
    { label: 'read past the end', words: { command: 0, offset: size - 511, length: 512 }, readOnly: EINVAL, writable: EINVAL },
    { label: 'read beyond all numbers', words: { command: 0, offset: 2n ** 64n - 1n, length: 512 }, readOnly: EINVAL, writable: EINVAL },
    { label: 'read that is durable', words: { command: 0, flags: 1, length: 512 }, readOnly: EINVAL, writable: undefined },
    { label: 'read in one chunk, which was not offered', words: { command: 0, flags: 4, length: 512 }, readOnly: EINVAL, writable: EINVAL },
    { label: 'write', words: { command: 1, length: 512 }, readOnly: EPERM, writable: undefined },
    { label: 'durable write', words: { command: 1, flags: 1, length: 512 }, readOnly: EPERM, writable: undefined },
    { label: 'write past the end', words: { command: 1, offset: size, length: 1 }, readOnly: EPERM, writable: ENOSPC },
    { label: 'flush', words: { command: 3 }, readOnly: undefined, writable: undefined },
    { label: 'trim of more than can travel', words: { command: 4, length: size }, readOnly: EPERM, writable: undefined },
    { label: 'trim past the end', words: { command: 4, offset: size, length: 1 }, readOnly: EPERM, writable: EINVAL },
    { label: 'cache', words: { command: 5, length: 512 }, readOnly: EINVAL, writable: EINVAL },
    { label: 'zeroes without a hole', words: { command: 6, flags: 2, length: 512 }, readOnly: EPERM, writable: undefined },
    { label: 'zeroes, but only if fast, which was not offered', words: { command: 6, flags: 16, length: 512 }, readOnly: EPERM, writable: EINVAL },
    { label: 'zeroes past the end', words: { command: 6, offset: 1, length: size }, readOnly: EPERM, writable: ENOSPC },
    { label: 'state of one extent', words: { command: 7, flags: 8, length: size }, readOnly: undefined, writable: undefined },
    { label: 'state of nothing', words: { command: 7, length: 0 }, readOnly: EINVAL, writable: EINVAL },
    { label: 'state past the end', words: { command: 7, offset: 1, length: size }, readOnly: EINVAL, writable: EINVAL },
    { label: 'state without a context', words: { command: 7, length: 512 }, readOnly: EINVAL, writable: EINVAL, allocation: false },
    { label: 'an unknown command', words: { command: 77 }, readOnly: EINVAL, writable: EINVAL },
  ];
  for (const { label, words, readOnly, writable, allocation = true } of rows) {
    const request = decodeRequest(requestBytes(words, 1n))!;
    t.equal(refusalOf(request, { sizeBytes: size, isWritable: false, allocation })?.error, readOnly, `${label}, read-only`);
    t.equal(refusalOf(request, { sizeBytes: size, isWritable: true, allocation })?.error, writable, `${label}, writable`);
  }
});
