/** Device numbers of Linux: a major and a minor number, and the forms that they are packed in. */

export interface DeviceNumber {
  readonly major: number;
  readonly minor: number;
}

/** Takes a dev_t apart as glibc's gnu_dev_major and gnu_dev_minor do. */
export function splitDevice(rdev: bigint | number): DeviceNumber {
  const number = BigInt(rdev);
  return { major: Number(((number >> 8n) & 0xfffn) | ((number >> 32n) & 0xfffff000n)), minor: Number((number & 0xffn) | ((number >> 12n) & 0xffffff00n)) };
}

/** The 32 bits that capture records carry: new_encode_dev of the kernel. */
export function encodeDevice({ major, minor }: DeviceNumber): number {
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}

export function decodeDevice(device: number): DeviceNumber {
  return { major: (device >>> 8) & 0xfff, minor: (device & 0xff) | ((device >>> 12) & 0xf_ff00) };
}
