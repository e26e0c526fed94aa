import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readDescriptor, writeDescriptor } from '../descriptor.ts';
import type { DescriptorFile } from '../files.ts';
import { shellWord, unsafeYaml } from './text.ts';

const absent =
  spawnSync('ansible-playbook', ['--version']).status === 0 ? '' : ' (skipped: there is no ansible-playbook)';
const example = fileURLToPath(new URL('../../../examples/mobile-edge/service.yaml', import.meta.url));
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'superfluidity-ansible-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function unpack(files: readonly DescriptorFile[], into: string): string {
  for (const { path, bytes } of files) {
    mkdirSync(dirname(join(folder, into, path)), { recursive: true });
    writeFileSync(join(folder, into, path), bytes);
  }
  return join(folder, into);
}

describe(`Ansible${absent}`, { skip: absent !== '' }, () => {
  test('takes the playbooks of the example, and the inventory that is written beside them', () => {
    const { service } = readDescriptor([{ path: 'service.yaml', bytes: readFileSync(example) }]);
    const cwd = unpack(writeDescriptor(service!, 'ansible').files, 'example');
    const books = ['create.yml', 'scale.yml', 'delete.yml'];
    const out = execFileSync('ansible-playbook', ['-i', 'hosts.yml', '--syntax-check', ...books], {
      cwd,
      encoding: 'utf8',
    });
    for (const book of books) expect(out).toContain(`playbook: ${book}`);
    const listed = execFileSync('ansible-inventory', ['-i', 'hosts.yml', '--list'], { cwd, encoding: 'utf8' });
    const { all, tier_edge: edge } = JSON.parse(listed) as Record<string, { children?: string[]; hosts?: string[] }>;
    expect(all!.children).toEqual(expect.arrayContaining(['anywhere', 'tier_edge']));
    expect(edge!.hosts).toEqual(['localhost']);
  });

  test('takes names that are values of YAML 1.1 for names', () => {
    const names = ['no', 'null', 'true', 'on', '012', '1'];
    const functions = names.map((name) => ({
      name,
      environment: 'nft',
      program: 'x',
      ports: [name],
      scale: { initial: 1, min: 0, max: 2 },
    }));
    const networks = names.map((name, i) => ({ name, prefix: `10.1.${i}.0/24` }));
    const native = { superfluidity: 1, service: { name: 'off', version: '1', networks, functions } };
    const { service } = readDescriptor([{ path: 's.json', bytes: Buffer.from(JSON.stringify(native)) }]);
    const cwd = unpack(writeDescriptor(service!, 'ansible').files, 'names');
    const show = `- {hosts: all, gather_facts: false, tasks: [{debug: {msg: "{{ ([service] + (networks | map(attribute='name') | list)) | to_json }}"}}]}`;
    writeFileSync(join(cwd, 'show.yml'), show);
    const run = (...args: readonly string[]) =>
      execFileSync('ansible-playbook', ['-i', 'hosts.yml', ...args], { cwd, encoding: 'utf8' });
    expect(run('show.yml')).toContain(
      JSON.stringify(['off', ...names])
        .replaceAll('"', '\\"')
        .replaceAll(',', ', '),
    );
    // Every name is that of a role, which the list of tasks finds.
    expect(run('--syntax-check', 'create.yml', 'scale.yml')).toContain('playbook: scale.yml');
    for (const name of names) expect(existsSync(join(cwd, 'roles', name, 'tasks/main.yml'))).toBe(true);
    const bounds = spawnSync('ansible-playbook', ['-i', 'hosts.yml', 'scale.yml', '-e', 'unit=012', '-e', 'count=3'], {
      cwd,
      encoding: 'utf8',
    });
    expect(bounds.stdout).toMatch(/Say -e unit=NAME -e count=N, of these: .*'012': /);
  });

  test('has text behind !unsafe as it was written, and looks for nothing in it', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 12 }),
      fc.constantFrom(
        '',
        '{{ 1 / 0 }}',
        '{% raw %}',
        '[1, 2]',
        'True',
        '{"a": 1}',
        '# x',
        '!unsafe',
        'a\'b"\\',
        'a\n- b',
        '\u{85}\u{FEFF}\u{7F}',
      ),
    );
    const texts = fc.sample(text, { numRuns: 80 });
    const lines = texts.map((one) => `  - ${unsafeYaml(one)}\n`);
    // What goes through a module comes back as bytes, which JSON in between cannot change.
    const book = `- hosts: localhost
  connection: local
  gather_facts: false
  vars:
    texts:
${lines.map((line) => `  ${line}`).join('')}
  tasks:
    - ansible.builtin.copy: {content: "{{ item | b64encode }}\\n", dest: "${folder}/text-{{ number }}"}
      loop: "{{ texts }}"
      loop_control: {index_var: number}
`;
    const short = book.replace(
      /ansible\.builtin\.copy: .*\n(?:.*\n)*$/,
      `ansible.builtin.copy:\n        content: "{% for text in texts %}{{ text | b64encode }}|{% endfor %}"\n        dest: "${folder}/texts"\n`,
    );
    writeFileSync(join(folder, 'texts.yml'), short);
    execFileSync('ansible-playbook', ['texts.yml'], { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
    const read = readFileSync(join(folder, 'texts'), 'utf8').split('|').slice(0, -1);
    expect(read.map((one) => Buffer.from(one, 'base64').toString())).toEqual(texts.map((one) => one.toWellFormed()));
  });
});

test('a shell takes every word for what it is', () => {
  const word = fc.string({ unit: 'binary', maxLength: 30 }).map((text) => text.toWellFormed().replaceAll('\0', ''));
  fc.assert(
    fc.property(
      fc.array(fc.oneof(word, fc.constantFrom("'", '$(id)', '`id`', '\\', '-e', '\n', '*')), {
        minLength: 1,
        maxLength: 20,
      }),
      (words) => {
        const out = execFileSync('sh', ['-c', `printf '%s\\0' ${words.map(shellWord).join(' ')}`], {
          encoding: 'utf8',
        });
        expect(out.split('\0').slice(0, -1)).toEqual(words);
      },
    ),
    { numRuns: 15 },
  );
});

test('podman is given what the descriptor says, word by word', () => {
  const text = fc.string({ unit: 'binary', maxLength: 20 }).map((one) => one.toWellFormed().replaceAll('\0', ''));
  const fake = join(folder, 'bin');
  mkdirSync(fake);
  writeFileSync(
    join(fake, 'podman'),
    '#!/bin/sh\nif [ "$1" = run ]; then printf "%s\\0" "$@" >"$0.words"; else exit 1; fi\n',
  );
  chmodSync(join(fake, 'podman'), 0o755);
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 4 }), text, (command, said) => {
      const native = {
        superfluidity: 1,
        service: {
          name: 'words',
          version: '1',
          functions: [
            {
              name: 'unit',
              environment: 'container',
              image: 'name:docker.io/library/nginx:1.29',
              command,
              env: { SAID: said },
            },
          ],
        },
      };
      const { service } = readDescriptor([{ path: 's.json', bytes: Buffer.from(JSON.stringify(native)) }]);
      const { files } = writeDescriptor(service!, 'ansible');
      const run = files.find(({ path }) => path === 'roles/unit/files/run')!;
      execFileSync('sh', ['-c', Buffer.from(run.bytes).toString(), 'run', 'start', 'n', folder, folder], {
        env: { PATH: `${fake}:${process.env['PATH']}` },
      });
      const words = readFileSync(join(fake, 'podman.words'), 'utf8').split('\0').slice(0, -1);
      expect(words.slice(words.indexOf('--env'))).toEqual([
        '--env',
        `SAID=${said}`,
        'docker.io/library/nginx:1.29',
        ...command,
      ]);
    }),
    { numRuns: 10 },
  );
});
