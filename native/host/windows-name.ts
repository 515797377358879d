/** Which entry names Windows can hold, and mean what they say there: a pure rule, the same on every machine. */

/** Names of devices in every directory, with or without an extension. */
const RESERVED = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3])(?:$|[. ])/i;
const FORBIDDEN = /[\u0000-\u001f<>:"/\\|?*]/;

/**
 * The Windows string of a name, or undefined when there is none. Backslashes would leave the
 * directory, a colon would open an alternate stream, and a trailing dot or space is dropped silently.
 */
export function windowsName(name: Uint8Array): string | undefined {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(name);
  } catch {
    return undefined;
  }
  if (text.length === 0 || text.length > 255) return undefined;
  if (FORBIDDEN.test(text) || RESERVED.test(text) || /[. ]$/.test(text)) return undefined;
  return text;
}
