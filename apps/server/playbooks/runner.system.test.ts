import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PlaybookRequest } from '@superfluidity/lifecycle';
import type { Progress } from '@superfluidity/site';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { playbookRunner } from './runner.ts';

/** Ansible itself, on this machine as its only host. */

const absent = ['ansible-playbook', 'setpriv'].filter(
  (one) => spawnSync('sh', ['-c', `command -v ${one}`]).status !== 0,
);
const SECRET = 'a-secret-of-some-length';

describe.skipIf(absent.length > 0)(
  `a runner of playbooks${absent.length > 0 ? ` (there is no ${absent.join(', ')})` : ''}`,
  () => {
    let folder: string;
    let told: Progress[] = [];
    const runner = () =>
      playbookRunner({
        folder: join(folder, 'books'),
        artifacts: join(folder, 'artifacts'),
        secrets: { read: async () => SECRET },
        now: () => 1,
      });
    const request = (playbook: string, more: Partial<PlaybookRequest> = {}): PlaybookRequest => ({
      playbook,
      service: 'k1',
      vars: {},
      check: false,
      inventory: { all: { hosts: { 'worker-0': { ansible_connection: 'local' } }, children: {} } },
      ...more,
    });
    const run = (one: PlaybookRequest, signal = AbortSignal.timeout(200_000)) => {
      told = [];
      return runner().run(one, signal, (line) => void told.push(line));
    };
    const folders = () => readdirSync(tmpdir()).filter((one) => one.startsWith('superfluidity-playbook-'));
    const book = (name: string, tasks: string) =>
      writeFileSync(join(folder, 'books', name), `- hosts: all\n  gather_facts: false\n  tasks:\n${tasks}`);

    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'superfluidity-runner-'));
      mkdirSync(join(folder, 'books/more/roles'), { recursive: true });
      mkdirSync(join(folder, 'books/group_vars'));
      writeFileSync(join(folder, 'books/group_vars/all.yml'), 'a: b\n');
      writeFileSync(join(folder, 'books/more/site.yml'), '- hosts: all\n');
      writeFileSync(join(folder, 'outside.yml'), '- hosts: all\n');
      symlinkSync(join(folder, 'outside.yml'), join(folder, 'books/link.yml'));
      book(
        'site.yml',
        `    - name: file
      copy: {content: "{{ word }} {{ token }}", dest: "{{ artifacts }}/made", mode: "0600"}
    - name: say
      set_stats: {data: {word: "{{ word }}", key: "{{ lookup('file', ansible_private_key_file | default('/dev/null')) }}"}}
`,
      );
      book('fails.yml', `    - name: it fails\n      fail: {msg: "because of {{ token }}"}\n`);
      book(
        'hidden.yml',
        `    - name: it hides\n      command: {argv: ["/bin/false", "{{ word }}"]}\n      no_log: true\n`,
      );
      book('waits.yml', `    - name: it waits\n      command: {argv: [sleep, "{{ pause }}"]}\n`);
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    it('takes away what a server left that was killed during a run of this service', async () => {
      const unlike = folders();
      const left = await new Promise<string>((resolve, reject) => {
        const stop = new AbortController();
        const deadline = setTimeout(() => reject(new Error('no folder')), 10_000);
        const look = setInterval(() => {
          const found = folders().find((one) => !unlike.includes(one));
          if (found === undefined) return;
          clearInterval(look);
          clearTimeout(deadline);
          stop.abort();
          resolve(found);
        }, 20);
        run(request('waits.yml', { vars: { pause: '60' } }), stop.signal).catch(() => {});
      });
      await expect.poll(folders).toEqual(unlike);
      mkdirSync(join(tmpdir(), left));
      writeFileSync(join(tmpdir(), left, 'key'), SECRET);
      await run(request('site.yml', { vars: { word: 'one', token: 'secret:a' } }));
      expect(folders()).toEqual(unlike);
    });

    it('lists playbooks, and nothing that they are made of', async () => {
      expect(await runner().list()).toEqual(['fails.yml', 'hidden.yml', 'more/site.yml', 'site.yml', 'waits.yml']);
    });

    it('tells each task and gives the end; secrets arrive, and are told by name; twice changes nothing', async () => {
      const before = folders();
      const vars = { word: 'hello', token: 'secret:machines' };
      const outcome = await run(request('site.yml', { vars }));
      expect(outcome).toMatchObject({ hosts: { 'worker-0': { changed: 1, failures: 0 } }, said: { word: 'hello' } });
      expect(told.map(({ what, state }) => [what, state])).toEqual([
        ['file', 'CHANGED'],
        ['say', 'OK'],
      ]);
      const made = join(runner().artifacts('k1'), 'made');
      expect(readFileSync(made, 'utf8')).toBe(`hello ${SECRET}`);
      expect(statSync(runner().artifacts('k1')).mode & 0o777).toBe(0o700);
      expect((await run(request('site.yml', { vars }))).hosts['worker-0']).toMatchObject({ changed: 0 });
      // Nothing of it stays behind.
      expect(folders()).toEqual(before);
    });

    it('tells what failed in the words of the host, without secrets and without what is not to be told', async () => {
      await expect(run(request('fails.yml', { vars: { token: 'secret:machines' } }))).rejects.toMatchObject({
        code: 'SF-LIFECYCLE-PLAYBOOK-FAILED',
        message: expect.stringContaining('it fails: worker-0: because of [secret machines]'),
      });
      expect(JSON.stringify(told)).not.toContain(SECRET);
      const refused = await run(request('hidden.yml', { vars: { word: 'whisper' } })).catch((error: unknown) => error);
      expect(String(refused)).toMatch(/nothing is told/);
      expect(String(refused)).not.toContain('whisper');
    });

    it('changes nothing where it is only asked', async () => {
      rmSync(runner().artifacts('k1'), { recursive: true, force: true });
      const vars = { word: 'hello', token: 'x' };
      expect((await run(request('site.yml', { vars, check: true }))).hosts['worker-0']).toMatchObject({ changed: 1 });
      expect(existsSync(join(runner().artifacts('k1'), 'made'))).toBe(false);
    });

    it('ends with its processes when somebody cancels', async () => {
      const stop = new AbortController();
      // A number that no other process has as its argument.
      const pause = `${10_000 + process.pid}.5`;
      const running = run(request('waits.yml', { vars: { pause } }), stop.signal);
      const there = () => spawnSync('pgrep', ['-f', `^sleep ${pause}`]).status === 0;
      await expect.poll(there, { timeout: 150_000, interval: 200 }).toBe(true);
      stop.abort(new Error('cancelled'));
      await expect(running).rejects.toThrow('cancelled');
      expect(there()).toBe(false);
    });

    it('refuses what lies outside, and secrets that are templates', async () => {
      const refused = { code: 'SF-LIFECYCLE-PLAYBOOK' };
      await expect(run(request('link.yml'))).rejects.toMatchObject(refused);
      await expect(run(request('../outside.yml'))).rejects.toMatchObject(refused);
      const secrets = { read: async () => '{{ lookup("pipe", "id") }}' };
      const other = playbookRunner({
        folder: join(folder, 'books'),
        artifacts: join(folder, 'a'),
        secrets,
        now: () => 1,
      });
      const asked = request('site.yml', { vars: { word: 'secret:a' } });
      await expect(other.run(asked, AbortSignal.timeout(60_000), () => {})).rejects.toMatchObject(refused);
    });
  },
);
