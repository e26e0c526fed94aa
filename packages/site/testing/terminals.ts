import { describe, expect, test } from 'vitest';
import type { Terminal, UnitTerminals } from '../terminal.ts';
import { type Bench, soon } from './harness.ts';
import { because } from './units.ts';

const coded = (code: string) => expect.objectContaining({ code });
const SIZE = { columns: 80, rows: 24 };
const SHOWN_MAX = 100_000;

/** Interactive sessions in units; where there are none, the refusal. */
export function terminalConformance(bench: Bench): void {
  const { harness } = bench;
  const why = harness.unsupported?.terminal;
  const options = { timeout: harness.timeoutMs };
  const start = () => bench.driver.ensureUnit(bench.unit('a'), bench.call());
  const terminals = (): UnitTerminals => bench.driver.terminals!;
  const open = async (signal = bench.call().signal) => screenOf(await terminals().open('unit-a', SIZE, signal));

  describe('terminals', options, () => {
    test.skipIf(why === undefined)('refuses a terminal, and says why in advance', async () => {
      await start();
      const offer = await terminals().offer('unit-a');
      expect(offer).toEqual({ absent: expect.stringMatching(/\w{3}/) });
      await expect(terminals().open('unit-a', SIZE, bench.call().signal)).rejects.toEqual(coded('SF-SITE-NO-TERMINAL'));
    });

    describe.skipIf(why !== undefined)(`sessions${because(why)}`, () => {
      test('shows what is typed, takes a new size, and tells the exit code', async () => {
        await start();
        expect(await terminals().offer('unit-a')).toMatchObject({ kind: expect.any(String) });
        const screen = await open();
        screen.type('echo marvel\n');
        await screen.shows(/^(?!.*echo).*marvel$/m);
        screen.terminal.resize({ columns: 132, rows: 50 });
        screen.type('exit 3\n');
        expect(await soon(screen.terminal.ended)).toEqual({ exitCode: 3 });
        await soon(screen.over);
        await screen.terminal.close();
      });

      test('ends when it is closed, twice or by the signal, and others go on', async () => {
        await start();
        const cancel = new AbortController();
        const [one, other] = [await open(), await open(cancel.signal)];
        await one.terminal.close();
        await one.terminal.close();
        expect(await soon(one.terminal.ended)).toEqual(expect.objectContaining({ reason: expect.any(String) }));
        other.type('echo still-here\n');
        await other.shows(/^(?!.*echo).*still-here$/m);
        cancel.abort();
        await soon(other.terminal.ended);
        await soon(Promise.all([one.over, other.over]));
        expect((await bench.driver.getUnit('unit-a'))?.state).toBe('running');
      });

      test('ends with its unit', async () => {
        await start();
        const screen = await open();
        await bench.driver.removeUnit('unit-a', bench.call());
        await soon(screen.terminal.ended);
        await soon(screen.over);
      });

      test('does nothing for who has given up already, or names no unit', async () => {
        await start();
        await expect(soon(open(AbortSignal.abort()))).rejects.toThrow();
        const unknown = coded('SF-SITE-UNIT-UNKNOWN');
        await expect(terminals().offer('unit-never')).rejects.toEqual(unknown);
        await expect(terminals().open('unit-never', SIZE, bench.call().signal)).rejects.toEqual(unknown);
      });
    });
  });
}

/** Reads all the while, and keeps what it saw. */
export function screenOf(terminal: Terminal) {
  let seen = '';
  const news = new Set<() => void>();
  const over = (async () => {
    const decoder = new TextDecoder();
    for await (const piece of terminal.output) {
      seen = (seen + decoder.decode(piece, { stream: true }).replaceAll('\r', '')).slice(-SHOWN_MAX);
      for (const tell of news) tell();
    }
  })();
  return {
    terminal,
    over,
    type: (text: string) => void terminal.write(new TextEncoder().encode(text)),
    get seen() {
      return seen;
    },
    /** Resolves when the screen shows it, which may be already. */
    async shows(what: RegExp): Promise<string> {
      const shown = new Promise<string>((resolve) => {
        const look = () => {
          const found = what.exec(seen);
          if (found === null) return;
          news.delete(look);
          resolve(found[0]);
        };
        news.add(look);
        look();
      });
      return soon(shown).catch(() => {
        throw new Error(`the screen does not show ${what}, but:\n${seen.slice(-2_000)}`);
      });
    },
  };
}
