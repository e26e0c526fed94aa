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
    ...(plan.previews ?? []).flatMap((preview) => ['', ...previewLines(preview, style)]),
    ...(plan.carried ?? []).map((message) => `  ${style.dim(message)}`),
    '',
    ...(plan.verification === undefined ? [] : [verificationText(plan.verification, style), '']),
    style.dim(`digest ${plan.digest}`),
  ].join('\n');
}

const CHANGES_MAX = 40;

/** What the orchestrator of a site says that it would do. */
function previewLines(
  { site, changes, refused }: NonNullable<Plan['previews']>[number],
  style: Style,
): readonly string[] {
  const head = style.bold(`Stack at ${site}`);
  if (refused !== undefined) return [head, `  no preview: ${refused}`];
  const told = changes.filter(({ change }) => change !== 'keep');
  const kept = changes.length - told.length;
  return [
    head,
    ...told.slice(0, CHANGES_MAX).map(({ change, name, type }) => `  ${change.padEnd(7)}  ${name}  ${style.dim(type)}`),
    ...(told.length > CHANGES_MAX ? [`  and ${told.length - CHANGES_MAX} more`] : []),
    ...(kept > 0 ? [`  ${kept} stay as they are`] : []),
  ];
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
