import { isSuperfluidityError } from '@superfluidity/core';
import type { NewEvent } from '@superfluidity/observe';
import type { Attempt } from './routes.ts';

/** Fields of bodies that say what was asked for. Sources of descriptors and configurations of sites are not among them. */
const TELLING = [
  'name',
  'role',
  'user',
  'disabled',
  'what',
  'to',
  'host',
  'unit',
  'count',
  'mode',
  'operationalState',
  'kind',
  'a',
  'b',
];

/** Who asked for what, and whether it was refused, as an event of kind `audit`. */
export function auditEvent({ route, by, token, params, body, result, error }: Attempt): NewEvent {
  const asked = Object.fromEntries(
    Object.entries((body ?? {}) as Record<string, unknown>).filter(([name]) => TELLING.includes(name)),
  );
  const { operation, service } = (result ?? {}) as { operation?: unknown; service?: unknown };
  const subject = text(operation) ?? text(params['name']) ?? text(params['id']) ?? text(asked['name']) ?? route;
  const about = text(service) ?? (route.endsWith('Service') ? text(params['name']) : undefined);
  const object = text(params['name']) ?? text(params['id']) ?? text(asked['name']) ?? about ?? '';
  const words = route.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  const details = Object.entries(asked)
    .filter(([name]) => name !== 'name')
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(', ');
  const code = error === undefined ? undefined : isSuperfluidityError(error) ? error.code : 'SF-CORE-UNEXPECTED';
  const sentence = `${by}: ${words} ${object}`.trimEnd() + (details === '' ? '' : ` (${details})`);
  return {
    kind: 'audit',
    subject,
    ...(about === undefined ? {} : { service: about }),
    by,
    severity: code === undefined ? 'info' : 'warning',
    message: code === undefined ? sentence : `${sentence}: refused, ${code}`,
    body: {
      route,
      params,
      asked,
      ...(token === undefined ? {} : { token }),
      ...(code === undefined ? {} : { code }),
      ...(operation === undefined ? {} : { operation }),
    },
  };
}

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
