import { expect, it } from 'vitest';
import { overBecause } from './terminal-state.ts';

it('says how a terminal ended', () => {
  const how = (...of: Parameters<typeof overBecause>) => {
    const state = overBecause(...of);
    return state.at === 'over' ? [state.how, state.failed] : state.at;
  };
  expect(how({ type: 'ended', exitCode: 0 }, true)).toEqual(['It ended with exit code 0.', false]);
  expect(how({ type: 'ended', exitCode: 130 }, true)).toEqual(['It ended with exit code 130.', true]);
  expect(how({ type: 'ended', reason: 'the unit ended' }, true)).toEqual(['It ended: the unit ended.', false]);
  expect(how({ type: 'lost' }, true)).toEqual([expect.stringMatching(/connection was lost/), true]);
  expect(how({ type: 'lost' }, false)).toEqual([expect.stringMatching(/no terminal/), true]);
  const error = { code: 'SF-SITE-TERMINAL-BUSY', message: 'somebody has it' };
  expect(how({ type: 'refused', error }, false)).toEqual(['It was refused: somebody has it.', true]);
});
