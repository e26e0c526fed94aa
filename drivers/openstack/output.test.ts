import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Consoles } from './output.ts';

const line = fc.string({ unit: fc.constantFrom('a', 'b', 'é', ' '), minLength: 0, maxLength: 6 });
/** What a machine prints between two readings, and how many characters at the beginning Nova throws away meanwhile. */
const turn = fc.record({ printed: fc.array(line, { maxLength: 4 }), dropped: fc.nat({ max: 12 }) });

test('lines are read once and in order from an offset on, however Nova cuts the beginning', () => {
  fc.assert(
    fc.property(fc.array(turn, { minLength: 1, maxLength: 12 }), (turns) => {
      const consoles = new Consoles();
      const all: string[] = [];
      const read: string[] = [];
      let kept = '';
      let next = 0;
      for (const { printed, dropped } of turns) {
        for (const text of printed) {
          // Unlike any other line, so that what is kept can be found in what was.
          const numbered = `${all.length} ${text}`;
          all.push(numbered);
          kept += `${numbered}\n`;
        }
        const answer = consoles.read('server', kept, next);
        read.push(...answer.lines);
        expect(answer.next).toBeGreaterThanOrEqual(next);
        next = answer.next;
        // Only what was read is thrown away here: more would be lost to every reader.
        kept = kept.slice(Math.min(dropped, kept.length));
      }
      expect(read).toEqual(all);
    }),
  );
});

test('half a line is left for the next reading, and who comes late begins with a whole one', () => {
  const consoles = new Consoles();
  expect(consoles.read('server', 'one\ntw', 0)).toEqual({ lines: ['one'], next: 4 });
  expect(consoles.read('server', 'one\ntwo\r\nthree\n', 4)).toEqual({ lines: ['two', 'three'], next: 15 });
  expect(consoles.read('server', 'wo\r\nthree\nfour\n', 15)).toEqual({ lines: ['four'], next: 20 });
  expect(consoles.read('server', 'wo\r\nthree\nfour\n', 0)).toEqual({ lines: ['three', 'four'], next: 20 });
});
