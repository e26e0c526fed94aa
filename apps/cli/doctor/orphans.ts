import { createInterface } from 'node:readline/promises';
import { silentLogger, SuperfluidityError } from '@superfluidity/core';
import type { Orphan } from '@superfluidity/driver-linux/orphans';
import './errors.ts';

export interface OrphanOptions {
  /** lost: what nobody can ever take up again. stopped: also what a control plane would find again when it is started. */
  readonly purgeOrphans?: 'lost' | 'stopped';
  readonly yes: boolean;
  readonly json: boolean;
}

export interface OrphanSurroundings {
  readonly print?: (text: string) => void;
  readonly find?: () => readonly Orphan[];
  readonly purge?: (orphan: Orphan) => Promise<readonly string[]>;
  /** Undefined when there is nobody to ask. */
  readonly ask?: (question: string) => Promise<boolean | undefined>;
}

/** Names what belongs to no control plane of this machine, and removes it when that is confirmed. */
export async function purgeOrphans(options: OrphanOptions, surroundings: OrphanSurroundings = {}): Promise<void> {
  const { print = console.log, ask = askPerson } = surroundings;
  const driver = await import('@superfluidity/driver-linux/orphans');
  const { find = driver.findOrphans, purge = (one: Orphan) => driver.purgeOrphan(one, silentLogger) } = surroundings;
  const tell = (text: string) => {
    if (!options.json) print(text);
  };

  const all = find();
  const chosen = all.filter(({ state }) => state === 'lost' || options.purgeOrphans === 'stopped');
  const spared = all.filter((one) => !chosen.includes(one));
  for (const one of chosen) tell(`${one.state.padEnd(7)}  ${describe(one)}`);
  for (const one of spared) tell(`kept     ${describe(one)}: starting the control plane again finds it`);
  if (chosen.length === 0) tell('There is nothing to remove.');
  else if (!options.yes) await confirm(chosen, ask);

  const removed: { readonly orphan: Orphan; readonly removed: readonly string[] }[] = [];
  for (const orphan of chosen) {
    const things = await purge(orphan);
    removed.push({ orphan, removed: things });
    tell([...things, `${things.length} things removed of ${name(orphan)}`].join('\n'));
  }
  if (options.json) print(JSON.stringify({ removed, kept: spared }, undefined, 2));
}

async function confirm(chosen: readonly Orphan[], ask: NonNullable<OrphanSurroundings['ask']>): Promise<void> {
  const answer = await ask(`Remove everything of ${chosen.map(name).join(', ')}? [y/N] `);
  if (answer === true) return;
  const reason = answer === undefined ? 'there is nobody to ask' : 'the answer was no';
  throw new SuperfluidityError('SF-DOCTOR-CONFIRM', { doing: `remove ${chosen.map(name).join(', ')}`, reason });
}

async function askPerson(question: string): Promise<boolean | undefined> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) return undefined;
  const prompt = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await prompt.question(question)).trim());
  } finally {
    prompt.close();
  }
}

function name(orphan: Orphan): string {
  return orphan.kind === 'probe' ? orphan.namespace : `sf-${orphan.key}`;
}

function describe(orphan: Orphan): string {
  const what = orphan.kind === 'site' && orphan.site !== undefined ? ` (site ${orphan.site.name})` : '';
  return `${name(orphan)}${what}: ${orphan.reason}`;
}
