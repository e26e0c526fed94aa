import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { systemClock } from '@superfluidity/core';

/** A request is written down when it is over. */
const WRITTEN_MS = 300;

/** What somebody asked of Neutron, as Neutron's own log has it: the same for whoever asks. */
export class NeutronCalls {
  readonly #log: string;
  readonly #project: string;

  /** `project`: whose credentials are used, and by nobody else while it is counted. */
  constructor(log: string, project: string) {
    this.#log = log;
    this.#project = project;
  }

  /** From here on. */
  mark(): number {
    return statSync(this.#log).size;
  }

  async since(mark: number): Promise<number> {
    await systemClock.sleep(WRITTEN_MS);
    return countCalls(this.#read(mark), this.#project);
  }

  #read(from: number): string {
    const file = openSync(this.#log, 'r');
    try {
      const buffer = Buffer.alloc(statSync(this.#log).size - from);
      const read = readSync(file, buffer, 0, buffer.length, from);
      return buffer.toString('utf8', 0, read);
    } finally {
      closeSync(file);
    }
  }
}

/** Lines as `... neutron.wsgi [None REQUEST USER PROJECT - ...] 127.0.0.1 "GET /v2.0/ports HTTP/1.1" status: 200 ...`. */
export function countCalls(text: string, project: string): number {
  return text
    .split('\n')
    .filter((line) => line.includes(' neutron.wsgi [') && line.includes(` ${project} `) && line.includes('" status: '))
    .length;
}
