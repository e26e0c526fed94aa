/** A control plane in a process of its own, driven by messages: tests stop and kill it. */
import { reportError, silentLogger, systemClock } from '@superfluidity/core';
import type { UnitSpec } from '@superfluidity/site';
import { simulated } from '../index.ts';

export interface PeerRequest {
  readonly stateFolder: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly fence: number;
  readonly specs: readonly UnitSpec[];
}

export interface PeerAnswer {
  readonly addresses?: readonly string[];
  readonly code?: string;
}

process.on('message', ({ stateFolder, config, fence, specs }: PeerRequest) => {
  void (async () => {
    const open = { id: 'site-shared', name: 'shared', config, stateFolder, clock: systemClock, log: silentLogger };
    const site = await simulated.open(open);
    const answer: PeerAnswer = await Promise.all(
      specs.map((spec) => site.ensureUnit(spec, { key: spec.id, fence, signal: AbortSignal.timeout(20_000) })),
    ).then(
      (units) => ({ addresses: units.map((unit) => unit.ports[0]!.address) }),
      (error: unknown) => ({ code: reportError(error).code }),
    );
    process.send?.(answer);
  })();
});
