import { afterEach, beforeEach, expect, it } from 'vitest';
import { json, StandIn } from '../testing/stand-in.ts';
import { removeLoadBalancer } from './load-balancer.ts';

let service: StandIn;
beforeEach(async () => {
  service = new StandIn();
  service.types = ['load-balancer'];
  await service.start();
});
afterEach(() => service.stop());

const never = new AbortController().signal;
const pending = (state: string) =>
  json(409, { faultcode: 'Client', faultstring: `Invalid state ${state} of loadbalancer resource a`, debuginfo: null });

/** Without a cloud: a provider of the laboratory removes them before anybody can ask for it twice. */
it('a load balancer that somebody removes already is waited for, one that is being changed is asked again', async () => {
  const asked = () => service.asked.map(({ method }) => method);
  service.answers(pending('PENDING_DELETE'), json(404, { faultstring: 'Load Balancer a not found.' }));
  expect(await removeLoadBalancer(service.cloud(), 'a', never)).toBe(true);
  expect(asked().slice(-2)).toEqual(['DELETE', 'GET']);
  service.answers(pending('PENDING_UPDATE'), json(204, {}), json(404, { faultstring: 'Load Balancer a not found.' }));
  expect(await removeLoadBalancer(service.cloud(), 'a', never)).toBe(true);
  expect(asked().slice(-3)).toEqual(['DELETE', 'DELETE', 'GET']);
});
