import fc from 'fast-check';
import { expect, test } from 'vitest';
import { portKey, readVersions, writeVersions } from './chain-record.ts';

test('versions are read as they were written, as long as there is room', () => {
  const versions = fc.dictionary(
    fc.nat(999_999).map(String),
    fc.array(fc.array(fc.uuid().map(portKey), { minLength: 1, maxLength: 3 }), { maxLength: 4 }),
    {
      maxKeys: 5,
    },
  );
  fc.assert(
    fc.property(versions, (wanted) => {
      const map = new Map(Object.entries(wanted).map(([version, keys]) => [Number(version), keys]));
      const text = writeVersions(map);
      if (text === undefined) return;
      expect(text.length).toBeLessThanOrEqual(255);
      expect(readVersions(text)).toEqual(map);
    }),
  );
});

test('a description of somebody else says nothing', () => {
  fc.assert(fc.property(fc.string(), (text) => void readVersions(text)));
  expect(readVersions('my classifier, v=1')).toEqual(new Map());
});
