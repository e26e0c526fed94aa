import type { Plan } from '@superfluidity/api';
import type { Style } from './style.ts';
import { table } from './table.ts';
import { milliseconds } from './values.ts';
import { verificationText } from './verification.ts';
import { wavesOf } from './waves.ts';

const STEPS_OF_WAVE_MAX = 20;

/** Placement with its reasons, chains with their latency, cost, and the steps by the waves in which they run. */
export function planText(plan: Plan, style: Style): string {
  return [
    `${style.bold(`Plan of ${plan.service}`)}  ${plan.kind}, ${plan.steps.length} steps, ${plan.costPerHour.toFixed(2)} per hour`,
    '',
    table(plan.assignments, [
      { title: 'UNIT', value: (one) => one.unit },
      { title: 'ENVIRONMENT', value: (one) => one.environment },
      { title: 'SITE', value: (one) => one.site },
      { title: 'HOST', value: (one) => one.host },
      { title: 'BECAUSE', value: (one) => one.reasons.join('; ') },
    ]),
    ...(plan.chains.length === 0 ? [] : ['', chainsText(plan)]),
    '',
    style.bold('Steps'),
    ...wavesOf(plan.steps).flatMap((wave, i) => [
      style.dim(`  wave ${i + 1}`),
      ...wave.slice(0, STEPS_OF_WAVE_MAX).map((step) => `    ${step.title}`),
      ...(wave.length > STEPS_OF_WAVE_MAX ? [`    and ${wave.length - STEPS_OF_WAVE_MAX} more`] : []),
    ]),
    '',
    ...(plan.verification === undefined ? [] : [verificationText(plan.verification, style), '']),
    style.dim(`digest ${plan.digest}`),
  ].join('\n');
}

function chainsText(plan: Plan): string {
  const limit = (ms: number | undefined) => (ms === undefined ? undefined : milliseconds(ms));
  return table(plan.chains, [
    { title: 'CHAIN', value: (one) => one.chain },
    { title: 'LATENCY', value: (one) => milliseconds(one.latencyMs), align: 'right' },
    { title: 'DESIRED', value: (one) => limit(one.desiredMs), align: 'right' },
    { title: 'MAXIMUM', value: (one) => limit(one.maxMs), align: 'right' },
    { title: 'THROUGH', value: (one) => one.sites.filter((site, i) => site !== one.sites[i - 1]).join(' > ') },
  ]);
}
