import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cursorAt, type ListQuery, type ListShape, pageOf, positionOf } from './lists.ts';
import { routes } from './routes.ts';

interface Item {
  readonly id: number;
  readonly name: string;
  readonly colour: 'red' | 'green';
}

const shape: ListShape<Item> = {
  key: (item) => item.id,
  sorts: { name: (item) => item.name, id: (item) => item.id },
  text: (item) => item.name,
  filters: { colour: (item) => item.colour },
};
const items = fc.uniqueArray(
  fc.record({
    id: fc.nat(),
    name: fc.string({ unit: 'grapheme', maxLength: 3 }),
    colour: fc.constantFrom('red', 'green'),
  }),
  { selector: (item) => item.id, maxLength: 40 },
) as fc.Arbitrary<Item[]>;

function allPages(all: readonly Item[], query: ListQuery & { readonly colour?: readonly string[] }): Item[] {
  const found: Item[] = [];
  for (let after: string | undefined; ; ) {
    const page = pageOf(all, { ...query, after }, shape);
    found.push(...page.items);
    if (page.next === undefined) return found;
    expect(page.items).toHaveLength(query.limit);
    after = page.next;
  }
}

describe('pages of a list', () => {
  it('hold everything once, in order', () => {
    fc.assert(
      fc.property(
        items,
        fc.integer({ min: 1, max: 7 }),
        fc.constantFrom('name', '-name', 'id', '-id'),
        (all, limit, sort) => {
          const found = allPages(all, { limit, sort });
          expect(found.toSorted((a, b) => a.id - b.id)).toEqual(all.toSorted((a, b) => a.id - b.id));
          const value = shape.sorts[sort.replace('-', '')]!;
          const ordered = sort.startsWith('-') ? found.toReversed() : found;
          expect(ordered.every((item, i) => i === 0 || value(ordered[i - 1]!) <= value(item))).toBe(true);
        },
      ),
    );
  });

  it('neither repeat nor leave out what stays when something comes or goes between two of them', () => {
    fc.assert(
      fc.property(items, items, fc.nat(), (all, others, at) => {
        fc.pre(all.length > 2);
        const first = pageOf(all, { limit: 2, sort: 'name' }, shape);
        const gone = all[at % all.length]!;
        const known = new Set(all.map((item) => item.id));
        const now = [...all.filter((item) => item !== gone), ...others.filter((item) => !known.has(item.id))];
        const rest = pageOf(now, { limit: 1_000, sort: 'name', after: first.next }, shape).items;
        const stays = all.filter((item) => item !== gone && !first.items.includes(item));
        const ids = (of: readonly Item[]) => new Set(of.map((item) => item.id));
        expect(ids(rest.filter((item) => known.has(item.id)))).toEqual(ids(stays));
      }),
    );
  });

  it('filter and search, and count what is left', () => {
    fc.assert(
      fc.property(items, fc.string({ maxLength: 1 }), (all, search) => {
        const query = { limit: 3, sort: 'id', search, colour: ['red'] };
        const wanted = all.filter(
          (item) => item.colour === 'red' && item.name.toLowerCase().includes(search.toLowerCase()),
        );
        expect(pageOf(all, query, shape).total).toBe(wanted.length);
        expect(allPages(all, query)).toEqual(wanted.toSorted((a, b) => a.id - b.id));
      }),
    );
  });

  it('begin where a cursor says, and nowhere else', () => {
    const cursor = cursorAt('-name', 'ü/?😀', 7);
    expect(cursor).toMatch(/^[\w-]+$/);
    expect(positionOf({ sort: '-name', after: cursor })).toEqual({
      field: 'name',
      descending: true,
      after: { value: 'ü/?😀', key: 7 },
    });
    expect(() => positionOf({ sort: 'name', after: cursor })).toThrow(/sorted by -name/);
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          positionOf({ sort: 'x', after: text });
        } catch (error) {
          expect(error).toMatchObject({ code: 'SF-API-CURSOR' });
        }
      }),
    );
  });

  it('are asked for with values that the route knows', () => {
    const { query } = routes.listOperations;
    expect(query.parse({ state: 'FAILED,FAILED_TEMP', service: 'a,b' })).toMatchObject({
      limit: 100,
      sort: '-startedAt',
      state: ['FAILED', 'FAILED_TEMP'],
      service: ['a', 'b'],
    });
    for (const wrong of [{ state: 'BROKEN' }, { sort: 'plan' }, { limit: '0' }, { limit: '1001' }, { automatic: '1' }])
      expect(query.safeParse(wrong).success).toBe(false);
  });
});
