import { describe, expect, it } from 'vitest';
import { configOf, fieldsOf, problemOf } from './config-form.ts';

const schema = {
  type: 'object',
  properties: {
    url: { type: 'string', pattern: '^https?://', description: 'Where it is' },
    retries: { type: 'integer', minimum: 0, maximum: 9, default: 3 },
    share: { type: 'number' },
    secure: { type: 'boolean', default: true },
    mode: { type: 'string', enum: ['fast', 'careful'] },
    latency: {
      type: 'object',
      properties: { ms: { type: 'number' }, deep: { type: 'object', properties: { on: { type: 'boolean' } } } },
      required: ['ms'],
    },
    hosts: { type: 'array', items: { type: 'string' } },
    either: { anyOf: [{ type: 'string' }, { type: 'number' }] },
  },
  required: ['url', 'retries'],
};
const fields = fieldsOf(schema);
const field = (title: string) => fields.find((one) => one.title === title)!;

describe('the form of a driver', () => {
  it('has a field for every value, and JSON for what has no field of its own', () => {
    expect(fields.map(({ title, kind, required }) => [title, kind, required])).toEqual([
      ['url', 'text', true],
      // It has a default: nothing need be typed.
      ['retries', 'integer', false],
      ['share', 'number', false],
      ['secure', 'switch', false],
      ['mode', 'choice', false],
      ['latency › ms', 'number', true],
      ['latency › deep › on', 'switch', false],
      ['hosts', 'json', false],
      ['either', 'json', false],
    ]);
    expect(field('retries')).toMatchObject({ initial: '3', minimum: 0, maximum: 9 });
  });

  it('says what is wrong', () => {
    expect(problemOf(field('url'), '')).toBe('It is needed.');
    expect(problemOf(field('url'), 'ftp://x')).toContain('^https?://');
    expect(problemOf(field('url'), 'http://x')).toBeUndefined();
    expect(problemOf(field('retries'), '1.5')).toContain('whole');
    expect(problemOf(field('retries'), '10')).toBe('At most 9.');
    expect(problemOf(field('share'), 'much')).toBe('It is not a number.');
    expect(problemOf(field('hosts'), '[1,')).toContain('JSON');
  });

  it('makes a configuration of the types that are wanted, without what was left empty', () => {
    const typed = {
      url: 'http://x',
      'latency.ms': '1.5',
      'latency.deep.on': 'true',
      hosts: '["a"]',
      secure: 'false',
      mode: '',
    };
    expect(configOf(fields, typed)).toEqual({
      url: 'http://x',
      latency: { ms: 1.5, deep: { on: true } },
      hosts: ['a'],
      secure: false,
    });
    expect(configOf(fields, {})).toEqual({});
  });

  it('bears schemas that make no sense', () => {
    for (const odd of [
      {},
      { properties: {} },
      { properties: { x: {} } },
      { properties: { x: { type: 'string', pattern: '(' } } },
    ])
      for (const one of fieldsOf(odd)) expect(() => problemOf(one, 'text')).not.toThrow();
  });
});
