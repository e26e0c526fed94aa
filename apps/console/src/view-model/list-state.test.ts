import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keepKnown, nextSort, parseSearch, sortOf, stringifySearch, toggled, valuesOf } from './list-state.ts';

describe('what a list has in its address', () => {
  it('comes back as it was, whatever the texts are', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.string({ minLength: 1, unit: 'grapheme' })),
        (search) => {
          expect(parseSearch(stringifySearch(search))).toEqual({ ...search });
        },
      ),
    );
  });

  it('is plain: no quotes around what could be a number', () => {
    expect(stringifySearch({ search: '5', healthy: 'true', gone: undefined, empty: '' })).toBe(
      '?search=5&healthy=true',
    );
    expect(stringifySearch({})).toBe('');
  });

  it('is what the page knows, and of a sensible length', () => {
    const search = { sort: '-name', state: '', other: 'x', search: 'y'.repeat(2_000), kind: 7 };
    expect(keepKnown(search, ['sort', 'state', 'search', 'kind'])).toEqual({ sort: '-name' });
  });

  it('holds several values of a filter, each at most once', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 12 }), (presses) => {
        let text: string | undefined;
        for (const press of presses) text = toggled(text, press);
        const odd = ['a', 'b', 'c'].filter((one) => presses.filter((press) => press === one).length % 2 === 1);
        expect([...valuesOf(text)].toSorted()).toEqual(odd);
      }),
    );
  });

  it('turns the order round at the second press', () => {
    expect(nextSort('name', 'state')).toBe('state');
    expect(nextSort('state', 'state')).toBe('-state');
    expect(nextSort('-state', 'state')).toBe('state');
    expect(sortOf('-state')).toEqual({ field: 'state', descending: true });
  });
});
