import type { PlaybookOutcome } from '@superfluidity/lifecycle';
import type { Tell } from '@superfluidity/site';
import { z } from 'zod';

const hostState = z.enum(['ok', 'changed', 'failed', 'ignored', 'unreachable', 'skipped']);

/** What callback/superfluidity_lines.py writes. Hosts and whoever wrote the playbook have a say in its texts. */
const line = z.discriminatedUnion('event', [
  z.object({ event: z.literal('play'), name: z.string() }),
  z.object({ event: z.literal('task'), name: z.string() }),
  z.object({ event: z.literal('host'), state: hostState, host: z.string(), text: z.string() }),
  z.object({
    event: z.literal('stats'),
    hosts: z.record(z.string(), z.record(z.string(), z.number())),
    said: z.record(z.string(), z.unknown()),
  }),
]);

const NAME_MAX = 200;
const TEXT_MAX = 1_000;
const FAILURES_MAX = 20;

/** Makes a line of detail of each task, and keeps what the end is made of. */
export class PlaybookFollower {
  readonly failures: string[] = [];
  outcome: PlaybookOutcome | undefined;
  readonly #tell: Tell;
  readonly #now: () => number;
  #task = '';
  #counts = new Map<z.infer<typeof hostState>, number>();

  constructor(tell: Tell, now: () => number) {
    this.#tell = tell;
    this.#now = now;
  }

  /** What is no line of ours, such as a warning of a library, is left out. */
  take(text: string): void {
    const parsed = line.safeParse(parse(text));
    if (!parsed.success) return;
    const said = parsed.data;
    if (said.event === 'play' || said.event === 'task') {
      this.#endTask();
      this.#task = said.event === 'task' ? said.name.slice(0, NAME_MAX) : '';
    } else if (said.event === 'host') this.#host(said.state, said.host.slice(0, NAME_MAX), said.text);
    else {
      this.#endTask();
      this.outcome = { hosts: said.hosts, said: said.said };
    }
  }

  #host(state: z.infer<typeof hostState>, host: string, text: string): void {
    this.#counts.set(state, (this.#counts.get(state) ?? 0) + 1);
    if (state !== 'failed' && state !== 'unreachable') return;
    const reason = `${host}: ${text.slice(0, TEXT_MAX)}`;
    if (this.failures.length < FAILURES_MAX) this.failures.push(`${this.#task}: ${reason}`);
    this.#tell({ at: this.#now(), what: this.#task, state: 'FAILED', reason });
  }

  /** Nothing is told of tasks that no host had to do. */
  #endTask(): void {
    const count = (state: z.infer<typeof hostState>) => this.#counts.get(state) ?? 0;
    const [changed, ok] = [count('changed'), count('ok') + count('ignored')];
    if (this.#task !== '' && changed + ok > 0) {
      const reason = changed === 0 ? `${ok} hosts` : `${changed} of ${changed + ok} hosts`;
      this.#tell({ at: this.#now(), what: this.#task, state: changed === 0 ? 'OK' : 'CHANGED', reason });
    }
    this.#counts = new Map();
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
