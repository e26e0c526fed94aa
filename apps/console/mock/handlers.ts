import type { CallReply, OperationDetail, RouteName, ServiceDetail } from '@superfluidity/api';
import { type Scenario, SENTINELS } from './scenario.ts';
import type { World } from './world.ts';

/** A refusal as the control plane sends it. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly hint: string | undefined;

  constructor(status: number, code: string, message: string, hint?: string) {
    super(message);
    this.status = status;
    this.code = code;
    this.hint = hint;
  }
}

export interface Input {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, never>>;
  readonly body: Readonly<Record<string, never>>;
}

/** What the console uses; the rest is answered with 501. */
export type Handlers = { readonly [N in RouteName]?: (input: Input) => CallReply<N> };

export function handlers(world: World, scenario: Scenario): Handlers {
  const site = (name: string | undefined) =>
    found(
      world.sites.get(name ?? ''),
      'SF-LIFECYCLE-UNKNOWN',
      `there is no site ${name}`,
      'List them: `superfluidity site list`.',
    );
  const service = (name: string | undefined): ServiceDetail =>
    found(
      world.services.get(name ?? ''),
      'SF-LIFECYCLE-UNKNOWN',
      `there is no service ${name}`,
      'List them with `superfluidity service list`.',
    );
  const idle = (name: string | undefined): ServiceDetail => {
    const one = service(name);
    if (one.busy !== undefined) {
      throw new Refusal(
        409,
        'SF-LIFECYCLE-BUSY',
        `${one.name} is being changed by ${one.busy}`,
        'Wait for it, or cancel it.',
      );
    }
    return one;
  };
  const operation = (id: string | undefined): OperationDetail =>
    found(world.operations.get(id ?? ''), 'SF-LIFECYCLE-UNKNOWN', `there is no operation ${id}`);
  const waiting = (id: string | undefined): OperationDetail => {
    const one = operation(id);
    if (one.state !== 'FAILED_TEMP') throw new Refusal(409, 'SF-LIFECYCLE-STATE', `the operation is ${one.state}`);
    return one;
  };
  const accepted = (started: OperationDetail) => ({ operation: started.id, service: started.service });
  const newestFirst = () => [...world.operations.values()].sort((a, b) => b.startedAt - a.startedAt);

  return {
    getHealth: () => ({ status: 'ok' }),
    getSystem: () => world.system,
    listSites: () => [...world.sites.values()],
    getSite: ({ params }) => site(params['name']),
    listLinks: () => world.links,
    listServices: () => [...world.services.values()],
    getService: ({ params }) => service(params['name']),
    deployService: ({ body }) => accepted(scenario.deploy(body['name'] ?? 'mobile-edge')),
    moveService: ({ params, body }) => {
      site(body['to']);
      return accepted(scenario.move(idle(params['name']), body['what']!, body['to']!, body['host']));
    },
    scaleService: ({ params, body }) => {
      if (body['count'] === SENTINELS.refusedCount) {
        throw new Refusal(
          409,
          'SF-PLACE-NO-CANDIDATE',
          `no host has room for ${body['unit']}#37: 0.5 cores wanted, 0.2 left`,
          'Lower the count, or add a host: `superfluidity site show core`.',
        );
      }
      return accepted(scenario.scale(idle(params['name']), body['unit']!, body['count']!));
    },
    healService: ({ params }) => accepted(scenario.heal(idle(params['name']))),
    terminateService: ({ params }) => accepted(scenario.terminate(idle(params['name']))),
    readUnitOutput: () => ({ lines: ['ready', 'listening on 0.0.0.0:8000', 'GET /segment-1.ts 200'], next: 3 }),
    getSamples: ({ params, query }) => (world.samples.get(params['name']!) ?? []).slice(-Number(query['limit'])),
    listOperations: ({ query }) =>
      newestFirst().filter((one) => query['service'] === undefined || one.service === query['service']),
    getOperation: ({ params }) => operation(params['id']),
    retryOperation: ({ params }) => after(waiting(params['id']), (one) => scenario.retry(one.id)),
    rollbackOperation: ({ params }) => after(waiting(params['id']), (one) => scenario.rollback(one.id)),
    continueOperation: ({ params }) => after(waiting(params['id']), (one) => scenario.continue(one.id)),
    failOperation: ({ params }) => after(waiting(params['id']), (one) => scenario.fail(one.id)),
    cancelOperation: ({ params }) => after(operation(params['id']), (one) => scenario.cancel(one.id)),
    listEvents: ({ query }) => {
      const events = world.events.filter((event) => event.id > Number(query['after']));
      const limit = Number(query['limit']);
      return query['from'] === 'newest' ? events.slice(-limit) : events.slice(0, limit);
    },
  };
}

function found<T>(value: T | undefined, code: string, message: string, hint?: string): T {
  if (value === undefined) throw new Refusal(404, code, message, hint);
  return value;
}

function after<T>(value: T, act: (value: T) => void): T {
  act(value);
  return value;
}

/** Subscribes to a stream, and returns what ends it. */
export function streams(
  world: World,
  name: RouteName,
  input: Input,
  lastId: number | undefined,
  send: (value: unknown, id?: number) => void,
): () => void {
  if (name === 'followEvents') {
    const asked: number | undefined = input.query['after'];
    const since = lastId ?? asked;
    if (since !== undefined) for (const event of world.events) if (event.id > since) send(event, event.id);
    const listener = (event: World['events'][number]) => send(event, event.id);
    world.eventListeners.add(listener);
    return () => world.eventListeners.delete(listener);
  }
  const listener = (service: string, batch: unknown[]) => {
    if (service === input.params['name']) send(batch);
  };
  world.sampleListeners.add(listener);
  return () => world.sampleListeners.delete(listener);
}
