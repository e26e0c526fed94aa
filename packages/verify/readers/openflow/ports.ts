import { LineLedger } from '../../read/ledger.ts';
import { inputLines } from '../../read/lines.ts';
import type { InputFile, Reading } from '../../read/reader.ts';

export interface ReadPort {
  readonly number: number;
  readonly name: string;
  readonly mac?: string;
}

/** ovs-ofctl(8): the port of the box itself. */
export const LOCAL = 65_534;

const PORT = /^(\d+|LOCAL)\(([^)]+)\):\s+addr:([0-9a-f:]+)/i;

export function looksLikePorts(text: string): boolean {
  return /^[ \t]*(?:OFPST_PORT_DESC reply|OFPT_FEATURES_REPLY)|^[ \t]*(?:\d+|LOCAL)\([^)]+\): +addr:/m.test(
    text.slice(0, 4_096),
  );
}

/** `ovs-ofctl dump-ports-desc` and `ovs-ofctl show`. */
export function readPorts(file: InputFile): Reading<readonly ReadPort[]> {
  const lines = inputLines(file);
  const ledger = new LineLedger(file.path, 'ovs-ofctl dump-ports-desc', lines.length);
  const ports: ReadPort[] = [];
  lines.forEach((text, i) => {
    const found = PORT.exec(text.trim());
    if (found !== null) {
      const number = found[1]!.toUpperCase() === 'LOCAL' ? LOCAL : Number(found[1]);
      ports.push({ number, name: found[2]!, mac: found[3]! });
      ledger.used(i + 1);
    } else if (text.trim() !== '') ledger.withoutEffect(i + 1, 'does not decide where packets go');
  });
  return { value: ports, reading: ledger.reading() };
}
