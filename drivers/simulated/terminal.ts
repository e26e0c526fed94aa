import type { Terminal, TerminalEnd, TerminalSize } from '@superfluidity/site';

/** Shown and not yet taken. Who types waits while there is more. */
const PENDING_MAX = 64 << 10;
const LINE_MAX = 4_096;
const CTRL_C = '\u0003';
const CTRL_D = '\u0004';
const DELETE = '\u007f';

export interface SimulatedTerminalOptions extends TerminalSize {
  readonly site: string;
  readonly unit: string;
  readonly command: readonly string[] | undefined;
}

/**
 * A few commands that the driver itself answers. It says so, since no program runs in a simulated unit: it is there so
 * that everything around a terminal can be tried without one.
 */
export class SimulatedTerminal implements Terminal {
  readonly output: AsyncIterable<Uint8Array>;
  readonly ended: Promise<TerminalEnd>;
  readonly #options: SimulatedTerminalOptions;
  readonly #end: (end: TerminalEnd) => void;
  #size: TerminalSize;
  #line = '';
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #over = false;
  #wakeReader: () => void = () => {};
  #wakeWriter: () => void = () => {};

  constructor(options: SimulatedTerminalOptions) {
    this.#options = options;
    this.#size = { columns: options.columns, rows: options.rows };
    const { promise, resolve } = Promise.withResolvers<TerminalEnd>();
    this.ended = promise;
    this.#end = resolve;
    this.output = this.#read();
    if (options.command === undefined) {
      this.#show(`Simulated site ${options.site}: no program runs in ${options.unit}. Type \`help\`.\r\n$ `);
    } else {
      this.#run(options.command.join(' '));
      this.#finish({ exitCode: 0 });
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (const character of new TextDecoder().decode(bytes)) {
      if (this.#pendingBytes > PENDING_MAX) await new Promise<void>((resolve) => (this.#wakeWriter = resolve));
      if (this.#over) return;
      this.#type(character);
    }
  }

  resize(size: TerminalSize): void {
    this.#size = size;
  }

  async close(reason = 'it was closed'): Promise<void> {
    this.#finish({ reason });
  }

  #type(character: string): void {
    if (character === CTRL_C) {
      this.#line = '';
      this.#show('^C\r\n$ ');
    } else if (character === CTRL_D && this.#line === '') {
      this.#finish({ exitCode: 0 });
    } else if (character === DELETE) {
      if (this.#line !== '') this.#show('\b \b');
      this.#line = this.#line.slice(0, -1);
    } else if (character === '\r' || character === '\n') {
      const line = this.#line;
      this.#line = '';
      this.#show('\r\n');
      this.#run(line);
      if (!this.#over) this.#show('$ ');
    } else if (character >= ' ' && this.#line.length < LINE_MAX) {
      this.#line += character;
      this.#show(character);
    }
  }

  #run(line: string): void {
    const [verb = '', ...words] = line.trim().split(/\s+/);
    const { site, unit } = this.#options;
    if (verb === 'echo') this.#show(`${words.join(' ')}\r\n`);
    else if (verb === 'size') this.#show(`${this.#size.rows} ${this.#size.columns}\r\n`);
    else if (verb === 'help') this.#show('echo WORDS, size, exit [CODE]; the driver itself answers them\r\n');
    else if (verb === 'exit') this.#finish({ exitCode: Number(words[0] ?? 0) & 0xff });
    else if (verb !== '') this.#show(`${verb}: no program runs in ${unit}, which the site ${site} only simulates\r\n`);
  }

  #show(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    this.#wakeReader();
  }

  #finish(end: TerminalEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#end(end);
    this.#wakeReader();
    this.#wakeWriter();
  }

  async *#read(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const pieces = this.#pending;
      this.#pending = [];
      this.#pendingBytes = 0;
      this.#wakeWriter();
      yield* pieces;
      if (this.#pending.length > 0) continue;
      if (this.#over) return;
      await new Promise<void>((resolve) => (this.#wakeReader = resolve));
    }
  }
}
