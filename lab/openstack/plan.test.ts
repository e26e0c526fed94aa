import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderCloudsYaml } from './credentials.ts';
import { runGraph } from '../graph.ts';
import { renderIni } from './ini.ts';
import { type Lab, labPaths } from './lab.ts';
import {
  checkOptions,
  COMPUTES,
  defaultOptions,
  FIREWALLS,
  type LabOptions,
  NETWORKS,
  SERVICES,
  type ServiceName,
} from './options.ts';
import { packagesFor } from './packages.ts';
import { planFor } from './plan.ts';
import { type Plugged, plugCommands, type WantedPort } from './plug-commands.ts';

const PASSWORD = 'pass-word-of-the-test';

function labWith(options: Partial<LabOptions>): Lab {
  const base = { ...defaultOptions(), host: 'node1', services: SERVICES };
  return { options: checkOptions({ ...base, ...options }), paths: labPaths('/lab'), password: PASSWORD };
}

const anyOptions = fc.record({
  services: fc.subarray<ServiceName>([...SERVICES], { minLength: 1 }),
  network: fc.constantFrom(...NETWORKS),
  compute: fc.constantFrom(...COMPUTES),
  firewall: fc.constantFrom(...FIREWALLS),
});

describe('the plan of a laboratory', () => {
  it('can be carried out, whatever is chosen, and shows its password to nobody', async () => {
    const everything = new Set(
      NETWORKS.flatMap((network) =>
        COMPUTES.flatMap((compute) => planFor(labWith({ network, compute })).items.map(({ name }) => name)),
      ),
    );
    await fc.assert(
      fc.asyncProperty(anyOptions, async (options) => {
        const lab = labWith(options);
        const { items, files } = planFor(lab);
        for (const item of items) {
          for (const name of item.after) expect(everything).toContain(name);
          if (item.kind === 'task') continue;
          expect(JSON.stringify([item.argv, item.env ?? {}, item.ready])).not.toContain(PASSWORD);
          for (const file of item.files ?? []) expect(Object.keys(files)).toContain(file);
        }
        const done: string[] = [];
        await runGraph(items, 3, async ({ name }) => {
          done.push(name);
        });
        expect(done.toSorted()).toEqual(items.map(({ name }) => name).toSorted());
        expect(new Set(packagesFor(lab.options)).size).toBeGreaterThan(5);
      }),
      { numRuns: 25 },
    );
  });

  it.each(NETWORKS)('writes what Neutron needs for %s', async (network) => {
    const text = planFor(labWith({ network })).files['/lab/etc/neutron/neutron.conf'];
    await expect(text).toMatchFileSnapshot(`golden/neutron-${network}.conf`);
  });

  it('gives programs three ways to log in', async () => {
    const text = renderCloudsYaml(labWith({}), { id: 'credential-id', secret: 'credential-secret' });
    await expect(text).toMatchFileSnapshot('golden/clouds.yaml');
  });

  it('takes no option that would become another line of a configuration', () => {
    const line = fc.tuple(fc.string(), fc.constantFrom('\n', '\r', '\0'), fc.string()).map((parts) => parts.join(''));
    fc.assert(
      fc.property(line, fc.constantFrom('address', 'host', 'region', 'providers', 'pythonPath'), (text, name) => {
        const value = name === 'providers' || name === 'pythonPath' ? [text] : text;
        expect(() => labWith({ [name]: value })).toThrow(expect.objectContaining({ code: 'SF-LAB-OPTION' }));
      }),
    );
    expect(() => labWith({ address: '192.0.2.1' })).toThrow('127.0.0.0/8');
    expect(() => labWith({ providers: ['superfluidity:mine'] })).toThrow(
      "a provider 'superfluidity' of Octavia already",
    );
    expect(() => labWith({ providers: ['mine:one', 'mine:two'] })).toThrow("a provider 'mine' of Octavia already");
  });
});

describe('configuration files', () => {
  it('leave out what is undefined', () => {
    expect(renderIni({ DEFAULT: { a: 1, b: undefined, c: false }, other: {} })).toBe(
      '[DEFAULT]\na = 1\nc = false\n\n[other]\n',
    );
  });
});

describe('the graph', () => {
  it('begins nothing more after a failure, and waits for what runs', async () => {
    const ended: string[] = [];
    const items = [
      { name: 'a', after: [] },
      { name: 'b', after: [] },
      { name: 'c', after: ['b'] },
    ];
    const work = async ({ name }: { readonly name: string }) => {
      await Promise.resolve();
      if (name === 'a') throw new Error('a is broken');
      ended.push(name);
    };
    await expect(runGraph(items, 2, work)).rejects.toThrow('a is broken');
    expect(ended).toEqual(['b']);
  });
});

describe('the one who plugs', () => {
  const port = fc.record({
    id: fc.uuid(),
    mac: fc.constant('fa:16:3e:00:00:01'),
    owner: fc.constantFrom('', 'server-1'),
    details: fc.constantFrom(
      '',
      'no json',
      '{"bridge_name": "br-int"}',
      '{"bridge_name": "tbr-12345678-9"}',
      '{"bridge_name": "; rm"}',
    ),
  });
  const ports = fc
    .array(port, { maxLength: 8 })
    .map((list) => new Map(list.map((one): [string, WantedPort] => [one.id, one])));

  it('ends with what is wanted, and then has nothing to do', () => {
    fc.assert(
      fc.property(ports, ports, (before, wanted) => {
        const have = new Map<string, Plugged>();
        plugCommands(before, have);
        const args = plugCommands(wanted, have);
        expect([...have.keys()].toSorted()).toEqual([...wanted.keys()].toSorted());
        expect(args.join(' ')).not.toContain(';');
        expect(plugCommands(wanted, have)).toEqual([]);
      }),
    );
  });

  it('puts the parent of a trunk into the bridge of the trunk', () => {
    const id = '0123456789abcdef';
    const details = '{"bridge_name": "tbr-1"}';
    const wanted = new Map([[id, { id, mac: 'fa:16:3e:00:00:01', owner: 'vm', details }]]);
    expect(plugCommands(wanted, new Map()).join(' ')).toContain('-- --may-exist add-port tbr-1 tap0123456789a --');
  });
});
