import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BrokenFrame, frame, FrameReader } from './frames.ts';
import { Places } from './positions.ts';

test('messages come out as they went in, however they are cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.jsonValue(), { maxLength: 5 }),
      fc.array(fc.nat(200), { maxLength: 20 }),
      (values, cuts) => {
        const bytes = Buffer.concat(values.map((value) => frame(value)));
        const reader = new FrameReader();
        const found: unknown[] = [];
        let from = 0;
        for (const cut of [...cuts, bytes.length]) {
          const to = Math.min(bytes.length, from + cut);
          for (const body of reader.push(bytes.subarray(from, to))) found.push(JSON.parse(body.toString()));
          from = to;
        }
        expect(found).toEqual(JSON.parse(JSON.stringify(values)));
      },
    ),
  );
});

test('any bytes are messages, wait for more, or are refused', () => {
  const piece = fc.oneof(
    fc.constantFrom('Content-Length: ', '5', '\r\n', '\r\n\r\n', '-', ' ', 'hello', 'content-length:0\r\n\r\n', ':'),
    fc.string({ maxLength: 5 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const reader = new FrameReader();
      try {
        for (const one of pieces) for (const body of reader.push(Buffer.from(one))) expect(body).toBeInstanceOf(Buffer);
      } catch (error) {
        expect(error).toBeInstanceOf(BrokenFrame);
      }
    }),
    { numRuns: 500 },
  );
});

test('lines and characters lead to the offset from which they came', () => {
  const text = fc
    .array(fc.constantFrom('a', 'é', '😀', '\n', '\r\n', '\r', ''), { maxLength: 30 })
    .map((list) => list.join(''));
  fc.assert(
    fc.property(text, fc.nat(40), (whole, at) => {
      const places = new Places(whole);
      const offset = Math.min(at, whole.length);
      // Between the two characters of one end of a line nobody can be.
      if (whole[offset - 1] === '\r' && whole[offset] === '\n') return;
      expect(places.offset(places.place(offset))).toBe(offset);
      const { line } = places.place(offset);
      expect(line).toBe(whole.slice(0, offset).split(/\r\n|\n|\r/).length - 1);
      const end = places.offset({ line, character: 1_000 });
      expect(whole.slice(offset, end)).not.toMatch(/[\r\n]/);
      expect(end === whole.length || /[\r\n]/.test(whole[end]!)).toBe(true);
      expect(places.offset({ line: 10_000, character: 0 })).toBe(whole.length);
    }),
    { numRuns: 300 },
  );
});
