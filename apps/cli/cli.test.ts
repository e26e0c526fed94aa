import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commandFile, launchCommand } from './testing/launch-command.ts';
import { runCommand } from './testing/run-command.ts';

/** The command against the real server, on sites that are simulated; as a process where it is about the process. */
const serverProgram = fileURLToPath(new URL('../server/main.ts', import.meta.url));
const example = fileURLToPath(new URL('../../examples/mobile-edge/service.yaml', import.meta.url));

let folder: string;
let state: string;
let server: ChildProcess;
let url: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sf-cli-'));
  state = join(folder, 'state');
  const args = ['--state', state, '--database', 'pglite:memory', '--port', '0', '--log-level', 'error'];
  server = spawn(process.execPath, [serverProgram, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: server.stdout! })) {
    const found = /console +(\S+)/.exec(line)?.[1];
    if (found === undefined) continue;
    url = new URL(found).origin;
    break;
  }
  server.stdout!.resume();
}, 120_000);

afterAll(async () => {
  if (server?.exitCode === null) {
    server.kill('SIGTERM');
    const [code] = await once(server, 'exit');
    expect(code).toBe(0);
  }
  await rm(folder, { recursive: true });
}, 60_000);

const surroundings = () => ({ SUPERFLUIDITY_SERVER: url, SUPERFLUIDITY_STATE: state, SUPERFLUIDITY_TOKEN: '' });
const sf = (args: readonly string[], env: Record<string, string> = {}, input?: string) =>
  runCommand(args, { ...surroundings(), ...env }, input);
const launch = (args: readonly string[], env: Record<string, string> = {}, file = commandFile) =>
  launchCommand(args, { ...surroundings(), ...env }, file);
const json = async (...args: string[]) => JSON.parse((await sf([...args, '--output', 'json'])).out);

test('descriptors and packages are imported, one entry each, and what is refused hinders no other', {
  timeout: 60_000,
}, async () => {
  const csar = join(folder, 'edge.csar');
  expect((await sf(['package', 'build', example, '-o', csar])).out).toContain('csar of mobile-edge');
  const bad = join(folder, 'bad.yaml');
  await writeFile(bad, 'superfluidity: 1\n');
  const { code, out } = await sf(['import', csar, bad, example, '--output', 'json']);
  expect(code).toBe(1);
  const results = JSON.parse(out) as {
    input: string;
    descriptor?: { id: string; format: string };
    error?: { code: string };
  }[];
  expect(results.map(({ input, descriptor, error }) => [input, descriptor?.format ?? error!.code])).toEqual([
    [csar, 'tosca'],
    [bad, expect.stringMatching(/^SF-/)],
    [example, 'native'],
  ]);
  for (const { descriptor } of results) {
    if (descriptor === undefined) continue;
    await sf(['descriptor', 'disable', descriptor.id]);
    expect((await sf(['descriptor', 'delete', descriptor.id])).code).toBe(0);
  }
});

describe('a service from nothing to nothing', { timeout: 120_000 }, () => {
  test('sites are added, linked and shown', async () => {
    expect((await sf(['site', 'add', 'edge', '--kind', 'simulated', '--tier', 'edge', '--cell', 'cell-1'])).code).toBe(
      0,
    );
    expect((await sf(['site', 'add', 'core', '--kind', 'simulated', '--tier', 'core'])).code).toBe(0);
    expect((await sf(['site', 'link', 'edge', 'core', '--latency', '12'])).out).toContain('12 ms');
    expect(await json('site', 'links', '--site', 'core', '--sort', '-latencyMs')).toMatchObject([{ latencyMs: 12 }]);
    expect(await json('site', 'links', '--search', 'nowhere')).toEqual([]);
    expect((await json('site', 'list')).map((site: { name: string }) => site.name).sort()).toEqual(['core', 'edge']);
    expect((await sf(['site', 'show', 'edge'])).out).toMatch(/HOST +ENVIRONMENTS/);
    const first = await sf(['site', 'list', '--sort', '-name', '--limit', '1']);
    expect(first.out).toMatch(/\nedge /);
    const [, after] = /1 of 2; for the next: --after (\S+)/.exec(first.err)!;
    expect(await json('site', 'list', '--sort', '-name', '--after', after!)).toMatchObject([{ name: 'core' }]);
    expect(await sf(['site', 'list', '--sort', 'plan'])).toMatchObject({
      err: expect.stringContaining('SF-SERVER-REQUEST'),
    });
  });

  test('the plan changes nothing; deploy follows its steps; the service is there, and its events are', async () => {
    const plan = await sf(['plan', example]);
    expect(plan).toMatchObject({ code: 0, out: expect.stringContaining('wave 1') });
    expect(await json('service', 'list')).toEqual([]);
    const deployed = await sf(['deploy', example, '--name', 'me']);
    expect(deployed).toMatchObject({
      code: 0,
      out: expect.stringContaining('COMPLETED'),
      err: expect.stringContaining('✓ create'),
    });
    expect((await sf(['service', 'show', 'me'])).out).toMatch(/video\/\S+ +container/);
    const [operation] = await json('operation', 'list', '--service', 'me');
    expect((await sf(['operation', 'show', operation.id])).out).toContain('INSTANTIATE');
    expect((await sf(['events', '--service', 'me'])).out).toContain('COMPLETED');
    expect((await sf(['events', '--kind', 'audit', '--search', 'deploy'])).out).toContain('admin: deploy service me');
  });

  test('a part moves to the other site and the service is terminated', async () => {
    const show = async () =>
      (await json('service', 'show', 'me')).units.find((unit: { path: string }) => unit.path.startsWith('video'));
    const target = (await show()).site === 'core' ? 'edge' : 'core';
    expect(await sf(['move', 'me', 'video', '--to', target])).toMatchObject({ code: 0 });
    expect((await show()).site).toBe(target);
    expect((await sf(['terminate', 'me'])).code).toBe(0);
    expect((await json('site', 'list')).every((site: { unitCount: number }) => site.unitCount === 0)).toBe(true);
  });

  test('two places for a function are tried, and the near one is found to be near', async () => {
    const file = join(folder, 'near.yaml');
    const text = await readFile(join(dirname(example), '../characterise/mobile-edge.yaml'), 'utf8');
    const short = text.replace('[256, 512]', '256').replace('iterations: 2', 'iterations: 1');
    const quick = short
      .replace('sample_period: 0.5', 'sample_period: 0.25')
      .replace(/settle: .*,/, 'settle: 0, duration: 0.5,')
      .replace(', 512: 2', '');
    await writeFile(file, quick.replace('../mobile-edge/service.yaml', example));
    const results = join(folder, 'near.jsonl');
    expect(await sf(['characterise', 'run', file, '--results', results])).toMatchObject({ code: 0 });
    const { templates } = await json('characterise', 'analyse', file, results);
    expect(templates).toMatchObject({ Near: { video_site: 'edge' }, None: { video_site: 'core' } });
    expect(await json('service', 'list')).toEqual([]);
  });

  test('an operation that cannot succeed ends with code 4, the cause and the ways on', async () => {
    const config = join(folder, 'failing.yaml');
    await writeFile(config, 'failures:\n  missingImages: [never]\n  probability: 1\n');
    await sf(['site', 'add', 'edge', '--kind', 'simulated', '--tier', 'edge', '--cell', 'cell-1', '--config', config]);
    const failed = await sf(['deploy', example, '--name', 'doomed']);
    expect(failed.code).toBe(4);
    expect(failed.err).toMatch(/because SF-SITE-|error SF-SITE-/);
    const id = /operation retry\S* (op-\S+)/.exec(failed.err)?.[1];
    expect((await sf(['operation', 'rollback', id!])).out).toContain('ROLLED_BACK');
  });
});

describe('units that scale by themselves', { timeout: 60_000 }, () => {
  test('a policy is set, advises, is shown with its decisions, and is stopped', async () => {
    const solved = join(folder, 'table.json');
    const model = fileURLToPath(new URL('../../examples/scaling/scaling.yaml', import.meta.url));
    await sf(['scale', 'solve', model, '--table', solved]);
    const policy = join(folder, 'policy.yaml');
    await writeFile(policy, 'kind: mdp\nfile: table.json\neveryS: 1\n');
    const scaled = join(folder, 'scaled.yaml');
    // Not at the edge, where by now every unit fails.
    const where = 'requirements: {location: {sites: [aside]}}';
    const unit = `{name: video, environment: container, image: 'host:', ports: [net], scale: {initial: 1, min: 1, max: 4}, ${where}}`;
    const networks = '[{name: net, prefix: 10.77.0.0/16}]';
    await writeFile(
      scaled,
      `superfluidity: 1\nservice: {name: scaled, version: '1', networks: ${networks}, functions: [${unit}]}\n`,
    );
    await sf(['site', 'add', 'aside', '--kind', 'simulated']);
    expect(await sf(['deploy', scaled])).toMatchObject({ code: 0 });
    expect((await sf(['service', 'scaling', 'show', 'scaled'])).out).toContain('no unit of scaled scales by itself');
    const set = await sf(['service', 'scaling', 'set', 'scaled', 'video', policy, '--recommend-only']);
    expect(set.out).toMatch(/policy +mdp: a table of a Markov model, advice alone/);
    expect(set.out).toMatch(/^VMs down, tasks across/m);
    const list = ['service', 'scaling', 'decisions', 'scaled', '--output', 'json'];
    await expect.poll(async () => JSON.parse((await sf(list)).out).length, { timeout: 10_000 }).toBeGreaterThan(0);
    const shown = await json('service', 'scaling', 'show', 'scaled', 'video');
    expect(shown).toMatchObject({ unit: 'video/video', state: 'active', last: { kind: 'mdp' } });
    expect((await sf(['service', 'scaling', 'decisions', '--unit', 'video/video'])).out).toMatch(/OUTCOME +INSTANCES/);
    await writeFile(policy, 'kind: hpa\nmetric: cpu\ntarget: 1\n');
    const refused = await sf(['service', 'scaling', 'set', 'scaled', 'video', policy]);
    expect([refused.code, refused.err]).toEqual([2, expect.stringMatching(/metric: .*rate/)]);
    expect((await sf(['service', 'scaling', 'stop', 'scaled', 'video'])).out).toMatch(/there are 1 of it/);
    expect((await sf(['detect', 'live', 'scaled'])).out).toMatch(/^events +learning: \d+ of \d+ values/m);
    expect((await sf(['terminate', 'scaled'])).code).toBe(0);
  });
});

describe('tokens', () => {
  test('the first one is in a file that its owner alone can read', async () => {
    expect((await stat(join(state, 'admin.token'))).mode & 0o777).toBe(0o600);
    expect((await sf(['token', 'show'])).out.trim()).toBe((await readFile(join(state, 'admin.token'), 'utf8')).trim());
  });

  test('a reader may look and not touch, until it is revoked', async () => {
    const secret = (await sf(['token', 'create', 'guest', '--role', 'reader'])).out.trim();
    const guest = { SUPERFLUIDITY_TOKEN: secret };
    expect(await launch(['site', 'list'], guest)).toMatchObject({ code: 0, err: '' });
    expect(await sf(['site', 'remove', 'core'], guest)).toMatchObject({
      code: 1,
      err: expect.stringContaining('SF-ACCESS-FORBIDDEN'),
    });
    expect((await sf(['token', 'revoke', 'guest'])).code).toBe(0);
    expect(await sf(['site', 'list'], guest)).toMatchObject({
      code: 1,
      err: expect.stringContaining('SF-ACCESS-BAD-TOKEN'),
    });
  }, 30_000);
});

describe('users', () => {
  test('are added with a password from standard input, own tokens, and are named in the audit', async () => {
    const given = (...args: string[]) => sf(args, {}, 'four words make it\n');
    expect((await given('user', 'add', 'ada', '--role', 'admin')).out).toContain('user ada: admin');
    expect(await sf(['user', 'add', 'eve'])).toMatchObject({ code: 2, err: expect.stringContaining('SF-CLI-SECRET') });
    expect(await sf(['user', 'add', 'eve'], {}, 'short')).toMatchObject({
      code: 2,
      err: expect.stringContaining('SF-ACCESS-WEAK'),
    });
    const secret = (await sf(['token', 'create', 'adas', '--role', 'admin', '--user', 'ada'])).out.trim();
    const ada = { SUPERFLUIDITY_TOKEN: secret };
    expect((await sf(['user', 'add', 'bot', '--no-password'], ada)).code).toBe(0);
    await expect
      .poll(async () => (await sf(['events', '--by', 'ada'])).out, { timeout: 10_000 })
      .toContain('ada: add user bot (role reader)');
    expect(await json('user', 'show', 'ada')).toMatchObject({ hasPassword: true, tokens: [{ name: 'adas' }] });
    expect((await sf(['user', 'list'])).out).toMatch(/ada +admin +with a password +1 +0/);
    expect((await sf(['user', 'disable', 'ada'])).code).toBe(0);
    expect((await sf(['user', 'list'], ada)).err).toContain('SF-ACCESS-BAD-TOKEN');
    expect((await sf(['user', 'disable', 'admin'])).err).toContain('SF-ACCESS-LAST-USER');
    expect((await sf(['user', 'enable', 'ada'])).code).toBe(0);
    expect((await sf(['user', 'role', 'ada', 'reader'])).err).toContain('ada: reader');
    expect((await given('user', 'password', 'bot')).code).toBe(0);
    for (const name of ['ada', 'bot']) expect((await sf(['user', 'remove', name])).code).toBe(0);
  }, 60_000);
});

test('secrets come from standard input or a file, and only what is about them goes out again', async () => {
  const value = 'a value of a secret';
  const file = join(folder, 'key');
  await writeFile(file, 'line one of a key\nline two\n');
  expect((await sf(['secret', 'set', 'db', '--kind', 'registry'], {}, `${value}\n`)).out).toContain('version 1');
  expect((await sf(['secret', 'set', 'key', '--kind', 'ssh-key', '--file', file])).code).toBe(0);
  expect(await sf(['secret', 'set', 'db', '--kind', 'what'], {}, value)).toMatchObject({ code: 2 });
  const told = [await sf(['secret', 'list']), await sf(['secret', 'show', 'db']), await sf(['secret', 'rotate-key'])];
  expect(told.map(({ code }) => code)).toEqual([0, 0, 0]);
  expect(told[0]!.out).toMatch(/db +registry +\S+ \S+ +admin +- +[0-9a-f]{16}/);
  expect(told[2]!.out).toContain('2 secrets are sealed');
  expect(JSON.stringify(told)).not.toContain(value);
  expect((await stat(join(state, 'secrets.key'))).mode & 0o777).toBe(0o600);
  for (const name of ['db', 'key']) expect((await sf(['secret', 'remove', name])).code).toBe(0);
}, 60_000);

test('a template is asked for its inputs, and planned with what is given for them', async () => {
  const template = join(folder, 'stack.yaml');
  await writeFile(
    template,
    `heat_template_version: 2018-08-31
parameters:
  count: {type: number, description: Servers, constraints: [{range: {min: 1, max: 4}}]}
resources:
  net: {type: OS::Neutron::Net, properties: {name: lan}}
  subnet: {type: OS::Neutron::Subnet, properties: {network: {get_resource: net}, cidr: 10.66.0.0/24}}
  web:
    type: OS::Heat::ResourceGroup
    properties:
      count: {get_param: count}
      resource_def:
        type: OS::Nova::Server
        properties: {image: "guest:", flavor: small, networks: [{network: {get_resource: net}}]}
`,
  );
  const values = join(folder, 'values.yaml');
  await writeFile(values, 'count: 2\n');
  await sf(['site', 'add', 'lab', '--kind', 'simulated']);
  expect((await sf(['service', 'inputs', template])).out).toMatch(
    /count +number +needed +Servers; minimum 1, maximum 4/,
  );
  const units = async (...args: string[]) => (await json('plan', template, ...args)).assignments.length;
  expect(await units('--inputs', values)).toBe(2);
  expect(await units('--inputs', values, '--input', 'count=3')).toBe(3);
  const refused = await sf(['plan', template, '--input', 'count=9', '--json']);
  expect(refused).toMatchObject({ code: 2, err: expect.stringContaining("input 'count' must be at least 1") });
  expect((await sf(['plan', template, '--input', 'count'])).code).toBe(2);
  expect((await sf(['site', 'remove', 'lab'])).code).toBe(0);
}, 60_000);

describe('exit codes', () => {
  test.each([
    [0, ['--help'], 'Exit codes'],
    [2, ['nonsense'], 'unknown command'],
    [2, ['service', 'deploy', './no-such-file.yaml'], 'SF-CLI-FILE'],
    [2, ['move', 'me', 'video'], '--to'],
    [2, ['service', 'scale', 'me', 'video', 'many'], 'not a number'],
    [1, ['site', 'show', 'nowhere'], 'nowhere'],
    [3, ['site', 'list', '--server', 'http://127.0.0.1:1'], 'SF-API-UNREACHABLE'],
    [1, ['site', 'list', '--token-file', '/no/such/file'], 'SF-CLI-NO-TOKEN'],
  ])(
    '%d for %j',
    async (code, args, text) => {
      const outcome = await sf(args);
      expect(outcome.code).toBe(code);
      expect(outcome.out + outcome.err).toContain(text);
    },
    30_000,
  );

  test('a process ends with them, and says nothing that is not asked for', async () => {
    const answers = await Promise.all([
      launch(['--help']),
      launch(['nonsense']),
      launch(['site', 'show', 'nowhere']),
      launch(['site', 'list', '--server', 'http://127.0.0.1:1']),
    ]);
    expect(answers.map(({ code }) => code)).toEqual([0, 2, 1, 3]);
    expect(answers[0]).toMatchObject({ out: expect.stringContaining('Exit codes'), err: '' });
    expect(answers[1]).toMatchObject({ out: '', err: expect.stringContaining('unknown command') });
  }, 30_000);

  test.each([
    ['a reader that has enough is no failure', 0, (child: ChildProcess) => child.stdout!.destroy()],
    ['an interrupt has a code of its own', 130, (child: ChildProcess) => child.kill('SIGINT')],
  ])(
    '%s: %d',
    async (_title, code, end) => {
      // An event to begin with, and below another one, which nobody may take.
      await sf(['token', 'create', `before-${code}`, '--role', 'reader']);
      const env = { ...process.env, ...surroundings() };
      const args = [commandFile, 'events', '--follow', '--after', '0'];
      const stdio: SpawnOptions['stdio'] = ['ignore', 'pipe', 'inherit'];
      const options: SpawnOptions = { env, stdio, timeout: 20_000, killSignal: 'SIGKILL' };
      const child = spawn(process.execPath, args, options);
      const exited = once(child, 'exit');
      await Promise.race([once(child.stdout!, 'data'), exited]);
      end(child);
      await sf(['token', 'create', `after-${code}`, '--role', 'reader']);
      expect(await exited).toEqual([code, null]);
    },
    30_000,
  );

  test('a descriptor is checked without a server, with the position of what is wrong', async () => {
    const file = join(folder, 'bad.yaml');
    await writeFile(file, `${await readFile(example, 'utf8')}\nnonsense: true\n`);
    const away = ['--server', 'http://127.0.0.1:1'];
    expect(await sf(['check', example, ...away])).toMatchObject({ code: 0 });
    const bad = await sf(['check', file, ...away]);
    expect(bad.code).toBe(2);
    expect(bad.out).toMatch(/bad\.yaml:\d+:\d+: error SF-DESCRIPTOR-/);
    const offline = async (path: string) => (await sf(['check', '--offline', path])).out;
    expect(await offline(join(dirname(example), 'sol006'))).toContain('(sol006)');
    expect(await offline(dirname(example))).toContain('(native)');
  }, 30_000);

  test('mistakes in a package are placed without a server as well', async () => {
    const broken = join(folder, 'package');
    await cp(join(dirname(example), 'sol006'), broken, { recursive: true });
    const vnfd = join(broken, 'vnfd/video.yaml');
    await writeFile(vnfd, (await readFile(vnfd, 'utf8')).replace('nested/video-video.yaml', 'nested/none.yaml'));
    const nested = join(broken, 'vnfd/nested/ue-ue.yaml');
    await writeFile(nested, (await readFile(nested, 'utf8')).replace('environment:', 'enviroment:'));
    const { code, out } = await sf(['service', 'check', '--offline', broken]);
    expect(code).toBe(2);
    expect(out).toMatch(/^vnfd\/video\.yaml:\d+:\d+: error SF-DESCRIPTOR-REFERENCE: .*nested\/none\.yaml/m);
    expect(out).toMatch(/^vnfd\/nested\/ue-ue\.yaml:1:1: error SF-DESCRIPTOR-UNKNOWN-FIELD: .*'environment'/m);
  }, 30_000);

  test('too large a file is refused before it is sent', async () => {
    const file = join(folder, 'large.yaml');
    await writeFile(file, 'x'.repeat(2_000_000));
    expect(await sf(['deploy', file])).toMatchObject({ code: 2, err: expect.stringContaining('SF-CLI-FILE') });
  }, 30_000);
});

describe('a second server', () => {
  const quick = ['--database', 'pglite:memory', '--log-level', 'error'];
  const start = (...args: string[]) => launch([...quick, ...args], {}, serverProgram);

  test('on the same state folder, the same port or a folder that cannot be is told what to do', async () => {
    expect(await launch(['server', ...quick, '--state', state, '--port', '0'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('SF-SERVER-STATE-LOCKED'),
    });
    const other = join(folder, 'other');
    const { port } = new URL(url);
    expect(await start('--state', other, '--port', port)).toMatchObject({
      code: 1,
      err: expect.stringContaining('SF-SERVER-PORT-IN-USE'),
    });
    expect(await start('--state', '/dev/null/x', '--port', '0')).toMatchObject({
      code: 1,
      err: expect.stringContaining('SF-SERVER-STATE-UNUSABLE'),
    });
    expect(await start('--port', 'http')).toMatchObject({ code: 2, err: expect.stringContaining('SF-SERVER-OPTION') });
  }, 120_000);
});

test('completion knows the commands of every level', async () => {
  const bash = (await sf(['completion', 'bash'])).out;
  expect(bash).toContain("'service') words='check plan deploy");
  expect((await sf(['completion', 'fish'])).out).toContain('complete -c superfluidity');
}, 30_000);

test('a stack is adopted where there are stacks, and elsewhere the command says what to do', {
  timeout: 60_000,
}, async () => {
  expect((await sf(['site', 'add', 'no-stacks', '--kind', 'simulated'])).code).toBe(0);
  for (const more of [[], ['--dry-run']]) {
    const { code, err } = await sf(['service', 'adopt', 'shop', '--site', 'no-stacks', ...more]);
    expect(code).toBe(1);
    expect(err).toContain('adopt stack shop at no-stacks: no-stacks makes no stacks');
  }
  expect((await sf(['service', 'adopt', 'shop'])).code).toBe(2);
  expect((await sf(['site', 'remove', 'no-stacks'])).code).toBe(0);
});
