import { parseArgs } from 'node:util';
import { launchBrowser, whyNoBrowser } from '../../apps/console/test/browser.ts';
import { describeMachine } from '../machine.ts';
import { firstPaint, hundredThousandHosts } from './control-plane.ts';
import { designer } from './designer.ts';
import { eventBurst, largeTopology } from './mock.ts';
import type { Case } from './case.ts';

const usage = `Usage: npm run bench -- console [options]

  --only NAME  cases whose name has this in it
  --json       print one JSON object

Needs Chromium (or CHROMIUM=path) and the built console: npm run build
`;

/** `npm run bench -- console`: how quick the console is, in a real browser. */
export async function benchConsole(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', default: '' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  if (whyNoBrowser !== undefined) throw new Error(whyNoBrowser);
  const browser = await launchBrowser();
  const results: Case[] = [];
  try {
    for (const measure of [firstPaint, hundredThousandHosts, largeTopology, eventBurst, designer]) {
      if (!measure.name.toLowerCase().includes(values.only.toLowerCase())) continue;
      results.push(...(await measure(browser)));
    }
  } finally {
    await browser.close();
  }
  if (values.json) {
    process.stdout.write(`${JSON.stringify({ machine: describeMachine(), results }, undefined, 1)}\n`);
    return;
  }
  for (const { name, value, unit, goal, atLeast } of results) {
    const met = atLeast === true ? value >= goal : value <= goal;
    process.stdout.write(
      `${met ? 'ok  ' : 'MISS'} ${name}: ${value} ${unit} (goal ${atLeast === true ? 'at least' : 'at most'} ${goal})\n`,
    );
  }
}
