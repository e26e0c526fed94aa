import type { Operation, Service, Site } from '@superfluidity/api';
import { describeOperation } from './describe-operation.ts';
import { isOver } from './permitted.ts';

/** What somebody should look at, worst first, and what is under way. */
export interface Attention {
  readonly kind: 'waiting' | 'site' | 'service' | 'running';
  readonly id: string;
  readonly name: string;
  readonly why: string;
}

const ORDER: readonly Attention['kind'][] = ['waiting', 'site', 'service', 'running'];

export function attentionOf(what: {
  readonly operations: readonly Operation[];
  readonly sites: readonly Site[];
  readonly services: readonly Service[];
}): readonly Attention[] {
  const busy = new Set(what.operations.filter(({ state }) => !isOver(state)).map(({ service }) => service));
  const found: Attention[] = [
    ...what.operations
      .filter(({ state }) => !isOver(state))
      .map((one) => ({
        kind: one.state === 'FAILED_TEMP' ? ('waiting' as const) : ('running' as const),
        id: one.id,
        name: `${describeOperation(one)}${one.kind === 'MOVE' || one.kind === 'SCALE' ? `, ${one.service}` : ''}`,
        why: one.state === 'FAILED_TEMP' ? (one.error?.message ?? 'waits for you') : 'is under way',
      })),
    ...what.sites
      .filter(({ healthy }) => !healthy)
      .map((one) => ({
        kind: 'site' as const,
        id: one.name,
        name: one.name,
        why: one.error?.message ?? 'does not answer',
      })),
    ...what.services
      // One that is being changed is not well for a reason that is listed already.
      .filter(({ healthy, state, name }) => state === 'INSTANTIATED' && !healthy && !busy.has(name))
      .map((one) => ({
        kind: 'service' as const,
        id: one.name,
        name: one.name,
        why: `${one.unitCount - one.runningCount} of ${one.unitCount} units do not run`,
      })),
  ];
  return found.toSorted((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
}
