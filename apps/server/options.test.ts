import { expect, test } from 'vitest';
import { browserProgram } from './open-browser.ts';
import { parseServerArgs } from './options.ts';

test('options have defaults that are safe on this machine', () => {
  expect(parseServerArgs(['--state', '/srv/sf'], {})).toMatchObject({
    state: '/srv/sf',
    database: 'pglite:/srv/sf/db',
    host: '127.0.0.1',
    port: 8080,
    demo: false,
    open: true,
  });
  expect(parseServerArgs(['--state', '/x', '--no-open', '--demo', '--port', '0'], {})).toMatchObject({
    open: false,
    demo: true,
    port: 0,
  });
  expect(parseServerArgs(['--state', '/x', '--anomalies', '0.05', '--anomaly-window', '8'], {})).toMatchObject({
    anomalies: { rate: 0.05, window: 8 },
  });
  expect(parseServerArgs(['--state', '/x', '--anomalies', 'off'], {})).toMatchObject({ anomalies: undefined });
  expect(parseServerArgs(['--help'])).toBe('help');
});

test.each([
  ['--port', '70000'],
  ['--port', 'http'],
  ['--log-level', 'loud'],
  ['--anomalies', '0.9'],
  ['--anomaly-window', 'x'],
  ['--nonsense'],
  ['stray'],
])('%s %s is refused', (...args) => {
  expect(() => parseServerArgs(args)).toThrow(expect.objectContaining({ code: 'SF-SERVER-OPTION' }));
});

test('a browser is opened only where somebody can see it', () => {
  expect(browserProgram('linux', {})).toBeUndefined();
  expect(browserProgram('linux', { DISPLAY: ':0' })).toBe('xdg-open');
  expect(browserProgram('darwin', {})).toBe('open');
});
