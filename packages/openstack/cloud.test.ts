import { type Clock, reportError, SuperfluidityError } from '@superfluidity/core';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Call, type Cloud, path } from './cloud.ts';
import { microversion } from './microversions.ts';
import { createOnce } from './once.ts';
import { list } from './paging.ts';
import { uploadImage } from './services/image.ts';
import { drop, dropWithin, hang, hangWithin, json, page, StandIn } from './testing/stand-in.ts';

let service: StandIn;
beforeEach(async () => {
  service = await new StandIn().start();
});
afterEach(() => service.stop());

const never = new AbortController().signal;
const get: Call = { service: 'network', method: 'GET', path: '/v2.0/ports', doing: 'list ports', signal: never };
const post: Call = { ...get, method: 'POST', body: { port: { name: 'a' } }, doing: 'create port a' };
const anything = z.looseObject({});

async function refused(work: Promise<unknown>): Promise<SuperfluidityError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof SuperfluidityError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

/** Remembers how long it was asked to sleep, and does not. */
function impatient(): { readonly clock: Clock; readonly slept: number[] } {
  const slept: number[] = [];
  return { slept, clock: { now: () => Date.now(), sleep: async (ms) => void slept.push(ms) } };
}

describe('a call that does not succeed', () => {
  it.each([429, 503])('is repeated after %d, a creation too, when the service says', async (status) => {
    const { clock, slept } = impatient();
    service.answers(
      json(status, {}, { 'retry-after': '7' }),
      json(status, {}, { 'retry-after': '9999' }),
      json(201, {}),
    );
    await service.cloud({ clock }).send(post);
    expect(slept).toEqual([7_000, 30_000]);
  });

  it.each([
    ['a lost connection', drop],
    ['a connection lost within the answer', dropWithin],
    ['a bad gateway', page(502, '<html><title>x</title><h1>502 Bad Gateway</h1></html>')],
    ['silence', hang],
    ['silence within the answer', hangWithin],
  ])('is repeated after %s if that is safe, else the error says that nobody knows', async (_, fault) => {
    const cloud = service.cloud({ limits: { requestMs: 100 } });
    service.answers(fault, json(200, { ports: [] }));
    expect(await cloud.json(get, anything)).toEqual({ ports: [] });
    service.asked.length = 0;
    service.answers(fault, json(200, {}));
    const error = await refused(cloud.send(post));
    expect(error.code).toBe('SF-OPENSTACK-UNAVAILABLE');
    expect(error.details.data).toMatchObject({
      mayBeDone: true,
      globalRequestId: expect.stringMatching(/^req-[0-9a-f-]{36}$/),
    });
    expect(service.asked.filter(({ method }) => method === 'POST')).toHaveLength(1);
  });

  it('is given up at the bound of attempts, at that of time, and sooner after a defect', async () => {
    service.answers(json(503, { message: 'away' }));
    await refused(service.cloud({ limits: { attempts: 4 } }).send(get));
    expect(service.asked).toHaveLength(4);
    service.asked.length = 0;
    await refused(
      service.cloud({ limits: { callMs: 50, backOff: { delayMs: 30, factor: 1, delayMaxMs: 30 } } }).send(get),
    );
    expect(service.asked.length).toBeLessThan(4);
    service.asked.length = 0;
    service.answers(json(500, {}));
    await refused(service.cloud().send(get));
    expect(service.asked).toHaveLength(3);
  });

  it('waits for the other work on a thing, and not where that is not wanted', async () => {
    const busy = json(409, { faultstring: 'Load Balancer 1 is immutable and cannot be updated.' });
    service.answers(busy, busy, json(202, {}));
    await service.cloud().send(post);
    expect(service.asked).toHaveLength(3);
    service.answers(busy);
    expect((await refused(service.cloud().send({ ...post, waitsWhileBusy: false }))).code).toBe(
      'SF-OPENSTACK-CONFLICT',
    );
  });

  it('is not repeated where no connection came about because of a certificate or a closed client', async () => {
    const cloud = service.cloud();
    await cloud.close();
    const error = await refused(cloud.send(get));
    expect(error.code).toBe('SF-CORE-CANCELLED');
  });
});

describe('an answer that cannot be used', () => {
  it.each([
    [
      'is no JSON',
      (cloud: Cloud) => cloud.json(get, anything),
      page(200, '<p>It works!</p>'),
      'SF-OPENSTACK-ANSWER',
      /received undefined/,
    ],
    [
      'lacks something',
      (cloud: Cloud) => cloud.json(get, z.object({ ports: z.array(z.unknown()) })),
      json(200, {}, { 'x-openstack-request-id': 'req-1' }),
      'SF-OPENSTACK-ANSWER',
      /ports[^]*\(req-1\)/,
    ],
    [
      'leads elsewhere',
      (cloud: Cloud) => cloud.send(get),
      json(302, {}, { location: 'http://elsewhere.example/' }),
      'SF-OPENSTACK-REFUSED',
      /leads on to http:\/\/elsewhere.example\//,
    ],
    [
      'is a page',
      (cloud: Cloud) => cloud.send(post),
      page(400, `<html><title>Oops</title><style>p{}</style><h1>400 Bad</h1><p>Your browser&hellip;</p></html>`),
      'SF-OPENSTACK-REFUSED',
      /^status 400: 400 Bad Your browser&hellip;$/,
    ],
    ['is empty', (cloud: Cloud) => cloud.send(get), page(418, ''), 'SF-OPENSTACK-REFUSED', /status 418 without a word/],
  ])('%s', async (_, work, answer, code, reason) => {
    service.answers(answer);
    const error = await refused(work(service.cloud()));
    expect(error.code).toBe(code);
    expect(error.details.reason).toMatch(reason);
    expect(service.asked).toHaveLength(1);
  });

  it('is too large: it is read to the bound, and once', async () => {
    let written = 0;
    service.answers(async (_, response) => {
      response.on('close', () => (written = -written));
      response.setMaxListeners(0);
      for (let n = 0; n < 1_000 && !response.destroyed; n += 1) {
        written += 100_000;
        if (!response.write(Buffer.alloc(100_000)))
          await new Promise((go) => response.once('drain', go).once('close', go));
      }
      response.end();
    });
    const error = await refused(service.cloud({ limits: { answerBytes: 1_000_000 } }).send(get));
    expect(error.details.reason).toBe('the answer has more than 1000000 bytes');
    expect(service.asked).toHaveLength(1);
    await expect.poll(() => written).toBeLessThan(0);
    expect(-written).toBeLessThan(50_000_000);
  });
});

describe('tokens', () => {
  it('are got once for all callers, and anew when a service refuses one', async () => {
    const cloud = service.cloud();
    await Promise.all(Array.from({ length: 50 }, () => cloud.send(get)));
    expect(service.logins).toBe(1);
    service.answers(({ headers }, response) =>
      headers['x-auth-token'] === 'token-1' ? json(401, {})(undefined!, response) : json(200, {})(undefined!, response),
    );
    await Promise.all(Array.from({ length: 50 }, () => cloud.send(post)));
    expect(service.logins).toBe(2);
  });

  it('are renewed before they expire, whatever the clock of the cloud says', async () => {
    let nowMs = 0;
    const cloud = service.cloud({ clock: { now: () => nowMs, sleep: async () => {} } });
    for (const [at, logins] of [
      [0, 1],
      [3_500_000, 1],
      [3_541_000, 2],
      [7_000_000, 2],
    ] as const) {
      nowMs = at;
      await cloud.send(get);
      expect(service.logins).toBe(logins);
    }
  });

  it('are not asked for in a loop with credentials that Keystone refuses', async () => {
    service.loginStatus = 401;
    const cloud = service.cloud();
    const errors = await Promise.all(Array.from({ length: 20 }, () => refused(cloud.send(get))));
    errors.push(await refused(cloud.send(get)));
    expect(new Set(errors.map(({ code }) => code))).toEqual(new Set(['SF-OPENSTACK-CREDENTIALS']));
    expect(service.logins).toBe(1);
  });

  it('that are refused again and again are a refusal', async () => {
    service.answers(json(401, { error: { message: 'no' } }));
    expect((await refused(service.cloud().send(get))).code).toBe('SF-OPENSTACK-CREDENTIALS');
    expect(service.asked).toHaveLength(2);
  });
});

describe('a caller that gives up', () => {
  it('ends its own work, wherever that is', async () => {
    service.answers(hang);
    const cloud = service.cloud({ limits: { concurrency: 1 } });
    const [first, second, third] = [new AbortController(), new AbortController(), new AbortController()];
    const calls = [first, second, third].map(({ signal }) => cloud.send({ ...get, signal }));
    const outcomes = calls.map((call) =>
      call.then(
        () => 'done',
        (error: unknown) => error,
      ),
    );
    await expect.poll(() => service.asked.length).toBe(1);
    second.abort('second');
    expect(await outcomes[1]).toBe('second');
    first.abort('first');
    expect(await outcomes[0]).toBe('first');
    await expect.poll(() => service.asked.length).toBe(2);
    third.abort('third');
    expect(await outcomes[2]).toBe('third');
  });

  it('is told what took too long', async () => {
    service.answers(hang);
    const error = await refused(service.cloud().send({ ...post, signal: AbortSignal.timeout(50) }));
    expect(error.code).toBe('SF-CORE-TIMEOUT');
    expect(error.message).toMatch(/^create port a: network took too long \(req-/);
    expect(error.details.data).toMatchObject({ mayBeDone: true });
  });

  it('leaves the login to the others', async () => {
    const cloud = service.cloud();
    const impatientOne = new AbortController();
    const calls = [cloud.send({ ...get, signal: impatientOne.signal }), cloud.send(get)];
    impatientOne.abort('enough');
    expect((await Promise.allSettled(calls)).map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    expect(service.logins).toBe(1);
  });

  it('holds no place in the pauses between its attempts', async () => {
    let wake = () => {};
    const pausing = new Promise<void>((resolve) => (wake = resolve));
    service.answers(json(503, {}), json(200, {}));
    const cloud = service.cloud({ limits: { concurrency: 1 }, clock: { now: () => 0, sleep: () => pausing } });
    const slow = cloud.send(get);
    await expect.poll(() => service.asked.length).toBe(1);
    await cloud.send(get);
    wake();
    await slow;
    expect(service.asked).toHaveLength(3);
  });
});

describe('where calls go', () => {
  it('is one region: with several, one has to be named', async () => {
    service.regions = ['north', 'south'];
    expect((await refused(service.cloud().send(get))).details.reason).toBe('name one of its regions: north, south');
  });

  it('is said when the catalogue has no such service', async () => {
    service.types = ['identity', 'compute'];
    const error = await refused(service.cloud().send(get));
    expect(error.code).toBe('SF-OPENSTACK-NO-SERVICE');
    expect(error.message).toBe('list ports: the catalogue has no public endpoint of network; it has compute, identity');
  });

  it('is never outside of where an id was put', () => {
    fc.assert(
      fc.property(fc.oneof(fc.constantFrom('', '.', '..', '%2e%2e', '/'), fc.string(), fc.constant('\ud800')), (id) => {
        let made: string;
        try {
          made = path`/v2.0/ports/${id}/tags`;
        } catch {
          return /^\.{0,2}$/.test(id);
        }
        const url = new URL(`http://cloud${made}`);
        const [, ...segments] = url.pathname.split('/');
        return segments.length === 4 && segments[3] === 'tags' && url.search === '' && url.hash === '';
      }),
    );
  });
});

describe('lists', () => {
  const ports = {
    service: 'network',
    path: '/v2.0/ports',
    key: 'ports',
    item: z.object({ id: z.string() }),
    doing: 'list ports',
    signal: never,
  } as const;
  const ids = (...given: readonly string[]) => given.map((id) => ({ id }));

  it('are read page by page, by links or until a page is empty', async () => {
    service.answers(
      json(200, {
        ports: ids('a', 'b'),
        ports_links: [{ rel: 'next', href: 'http://inside/v2.0/ports?limit=2&marker=b' }],
      }),
      json(200, { ports: ids('c') }),
    );
    expect(await list(service.cloud(), { ...ports, query: { name: 'x' }, pageSize: 2 })).toEqual(ids('a', 'b', 'c'));
    expect(service.asked.map((one) => one.path)).toEqual([
      '/v2.0/ports?name=x&limit=2',
      '/v2.0/ports?name=x&limit=2&marker=b',
    ]);
    service.asked.length = 0;
    service.answers(json(200, { ports: ids('a') }), json(200, { ports: [] }));
    expect(await list(service.cloud(), { ...ports, next: 'until empty' })).toEqual(ids('a'));
  });

  it('are refused when they have no end', async () => {
    service.answers(json(200, { ports: ids('a'), ports_links: [{ rel: 'next', href: '?marker=a' }] }));
    expect((await refused(list(service.cloud(), ports))).details.reason).toBe('page a comes a second time');
    let n = 0;
    service.answers((_, response) => json(200, { ports: [], next: `?marker=${(n += 1)}` })(undefined!, response));
    expect((await refused(list(service.cloud(), { ...ports, pagesMax: 5 }))).details.reason).toBe(
      'there are more than 5 pages',
    );
    expect(service.asked).toHaveLength(7);
  });
});

describe('creation once', () => {
  it.each([
    ['lost on the way there', (_there: string[]) => {}, 2],
    ['lost on the way back', (there: string[]) => void there.push('lost'), 1],
    ['lost, and done twice', (there: string[]) => void there.push('lost', 'again'), 1],
  ])('makes one thing of a request that is %s', async (_, before, posts) => {
    const there: string[] = [];
    const { clock } = impatient();
    const cloud = service.cloud({ clock });
    service.answers(
      (asked, response) => {
        before(there);
        return drop(asked, response);
      },
      (asked, response) => {
        there.push('second');
        return json(201, {})(asked, response);
      },
    );
    const made = await createOnce(cloud, {
      find: async () => there.slice(),
      create: async () => {
        await cloud.send(post);
        return there.at(-1)!;
      },
      remove: async (surplus) => void there.splice(there.indexOf(surplus), 1),
      signal: never,
    });
    expect(there).toEqual([made]);
    expect(service.asked).toHaveLength(posts);
  });
});

describe('microversions', () => {
  const range = { atLeast: '2.64', atMost: '2.87' };

  it.each([
    ['2.93', 'compute 2.87'],
    ['2.79', 'compute 2.79'],
    ['2.100', 'compute 2.87'],
  ])('are the highest that both sides know: a service with %s', async (version, agreed) => {
    service.answers(json(200, { version: { id: 'v2.1', version, min_version: '2.1' } }));
    const cloud = service.cloud();
    expect(await microversion(cloud, 'compute', range, never)).toBe(agreed);
    await microversion(cloud, 'compute', range, never);
    expect(service.asked).toHaveLength(1);
  });

  it.each([
    ['compute 2.87', 'openstack-api-version', 'compute 2.87'],
    ['placement 1.39', 'openstack-api-version', 'placement 1.39'],
    ['baremetal 1.81', 'x-openstack-ironic-api-version', '1.81'],
  ])('are sent in the header that the service reads: %s', async (agreed, header, value) => {
    service.answers(json(200, {}));
    const [name = ''] = agreed.split(' ');
    service.types = ['compute', 'placement', 'baremetal'];
    const call = { service: name as 'compute', method: 'GET', path: '/', doing: 'ask', signal: never } as const;
    await service.cloud().send({ ...call, microversion: agreed });
    const versions = Object.entries(service.asked[0]!.headers).filter(([key]) => key.endsWith('api-version'));
    expect(versions).toEqual([[header, value]]);
  });

  it.each([
    ['2.60', '2.1'],
    ['3.5', '3.0'],
    ['', ''],
  ])('are refused when there is none: %s', async (version, min) => {
    service.answers(json(300, { versions: [{ version, min_version: min }] }));
    expect((await refused(microversion(service.cloud(), 'compute', range, never))).code).toBe('SF-OPENSTACK-VERSION');
  });
});

describe('uploads', () => {
  const source = {
    bytes: 6,
    open: async function* () {
      yield Buffer.from('abc');
      yield Buffer.from('def');
    },
  };

  it('begin anew when they have to be repeated, and what Glance has is compared', async () => {
    const stored = {
      id: 'i',
      status: 'active',
      visibility: 'private',
      created_at: '',
      size: 6,
      os_hash_algo: 'sha512',
    };
    const sha512 =
      'e32ef19623e8ed9d267f657a81944b3d07adbb768518068e88435745564e8d4150a0a703be2a7d88b61e3d390c2bb97e2d4c311fdc69d6b1267f05f59aa920e7';
    const progress: number[] = [];
    service.answers(json(401, {}), json(204, undefined), json(200, { ...stored, os_hash_value: sha512 }));
    await uploadImage(service.cloud(), 'i', source, (bytes) => progress.push(bytes), never);
    expect(service.asked.slice(0, 2).map(({ body }) => body)).toEqual(['abcdef', 'abcdef']);
    expect(progress.slice(-2)).toEqual([3, 6]);
    service.answers(json(204, undefined), json(200, { ...stored, os_hash_value: 'other' }), json(204, undefined));
    expect((await refused(uploadImage(service.cloud(), 'i', source, () => {}, never))).code).toBe(
      'SF-OPENSTACK-CHECKSUM',
    );
    expect(service.asked.at(-1)).toMatchObject({ method: 'DELETE', path: '/v2/images/i' });
  });
});

describe('secrets', () => {
  it('are in no error, no line of the log and no print of the client', async () => {
    const lines: unknown[] = [];
    const note = (fields: object, message: string) => void lines.push(fields, message);
    const log = { debug: note, info: note, warn: note, error: note };
    const cloud = service.cloud({ log });
    service.answers(
      json(400, {
        badRequest: {
          message: `Invalid input for field/attribute user_data. Value: hunter2. 'hunter2' is not a 'base64'`,
        },
      }),
      json(400, { server: { adminPass: 'hunter2', token: 'hunter2"', note: 'kept' } }),
      json(200, { secret: 'hunter2', kept: 1 }),
      json(503, {}),
    );
    const errors = [
      await refused(cloud.send(post)),
      await refused(cloud.send(post)),
      await refused(cloud.json(get, z.object({ missing: z.string() }))),
      await refused(cloud.send(get)),
    ];
    service.loginStatus = 401;
    errors.push(await refused(service.cloud({ log }).send(get)));
    const { inspect } = await import('node:util');
    const said = inspect([errors.map((error) => [reportError(error), error]), lines, cloud], { depth: 20 });
    expect(said).toContain('kept');
    expect(said).not.toMatch(/hunter2|token-\d/);
  });
});
