import { LineLedger } from '../read/ledger.ts';
import type { InputFile, Reading } from '../read/reader.ts';

/** A bridge of Linux, and the interfaces that are its ports. */
export interface LinuxBridge {
  readonly name: string;
  readonly ports: readonly string[];
}

const HEADING = /^bridge name\s+bridge id\s+STP enabled\s+interfaces\s*$/;

export function looksLikeLinuxBridges(text: string): boolean {
  return HEADING.test(text.slice(0, 256).split('\n')[0] ?? '');
}

/** `brctl show` (bridge-utils): a bridge with its first port on a line, further ports on lines of their own. */
export function readLinuxBridges(file: InputFile): Reading<readonly LinuxBridge[]> {
  const lines = file.text.split('\n');
  const ledger = new LineLedger(file.path, 'brctl show', lines.length);
  const bridges: { name: string; ports: string[] }[] = [];
  lines.forEach((text, i) => {
    const words = text.trim().split(/\s+/);
    if (text.trim() === '') return;
    if (HEADING.test(text.trim())) return ledger.withoutEffect(i + 1, 'a heading');
    const last = bridges.at(-1);
    if (/^\s/.test(text) && words.length === 1 && last !== undefined) last.ports.push(words[0]!);
    else if (/^[0-9a-f]{4}\.[0-9a-f]{12}$/.test(words[1] ?? '') && /^(?:yes|no)$/.test(words[2] ?? '')) {
      bridges.push({ name: words[0]!, ports: words.slice(3, 4) });
    } else return ledger.notUnderstood(i + 1, 'neither a bridge nor a port of one');
    ledger.used(i + 1);
  });
  return { value: bridges, reading: ledger.reading() };
}
