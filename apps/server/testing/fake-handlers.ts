import { type Handlers, type RouteName, routes } from '@superfluidity/api';
import { SuperfluidityError } from '@superfluidity/core';

/** Handlers of every route: those given, and for the others one that fails. */
export function fakeHandlers(given: Partial<Handlers<RouteName>>): Handlers<RouteName> {
  const refuse = async () => {
    throw new SuperfluidityError('SF-CORE-CANCELLED', { reason: 'this test has no such handler' });
  };
  const refuseStream = () => ({ [Symbol.asyncIterator]: () => ({ next: refuse }) });
  const entries = Object.entries(routes).map(([name, route]) => [name, 'stream' in route ? refuseStream : refuse]);
  const all = Object.fromEntries(entries);
  return { ...all, getHealth: async () => ({ status: 'ok' }), ...given } as Handlers<RouteName>;
}
