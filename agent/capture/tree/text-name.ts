/** Names that are text, and those that are not. */
import { nodeBytes } from './seen.js';

/** Whether a name survives being text: only then can a watcher name it. */
export function isText(name: string): boolean {
  if (/^[\x01-\x7f]*$/.test(name)) return !name.includes('\\') || process.platform === 'win32';
  const bytes = nodeBytes(name);
  const text = bytes.toString('utf8');
  return !text.includes('\uFFFD') && !text.includes('\\');
}
