import { type Handlers, type RouteName, routes } from '@superfluidity/api';
import { invariant } from '@superfluidity/core';

/** Joins what the rooms bring. A route that two of them serve, or none, is a defect that must not wait for its first call. */
export function joinHandlers(...rooms: readonly Partial<Handlers<RouteName>>[]): Handlers<RouteName> {
  const joined: Partial<Handlers<RouteName>> = {};
  for (const room of rooms) {
    for (const [name, handler] of Object.entries(room)) {
      invariant(name in routes, `there is a handler for the route ${name}, which does not exist`);
      invariant(!(name in joined), `the route ${name} has two handlers`);
      Object.assign(joined, { [name]: handler });
    }
  }
  const missing = Object.keys(routes).filter((name) => !(name in joined));
  invariant(missing.length === 0, `routes without a handler: ${missing.join(', ')}`);
  return joined as Handlers<RouteName>;
}
