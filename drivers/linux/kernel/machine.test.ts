import { existsSync, readFileSync, readlinkSync, rmSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  addAddress,
  changeLink,
  createVeth,
  inNamespace,
  listNamespaces,
  namespaceInode,
  readSysctl,
  replaceFile,
  transact,
  writeSysctl,
} from '@superfluidity/netlink';
import {
  applyRuleset,
  deleteTable,
  isAlive,
  killProcess,
  listRuleset,
  processRef,
  replaceTableText,
  run,
  spawnDetached,
  stopProcess,
  waitForExit,
} from '@superfluidity/router';
import { CAPABILITIES, probe } from './capabilities.ts';
import { addToCgroup, cgroupExists, cgroupLayout, createCgroup, deleteCgroup, listCgroupProcesses } from './cgroup.ts';
import { ping } from './icmp.ts';
import { missingForKernelTests, TestNamespaces, titled } from '@superfluidity/netlink/testing';

const absent = missingForKernelTests(['ip', 'nft', 'sleep']);
const folder = mkdtempSync(join(tmpdir(), 'superfluidity-machine-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function coded(code: string, details: object = {}) {
  return expect.objectContaining({ code, details: expect.objectContaining(details) });
}

describe.skipIf(process.platform === 'win32')('commands', () => {
  it('pass arguments as they are and stdin', async () => {
    expect((await run(['printf', '%s|', 'a b', '$(id)', '"'])).stdout).toBe('a b|$(id)|"|');
    expect((await run(['cat'], { stdin: 'täxt' })).stdout).toBe('täxt');
  });

  it('fail with command line and what was printed', async () => {
    await expect(run(['ls', '/no/such/thing'])).rejects.toEqual(
      coded('SF-LINUX-COMMAND', { request: 'ls /no/such/thing', answer: expect.stringContaining('No such file') }),
    );
    await expect(run(['no-such-program'])).rejects.toEqual(coded('SF-LINUX-COMMAND-MISSING'));
    await expect(run(['sleep', '5'], { timeoutMs: 30 })).rejects.toEqual(coded('SF-LINUX-COMMAND-TIMEOUT'));
    await expect(run(['yes'], { outputBytesMax: 1000 })).rejects.toEqual(coded('SF-CORE-LIMIT'));
    const cancel = new AbortController();
    const running = run(['sleep', '5'], { signal: cancel.signal });
    cancel.abort();
    await expect(running).rejects.toEqual(coded('SF-CORE-CANCELLED'));
    await expect(run(['true'], { signal: cancel.signal })).rejects.toEqual(coded('SF-CORE-CANCELLED'));
  });
});

describe.skipIf(absent !== undefined)(titled('the machine', absent), () => {
  it('runs programs in a namespace and stays where it is', async () => {
    using namespaces = new TestNamespaces();
    const name = namespaces.create();
    const home = readlinkSync('/proc/thread-self/ns/net');
    const { stdout } = await run(['readlink', '/proc/self/ns/net'], { namespace: name });
    expect(stdout.trim()).toBe(`net:[${namespaceInode(name)}]`);
    expect(readlinkSync('/proc/thread-self/ns/net')).toBe(home);
  });

  it('pings across namespaces, waits for who comes late, gives up on who never comes', async () => {
    using namespaces = new TestNamespaces();
    const here = namespaces.create();
    const there = namespaces.create();
    transact(here, [createVeth({ name: 'a', index: 2, up: true }, { name: 'b', index: 2, namespace: there })]);
    transact(here, [addAddress(2, { address: '10.0.0.1/24' })]);
    transact(there, [changeLink(2, { up: true })]);
    const late = setTimeout(() => transact(there, [addAddress(2, { address: '10.0.0.2/24' })]), 30);
    const first = await ping(here, '10.0.0.2', { timeoutMs: 3000 });
    clearTimeout(late);
    expect(first.elapsedMs).toBeGreaterThan(25);
    expect(first.sent).toBeGreaterThan(1);
    const rtts: number[] = [];
    for (let i = 0; i < 20; i += 1) rtts.push((await ping(here, '10.0.0.2', { timeoutMs: 1000 })).rttMs);
    expect(Math.min(...rtts)).toBeLessThan(1);
    await expect(ping(here, '10.0.0.77', { timeoutMs: 40 })).rejects.toEqual(coded('SF-LINUX-NO-ANSWER'));
    await expect(ping(here, '192.0.2.1', { timeoutMs: 20 })).rejects.toEqual(
      coded('SF-LINUX-NO-ANSWER', { answer: 'ENETUNREACH' }),
    );
  });

  it('writes sysctls of a namespace only', () => {
    using namespaces = new TestNamespaces();
    const name = namespaces.create();
    const other = namespaces.create();
    writeSysctl(name, 'net.ipv4.ip_forward', 1);
    writeSysctl(name, 'net.ipv6.conf.all.seg6_enabled', 1);
    expect(readSysctl(name, 'net.ipv4.ip_forward')).toBe('1');
    expect(readSysctl(other, 'net.ipv6.conf.all.seg6_enabled')).toBe('0');
    expect(() => writeSysctl(name, 'net.ipv4.no_such_thing', 1)).toThrow(
      coded('SF-LINUX-SYSCALL', { data: { errno: 'ENOENT' } }),
    );
    expect(() => writeSysctl(name, 'net/../../etc/passwd', 1)).toThrow(coded('SF-LINUX-BAD-NAME'));
  });

  it('keeps processes apart that share an id', async () => {
    using namespaces = new TestNamespaces();
    const name = namespaces.create();
    const log = join(folder, `${name}.log`);
    const child = await spawnDetached(['sh', '-c', 'readlink /proc/self/ns/net; echo bad >&2; exec sleep 60'], {
      namespace: name,
      stdoutPath: log,
    });
    expect(processRef(child.pid)).toEqual(child);
    expect(isAlive(child)).toBe(true);
    const impostor = { ...child, startTime: child.startTime - 1 };
    expect(isAlive(impostor)).toBe(false);
    expect(killProcess(impostor, 'SIGKILL')).toBe(false);
    expect(isAlive(child)).toBe(true);
    expect(await waitForExit(child, 20)).toBe(false);
    const written = `net:[${namespaceInode(name)}]\nbad\n`;
    await expect.poll(() => readFileSync(log, 'utf8'), { timeout: 5_000 }).toBe(written);
    await stopProcess(child, 1000);
    await stopProcess(child, 1000);
    expect(isAlive(child)).toBe(false);
    expect(killProcess(child, 'SIGKILL')).toBe(false);
    await expect(spawnDetached(['no-such-program'], { stdoutPath: log })).rejects.toEqual(
      coded('SF-LINUX-COMMAND-MISSING'),
    );
  });

  it.skipIf(absent !== undefined || cgroupLayout().version === 'none')('limits what is in a cgroup', async () => {
    const name = `sft-${process.pid}/unit`;
    createCgroup(name, { cpuCores: 0.5, memoryMiB: 64, pidsMax: 20 });
    createCgroup(name, { memoryMiB: 32 });
    const child = await spawnDetached(['sleep', '60'], { stdoutPath: join(folder, 'log2') });
    addToCgroup(name, child.pid);
    expect(listCgroupProcesses(`sft-${process.pid}`)).toEqual([child.pid]);
    const { v1, v2 } = cgroupLayout();
    const limit = v1.has('memory') ? `${v1.get('memory')}/${name}/memory.limit_in_bytes` : `${v2}/${name}/memory.max`;
    expect(readFileSync(limit, 'utf8').trim()).toBe(String(32 << 20));
    killProcess(child, 'SIGKILL');
    await deleteCgroup(`sft-${process.pid}`);
    await deleteCgroup(`sft-${process.pid}`);
    expect(cgroupExists(`sft-${process.pid}`)).toBe(false);
    expect(() => createCgroup('../../etc')).toThrow(coded('SF-LINUX-BAD-NAME'));
  });

  it('replaces a file at once, with nothing left beside it', () => {
    const [path, draft] = [join(folder, 'record.json'), join(folder, 'record.new')];
    const replaceAndRead = (text: string) => {
      replaceFile(path, text, draft);
      return readFileSync(path, 'utf8');
    };
    expect(['first, and the longest', 'second', ''].map(replaceAndRead)).toEqual([
      'first, and the longest',
      'second',
      '',
    ]);
    expect(existsSync(draft)).toBe(false);
    expect(() => replaceFile(join(folder, 'nowhere', 'a'), '', join(folder, 'nowhere', 'b'))).toThrow('ENOENT');
  });

  it('applies rule sets as a whole or not at all', async () => {
    using namespaces = new TestNamespaces();
    const name = namespaces.create();
    const body = 'chain c { type nat hook postrouting priority 100; oifname "a" masquerade; }';
    await applyRuleset(name, replaceTableText('ip', 'sf_nat', body));
    await applyRuleset(name, replaceTableText('ip', 'sf_nat', body));
    const rules = async () => (await listRuleset(name)).filter((entry) => 'rule' in entry);
    expect(await rules()).toHaveLength(1);
    const broken = `${replaceTableText('ip', 'sf_nat', '')}table ip other { chain c { nonsense; }; }`;
    await expect(applyRuleset(name, broken)).rejects.toEqual(
      coded('SF-LINUX-COMMAND', { request: 'nft -f -', answer: expect.stringContaining('nonsense') }),
    );
    expect(await rules()).toHaveLength(1);
    await deleteTable(name, 'ip', 'sf_nat');
    await deleteTable(name, 'ip', 'sf_nat');
    expect(await listRuleset(name)).toEqual([]);
    await expect(deleteTable(name, 'ip', 'x; flush ruleset')).rejects.toEqual(coded('SF-LINUX-BAD-NAME'));
  });

  it('knows what it can do, with a reason for what it cannot', async () => {
    const before = listNamespaces();
    const capabilities = await probe();
    expect(capabilities).toMatchObject({ linux: { present: true }, root: { present: true }, netns: { present: true } });
    for (const name of CAPABILITIES) {
      const capability = capabilities[name];
      if (!capability.present) expect(capability.reason).not.toMatch(/^$|not tried/);
    }
    expect(listNamespaces().filter((name) => name.startsWith('sf-probe') && !before.includes(name))).toEqual([]);
    expect(inNamespace(undefined, () => 7)).toBe(7);
  });
});
