import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { UnitSpec } from '@superfluidity/site';
import { afterEach, describe, expect, it } from 'vitest';
import { userDataOf } from '../../drivers/openstack/user-data.ts';

/** What the guest of the laboratory makes of user data, in its own file tree and with its own programs, without a machine. */
const BUSYBOX = ['/bin/busybox', '/usr/bin/busybox'].find((path) => existsSync(path));
const guest = (name: string) => new URL(`guest/${name}`, import.meta.url);

describe.skipIf(BUSYBOX === undefined)('a guest that is given a unit (needs busybox-static)', () => {
  const root = mkdtempSync(join(tmpdir(), 'superfluidity-guest-'));
  const read = (path: string) => readFileSync(join(root, path), 'utf8');
  afterEach(() => rmSync(root, { recursive: true }));

  it('has its files, facts and environment, and runs its program', () => {
    for (const folder of ['bin', 'dev', 'lib', 'tmp', 'usr/bin', 'app-here'])
      mkdirSync(join(root, folder), { recursive: true });
    cpSync(BUSYBOX!, join(root, 'bin/busybox'));
    for (const [from, to] of [
      ['cloud-config.awk', 'lib/cloud-config.awk'],
      ['systemctl.sh', 'bin/systemctl'],
      ['systemd-tmpfiles.sh', 'bin/systemd-tmpfiles'],
    ] as const)
      writeFileSync(join(root, to), readFileSync(guest(from)), { mode: 0o755 });
    writeFileSync(join(root, "app-here/it's.txt"), 'one\n\ttwo "three" \\ ünïcode\n');
    const execution = {
      environment: 'vm',
      image: 'name:lab-image',
      command: [
        'sh',
        '-c',
        'echo "$GREETING, $0" >/tmp/said; cp "/app/it\'s.txt" /tmp/copied',
        `it's "5 %" \`of\` $HOME \\`,
      ],
      env: { GREETING: 'hello "$HOME" \\ `id` 5 %', OTHER: "it's" },
      files: 'app-here',
    } as const;
    const spec = {
      path: 'a/b',
      execution,
      ports: [],
      baseFolder: root,
      facts: { rank: 'first "1"' },
    } as unknown as UnitSpec;
    writeFileSync(join(root, 'tmp/user_data'), Buffer.from(userDataOf(spec), 'base64'));
    const script = [
      '/bin/busybox --install -s /bin && ln -s /bin/env /usr/bin/env && mknod /dev/null c 1 3 && cd /tmp',
      'zcat user_data >plain && awk -f /lib/cloud-config.awk plain >run.sh && sh run.sh',
      'for i in 1 2 3 4 5 6 7 8 9; do [ -s copied ] && break; sleep 1; done',
    ].join('\n');
    execFileSync('/usr/sbin/chroot', [root, '/bin/busybox', 'sh', '-ec', script], {
      env: { PATH: '/bin', HOME: '/root' },
    });
    expect(read('tmp/said')).toBe(`hello "$HOME" \\ \`id\` 5 %, it's "5 %" \`of\` $HOME \\\n`);
    expect(read('tmp/copied')).toBe('one\n\ttwo "three" \\ ünïcode\n');
    expect(JSON.parse(read('run/superfluidity/facts.json'))).toEqual({ rank: 'first "1"' });
    expect(statSync(join(root, 'etc/superfluidity/environment')).mode & 0o777).toBe(0o600);
  });
});
