import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readDescriptor, writeDescriptor } from '../descriptor.ts';

/**
 * What is written, carried out by Ansible: two hosts that are network namespaces of this machine, with a wire between them.
 */
const absent = reasonToSkip();
const name = `ans${process.pid}`;
const podman = absent === '' ? podmanOptions() : undefined;
const hostile = `{{ lookup('pipe', 'touch /tmp/${name}-jinja') }} $(touch /tmp/${name}-shell) "'\\ #x`;
const qemu = absent === '' && spawnSync('sh', ['-c', 'command -v qemu-system-x86_64']).status === 0;
let folder = '';

const descriptor = `superfluidity: 1
service:
  name: ${name}
  version: "{{ 1 / 0 }}"
  description: ${JSON.stringify(hostile)}
  networks:
    - {name: lan, prefix: 10.251.1.0/24}
    - {name: dmz, prefix: 10.251.2.0/24}
  functions:
    - name: client
      description: ${JSON.stringify(hostile)}
      environment: process
      command: [sleep, infinity]
      ports: [lan]
      requirements: {after: [server, wall]}
    - name: wall
      environment: nft
      forwards: true
      program: |
        table ip wall {
          counter passed { }
          chain forward {
            type filter hook forward priority filter; policy drop;
            ct state established,related accept
            ip daddr 10.251.9.1 tcp dport 8000 counter name passed accept
          }
        }
      health: ping
      ports: [lan]
    - name: server
      environment: ${podman === undefined ? 'process' : 'container'}
      ${podman === undefined ? '' : 'image: "host:"\n      files: web'}
      command: [sh, -c, 'mkdir /tmp/${name}-$$; cd /tmp/${name}-$$; trap "rm -rf /tmp/${name}-$$" EXIT; cp /app/page . ; printf %s "$SAID" >said; /usr/bin/python3 -m http.server 8000']
      env: {SAID: ${JSON.stringify(hostile)}}
      drain: {signal: SIGTERM, timeoutMs: 2000}
      health: http:8000/said?{{x}}
      ports: [{name: eth0, network: dmz, mac: "02:00:00:00:aa:01"}]
    - name: worker
      environment: nft
      program: "table ip nothing { }"
      scale: {initial: 2, min: 1, max: 4}
      ports: [{name: inside, network: dmz, allow: [{protocol: icmp}]}]
${
  qemu
    ? `    - name: machine
      environment: vm
      image: "disk:blank.img"
      requirements: {memoryMiB: 64}
      health: running
      ports: [lan]
`
    : ''
}  chains:
    - {name: c, from: client, through: [wall], to: server, address: 10.251.9.1}
`;

function unpack(text: string): void {
  const { service } = readDescriptor([{ path: 's.yaml', bytes: Buffer.from(text) }]);
  for (const { path, bytes } of writeDescriptor(service!, 'ansible').files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  }
}
const hostName = (host: string) => `${name}-${host}`;
const sh = (command: string) => execFileSync('sh', ['-c', command], { encoding: 'utf8' }).trim();
const inside = (instance: string, command: string) =>
  spawnSync('ip', ['netns', 'exec', `${name}-${instance}`, 'sh', '-c', command], { encoding: 'utf8' });
const ATTEMPTS_MAX = 5;
const fetched = (path: string): string => {
  const program = `import urllib.request as u; print(u.urlopen('http://10.251.9.1:8000/${path}', timeout=5).read().decode(), end='')`;
  // On a machine that others keep busy the first packets may come too late.
  for (let attempt = 1; ; attempt += 1) {
    const { status, stdout, stderr } = inside('client-0', `/usr/bin/python3 -c "${program}"`);
    if (status === 0) return stdout;
    if (attempt === ATTEMPTS_MAX) throw new Error(stderr.slice(-2_000));
  }
};
const namespaces = () =>
  sh(`ip netns list | cut -d' ' -f1 | grep '^${name}-' | grep -v '^${name}-h' | sort || true`)
    .split('\n')
    .filter((one) => one !== '');

interface Recap {
  readonly changed: number;
  readonly output: string;
}

function playbook(book: string, ...args: readonly string[]): Recap {
  const { status, stdout, stderr } = spawnSync('ansible-playbook', ['-i', 'test-hosts.yml', book, ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, ANSIBLE_PIPELINING: '1', ANSIBLE_NOCOLOR: '1', ANSIBLE_LOCALHOST_WARNING: '0' },
    timeout: 240_000,
  });
  const output = `${stdout}\n${stderr}`;
  if (status !== 0) throw new Error(output.replace(/^(?:ok|included|skipping|changed|TASK).*\n*/gm, '').slice(-6_000));
  const recap = [...output.matchAll(/ changed=(\d+) /g)].map(([, changed]) => Number(changed));
  return { changed: recap.reduce((sum, changed) => sum + changed, 0), output };
}

beforeAll(() => {
  if (absent !== '') return;
  folder = mkdtempSync(join(tmpdir(), 'superfluidity-ansible-'));
  unpack(descriptor);
  mkdirSync(join(folder, 'package/web'), { recursive: true });
  writeFileSync(join(folder, 'package/web/page'), '{{ 7 * 7 }}');
  writeFileSync(join(folder, 'package/blank.img'), Buffer.alloc(1 << 20));
  for (const host of ['h1', 'h2']) {
    sh(`ip netns add ${hostName(host)} && ip -n ${hostName(host)} link set lo up`);
    const python = join(folder, `${host}-python`);
    writeFileSync(python, `#!/bin/sh\nexec nsenter --net=/run/netns/${hostName(host)} /usr/bin/python3 "$@"\n`);
    chmodSync(python, 0o755);
  }
  sh(`ip -n ${hostName('h1')} link add wire type veth peer name wire netns ${hostName('h2')}`);
  const hosts = ['h1', 'h2'].map((host, i) => {
    sh(`ip -n ${hostName(host)} address add 192.0.2.${i + 1}/24 dev wire && ip -n ${hostName(host)} link set wire up`);
    return `    ${host}: {ansible_connection: local, ansible_python_interpreter: ${folder}/${host}-python, underlay_address: 192.0.2.${i + 1}, podman_options: "${podman ?? ''}", state_folder: ${folder}/${host}}\n`;
  });
  writeFileSync(
    join(folder, 'test-hosts.yml'),
    `all:\n  hosts:\n${hosts.join('')}  children:\n    anywhere: {hosts: {h1: , h2: }}\n`,
  );
});

afterAll(() => {
  if (absent !== '') return;
  spawnSync('ansible-playbook', ['-i', 'test-hosts.yml', 'delete.yml'], { cwd: folder });
  for (const one of [...namespaces(), hostName('h1'), hostName('h2')]) spawnSync('ip', ['netns', 'delete', one]);
  rmSync(folder, { recursive: true, force: true });
});

describe(`playbooks${absent}${absent === '' && podman === undefined ? ' (without containers: podman cannot start any)' : ''}${absent !== '' || qemu ? '' : ' (without machines: there is no QEMU)'}`, {
  skip: absent !== '',
}, () => {
  test('make the service, whose chain carries traffic, over both hosts; twice is once', {
    timeout: 600_000,
  }, ({ task }) => {
    // What an attempt before this one made is there already.
    if ((task.result?.retryCount ?? 0) > 0) playbook('delete.yml');
    expect(playbook('create.yml').changed).toBeGreaterThan(20);
    expect(namespaces()).toEqual(
      ['client-0', 'server-0', 'wall-0', 'worker-0', 'worker-1'].map((one) => `${name}-${one}`),
    );
    // Two hosts, which take turns.
    expect(existsSync(join(folder, 'h2/worker/1/ports'))).toBe(true);
    const first = readFileSync(join(folder, 'h1/worker/0/ports'), 'utf8').split(' ')[5]!.split('/')[0]!;
    expect(inside('worker-1', `ping -n -c 1 -W 2 ${first}`)).toMatchObject({ status: 0 });
    // Text of the descriptor is what it was, and nobody carried it out.
    expect(fetched('said')).toBe(hostile);
    if (podman !== undefined) expect(fetched('page')).toBe('{{ 7 * 7 }}');
    expect([existsSync(`/tmp/${name}-jinja`), existsSync(`/tmp/${name}-shell`)]).toEqual([false, false]);
    // It came by way of the function, and nothing else does; the guard lets in what it says.
    expect(inside('wall-0', 'nft list counter ip wall passed').stdout).toMatch(/packets [1-9]/);
    expect(inside('client-0', 'ping -n -c 1 -W 1 10.251.9.1').status).not.toBe(0);
    expect(inside('server-0', 'cat /sys/class/net/eth0/address 2>/dev/null || ip link').stdout).toContain(
      '02:00:00:00:aa:01',
    );
    expect(inside('client-0', `nc -z -w 1 ${first} 22; ping -n -c 1 -W 2 ${first}`).status).toBe(0);
    if (qemu) {
      expect(readFileSync(join(folder, 'h1/machine/0/seed/network-config'), 'utf8')).toMatch(
        /addresses: \[10\.251\.1\.\d+\/24\]/,
      );
      expect(sh(`ip -n ${hostName('h1')} -br link show type tun`)).toContain('UP');
    }
    expect(playbook('create.yml').changed).toBe(0);
  });

  test('scale within bounds, up and down, and create keeps it', { timeout: 600_000 }, () => {
    const workers = () => namespaces().filter((one) => one.includes('worker')).length;
    playbook('scale.yml', '-e', 'unit=worker', '-e', 'count=4');
    expect(workers()).toBe(4);
    expect(playbook('create.yml').changed).toBe(0);
    expect(workers()).toBe(4);
    playbook('scale.yml', '-e', 'unit=worker', '-e', 'count=1');
    expect(workers()).toBe(1);
    expect(() => playbook('scale.yml', '-e', 'unit=worker', '-e', 'count=5')).toThrow(/Say -e unit=NAME/);
    expect(() => playbook('scale.yml', '-e', 'unit=wall', '-e', 'count=1')).toThrow(/Say -e unit=NAME/);
    expect(namespaces()).toHaveLength(4);
  });

  test('run a unit in another way when its descriptor says so, and leave the others', { timeout: 600_000 }, () => {
    unpack(
      descriptor.replace(
        'environment: nft\n      program: "table ip nothing { }"',
        'environment: process\n      command: [sleep, "1000"]',
      ),
    );
    const before = readFileSync(join(folder, 'h1/client/0/pid'), 'utf8');
    expect(playbook('create.yml').changed).toBeGreaterThan(3);
    const pid = readFileSync(join(folder, 'h1/worker/0/pid'), 'utf8').split(' ')[0]!;
    expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).toBe('sleep\0' + '1000\0');
    expect(inside('worker-0', 'nft list ruleset').stdout).not.toContain('nothing');
    expect(readFileSync(join(folder, 'h1/client/0/pid'), 'utf8')).toBe(before);
    expect(playbook('create.yml').changed).toBe(0);
  });

  test('remove it without a trace; twice is once', { timeout: 600_000 }, () => {
    const processes = ['client', 'worker', ...(qemu ? ['machine'] : [])].map(
      (unit) => readFileSync(join(folder, `h1/${unit}/0/pid`), 'utf8').split(' ')[0]!,
    );
    for (const pid of processes) expect(existsSync(`/proc/${pid}`)).toBe(true);
    playbook('delete.yml');
    expect(namespaces()).toEqual([]);
    for (const pid of processes) expect(existsSync(`/proc/${pid}`)).toBe(false);
    for (const host of ['h1', 'h2']) {
      expect(sh(`ip -n ${hostName(host)} -br link | awk '{print $1}' | grep -v '^lo\\|^wire' || true`)).toBe('');
      expect(sh(`ip -n ${hostName(host)} rule list | wc -l`)).toBe('3');
      expect(existsSync(join(folder, host))).toBe(false);
    }
    expect(sh(`pgrep -f "${name}-[s]erver" || true`)).toBe('');
    expect(playbook('delete.yml').changed).toBe(0);
  });
});

function reasonToSkip(): string {
  if (process.getuid?.() !== 0) return ' (skipped: needs root)';
  const missing = ['ansible-playbook', 'ip', 'nft', 'nsenter', 'ping'].filter(
    (program) => spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0,
  );
  if (missing.length > 0) return ` (skipped: there is no ${missing.join(', ')})`;
  const devices =
    'ip link add name try0 type bridge && ip link add name try1 type vxlan id 1 dstport 4789 local 192.0.2.1 && ip tuntap add dev try2 mode tap';
  if (spawnSync('unshare', ['--net', 'sh', '-c', devices]).status === 0) return '';
  return ' (skipped: the kernel gives no network namespace with bridges, VXLAN and taps)';
}

/** Where limits are lower than podman's own, it needs to be told. Undefined: it starts no containers here. */
function podmanOptions(): string | undefined {
  const limits = '--ulimit nofile=1024:1024 --ulimit nproc=1024:1024';
  return ['', limits].find(
    (options) => spawnSync('sh', ['-c', `podman run --rm --network none ${options} --rootfs /:O true`]).status === 0,
  );
}
