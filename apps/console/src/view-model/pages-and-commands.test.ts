import { describe, expect, it } from 'vitest';
import { type Command, matching } from './commands.ts';
import { pageAt, pages } from './pages.ts';

describe('pages', () => {
  it('have paths and keys of their own, and know what belongs to them', () => {
    expect(new Set(pages.map(({ to }) => to)).size).toBe(pages.length);
    expect(new Set(pages.map(({ key }) => key)).size).toBe(pages.length);
    expect(pageAt('/services/shop')?.title).toBe('Services');
    expect(pageAt('/servicesx')).toBeUndefined();
    expect(pageAt('/')?.title).toBe('Overview');
  });
});

const command = (title: string, about = ''): Command => ({ id: title, title, about, group: 'Pages' });

describe('the command palette', () => {
  const commands = [
    command('Plan and deploy'),
    command('mobile-edge', 'service on core'),
    command('Move a function of mobile-edge'),
    command('Events', 'what moved'),
  ];
  const found = (typed: string) => matching(commands, typed).map(({ title }) => title);

  it('puts first what begins with what was typed', () => {
    expect(found('mo')).toEqual(['mobile-edge', 'Move a function of mobile-edge', 'Events']);
    expect(found('DEPLOY')).toEqual(['Plan and deploy']);
  });

  it('wants every word, in any order, in title or description', () => {
    expect(found('mobile move')).toEqual(['Move a function of mobile-edge']);
    expect(found('core service')).toEqual(['mobile-edge']);
    expect(found('nothing')).toEqual([]);
    expect(found('  ')).toHaveLength(4);
  });
});
