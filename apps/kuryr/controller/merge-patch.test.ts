import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mergePatch } from './merge-patch.ts';

/** RFC 7396, section 2, as it stands there. */
function apply(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const made: Record<string, unknown> =
    typeof target === 'object' && target !== null && !Array.isArray(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch))
    if (value === null) delete made[name];
    else made[name] = apply(made[name], value);
  return made;
}

const { object } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.array(fc.string(), { maxLength: 3 }),
    tie('object'),
  ),
  object: fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), tie('value'), { noNullPrototype: true }),
}));
const fields = object as fc.Arbitrary<Readonly<Record<string, unknown>>>;

test('a patch makes of the one what the other is, and of what is alike there is none', () => {
  fc.assert(
    fc.property(fields, fields, (before, after) => {
      const patch = mergePatch(before, after);
      expect(patch === undefined ? before : apply(before, patch)).toEqual(after);
      expect(mergePatch(after, after)).toBeUndefined();
    }),
  );
});
