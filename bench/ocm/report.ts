import type { describeMachine } from '../machine.ts';
import { type Row, rowLine } from '../record.ts';
import type { OnlineGap, StudyRow } from './study.ts';

export interface OcmReport {
  readonly date: string;
  readonly machine: ReturnType<typeof describeMachine>;
  readonly speed: readonly Row[];
  readonly study: readonly StudyRow[];
  readonly gaps: readonly OnlineGap[];
}

export function reportLines({ speed, study, gaps }: OcmReport): readonly string[] {
  return [
    ...speed.map(rowLine),
    ...study.map((row) =>
      [
        `${row.switch.padEnd(10)} ${String(row.hosts).padStart(5)} hosts  ${row.policy.padEnd(12)}`,
        `accepted ${row.accepted.mean.toFixed(0).padStart(5)} of ${row.offered}`,
        `until the first refusal ${row.untilRefusal.mean.toFixed(0).padStart(5)}`,
        `switching ${row.ratio.mean.toFixed(2)} +- ${row.ratio.half.toFixed(2)} of OCM's`,
        `under light load ${row.ratioLight.mean.toFixed(2)}`,
      ].join('  '),
    ),
    ...gaps.map(({ switch: name, seed, chains, onlineCores, boundCores }) => {
      const bound =
        boundCores === undefined
          ? 'unknown'
          : `${boundCores.toFixed(3)} (${(onlineCores / boundCores).toFixed(3)} times)`;
      return `${name.padEnd(10)} seed ${seed}: ${chains} chains online ${onlineCores.toFixed(3)} cores, at least ${bound}`;
    }),
  ];
}
