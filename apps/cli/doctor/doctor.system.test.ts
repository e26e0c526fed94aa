import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SuperfluidityError } from '@superfluidity/core';
import { guestCacheFolder } from '@superfluidity/driver-linux/guest';
import { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { doctorCommand, runDoctor } from './command.ts';
import { examine, isHealthy, treat } from './doctor.ts';
import { type Machine, thisMachine } from './machine.ts';
import { needs } from './needs.ts';

let cache: string;
const cacheBefore = process.env['SUPERFLUIDITY_CACHE'];
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'superfluidity-doctor-'));
  process.env['SUPERFLUIDITY_CACHE'] = cache;
});
afterEach(() => {
  rmSync(cache, { recursive: true, force: true });
  if (cacheBefore === undefined) delete process.env['SUPERFLUIDITY_CACHE'];
  else process.env['SUPERFLUIDITY_CACHE'] = cacheBefore;
});

/** A machine that records what is run; packages in `unavailable` cannot be installed. */
function fakeMachine(has: readonly string[], options: Partial<Machine> & { unavailable?: readonly string[] } = {}) {
  const programs = new Set(has);
  const ran: string[] = [];
  const machine: Machine = {
    platform: 'linux',
    architecture: 'x64',
    root: true,
    debian: true,
    has: (program) => programs.has(program),
    run: (argv) => {
      ran.push(argv.join(' '));
      const [, verb] = argv;
      const refused = argv.find((word) => options.unavailable?.includes(word));
      if (refused !== undefined)
        return Promise.reject(new SuperfluidityError('SF-DOCTOR-INSTALL', { reason: `no package ${refused}` }));
      if (verb === 'install')
        for (const need of needs)
          if (need.package && argv.includes(need.package)) programs.add(need.name.split(' ')[0]!);
      return Promise.resolve('');
    },
    ...options,
  };
  return { machine, ran };
}

/** Puts a file where the kernel would be. */
function fetchKernel(): Promise<void> {
  mkdirSync(join(cache, 'guest-kernel'), { recursive: true });
  writeFileSync(join(cache, 'guest-kernel', 'vmlinuz'), '');
  return Promise.resolve();
}

describe('the doctor', () => {
  it('names what is missing, what it is for and the package that brings it', async () => {
    const { machine } = fakeMachine(['nft', 'runc']);
    const diagnoses = await examine(machine);
    expect(diagnoses.find(({ name }) => name === 'nft')).toMatchObject({ present: true });
    expect(diagnoses.find(({ name }) => name === 'haproxy')).toMatchObject({
      present: false,
      package: 'haproxy',
      use: 'run',
      neededFor: 'load balancers that look into HTTP',
    });
    expect(isHealthy(diagnoses)).toBe(false);
    expect(needs.every(({ neededFor }) => neededFor.length >= 'containers'.length)).toBe(true);
  });

  it('adds what drivers miss, without naming a program twice', async () => {
    const missing = () =>
      Promise.resolve([
        { name: 'netem', neededFor: 'delay', reason: 'unknown qdisc', required: false },
        { name: 'runc', neededFor: 'containers', package: 'runc', reason: 'not found', required: true },
      ]);
    const diagnoses = await examine(fakeMachine([]).machine, [{ kind: 'linux', missing }]);
    expect(diagnoses.filter(({ name }) => name === 'runc')).toHaveLength(1);
    expect(diagnoses.at(-1)).toMatchObject({ name: 'netem', use: 'extra', neededFor: 'linux sites: delay' });
  });

  it('installs what is missing in one go, fetches the guest kernel, and leaves extras alone unless asked', async () => {
    const { machine, ran } = fakeMachine(['nft', 'runc', 'ip', 'ping', 'chromium']);
    const nice = { name: 'netem', neededFor: 'delay', package: 'iproute2-doc', reason: 'none', required: false };
    const before = await examine(machine, [{ kind: 'linux', missing: () => Promise.resolve([nice]) }]);
    const { installed, failed } = await treat(machine, before, false, fetchKernel);
    expect(failed).toEqual([]);
    expect(installed).toContain('haproxy');
    expect(installed).toContain('guest kernel');
    expect(installed).not.toContain('iproute2-doc');
    expect(ran.filter((line) => line.startsWith('apt-get install'))).toHaveLength(1);
    expect(ran[0]).toMatch(/^apt-get update/);
    expect(isHealthy(await examine(machine))).toBe(true);
    expect((await treat(machine, before, true, fetchKernel)).installed).toContain('iproute2-doc');
  });

  it('installs the others when one package cannot be had, and says which and why', async () => {
    const { machine } = fakeMachine(['nft', 'runc'], { unavailable: ['haproxy'] });
    const { installed, failed } = await treat(machine, await examine(machine), false, fetchKernel);
    expect(installed).toContain('qemu-system-x86');
    expect(failed).toMatchObject([{ name: 'haproxy', error: { code: 'SF-DOCTOR-INSTALL' } }]);
  });

  it('does nothing when nothing is missing, and refuses with a code without root or apt', async () => {
    const all = needs.map(({ name }) => ({ name, present: true, neededFor: '', use: 'run' as const }));
    const idle = fakeMachine([], { root: false, debian: false });
    expect(await treat(idle.machine, all, true)).toEqual({ installed: [], failed: [] });
    const user = fakeMachine([], { root: false });
    await expect(treat(user.machine, await examine(user.machine), false)).rejects.toMatchObject({
      code: 'SF-DOCTOR-ROOT',
    });
    const other = fakeMachine([], { debian: false });
    await expect(treat(other.machine, await examine(other.machine), false)).rejects.toMatchObject({
      code: 'SF-DOCTOR-SYSTEM',
    });
    expect([...user.ran, ...other.ran]).toEqual([]);
  });

  it('prints JSON with --json, and ends with exit code 1 when something is missing', async () => {
    const texts: string[] = [];
    const { machine } = fakeMachine([]);
    const program = new Command().addCommand(
      doctorCommand({ machine, probes: [], fetchKernel, print: (text) => texts.push(text) }),
    );
    const before = process.exitCode;
    await program.parseAsync(['doctor', '--json'], { from: 'user' });
    expect(process.exitCode).toBe(1);
    process.exitCode = before;
    expect(JSON.parse(texts.join(''))).toMatchObject({ healthy: false, diagnoses: expect.any(Array) });
  });

  it('says in words what it did, and keeps the refusal of the package manager', async () => {
    const texts: string[] = [];
    const { machine } = fakeMachine(['nft'], { unavailable: ['runc'] });
    const ok = await runDoctor(
      { fix: true, extras: false, json: false },
      { machine, probes: [], fetchKernel, print: (text) => texts.push(text) },
    );
    expect(ok).toBe(false);
    expect(texts[0]).toContain('failed     runc: SF-DOCTOR-INSTALL');
    expect(texts[1]).toContain('missing  runc');
  });
});

describe('the guest kernel', () => {
  it('lies in the cache of root or of the user', () => {
    expect(guestCacheFolder({}, true)).toBe('/var/cache/superfluidity');
    expect(guestCacheFolder({ XDG_CACHE_HOME: '/c' }, false)).toBe('/c/superfluidity');
  });

  it('is reported when it cannot be fetched, and does not keep the packages away', async () => {
    const { machine } = fakeMachine(['nft', 'runc']);
    const fetchKernel = () => Promise.reject(new Error('no network'));
    const { installed, failed } = await treat(machine, await examine(machine), false, fetchKernel);
    expect(installed).toContain('haproxy');
    expect(failed).toMatchObject([{ name: 'guest kernel', error: { message: 'no network' } }]);
  });
});

describe.skipIf(!thisMachine().debian)('on this machine (needs apt: Debian or Ubuntu)', () => {
  it('knows the programs that are there', async () => {
    const machine = thisMachine();
    expect(machine.has('apt-get')).toBe(true);
    expect(machine.has('no-such-program')).toBe(false);
    const diagnoses = await examine(machine);
    expect(diagnoses.find(({ name }) => name === 'ip')?.present).toBe(
      existsSync('/sbin/ip') || existsSync('/usr/bin/ip'),
    );
  });

  it('asks for packages that exist', async ({ skip }) => {
    // Images of containers come without lists, and a test fetches none.
    const lists = readdirSync('/var/lib/apt/lists').filter((file) => file.includes('_Packages'));
    skip(lists.length === 0, 'needs the lists of packages: apt-get update');
    const names = needs.flatMap((need) => need.package ?? []);
    const output = await thisMachine().run(['apt-cache', 'policy', ...names], { timeoutMs: 20_000 });
    expect(names.filter((name) => !output.includes(`${name}:\n`))).toEqual([]);
  });

  it('gives the request and the answer when a program fails', async () => {
    await expect(thisMachine().run(['apt-cache', 'no-such-verb'], { timeoutMs: 20_000 })).rejects.toMatchObject({
      code: 'SF-DOCTOR-INSTALL',
      details: { request: 'apt-cache no-such-verb', answer: expect.stringContaining('no-such-verb') },
    });
    await expect(thisMachine().run(['sleep', '5'], { timeoutMs: 50 })).rejects.toThrow('the time limit is 50 ms');
  });
});
