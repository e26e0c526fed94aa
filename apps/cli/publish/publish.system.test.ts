import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { recorded } from '../testing/recorded.ts';
import { branchRef, repositoryAddress } from './git.ts';
import { publish, type PublishOptions } from './publish.ts';
import { blobId, changeOf, MANIFEST } from './tree.ts';

const absent = spawnSync('git', ['--version']).status === 0 ? '' : ' (skipped: there is no git)';
const descriptor = (more = '') => `superfluidity: 1
service:
  name: web
  version: "1.0"
  networks: [{name: lan, prefix: 10.1.0.0/24}]
  functions:
    - {name: wall, environment: nft, program: "table ip x { }", ports: [lan]}
${more}`;
const second = '    - {name: other, environment: nft, program: "table ip y { }", ports: [lan]}\n';

let folder = '';
let repository = '';
let number = 0;
const input = () => join(folder, 'service.yaml');
const git = (...args: readonly string[]) =>
  execFileSync('git', args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
const log = () => git('-C', repository, 'log', '--format=%s', 'main').split('\n');
const show = (path: string) => git('-C', repository, 'show', `main:${path}`);
const list = () => git('-C', repository, 'ls-tree', '-r', '--name-only', 'main').split('\n');

async function run(more: Partial<PublishOptions> = {}) {
  const { context, shown, notes } = recorded();
  await publish(context, [input()], { git: repository, branch: 'main', timeout: 30, to: ['ansible'], ...more });
  return { value: shown[0] as { commit: string | null; written: string[]; removed: string[]; kept: string[] }, notes };
}

/** What somebody else does to the branch. */
function commit(message: string, change: (clone: string) => void): void {
  const clone = join(folder, `clone-${(number += 1)}`);
  git('clone', '--quiet', '--branch', 'main', '--', repository, clone);
  change(clone);
  git('-C', clone, 'add', '--all');
  git('-C', clone, '-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '--quiet', '--message', message);
  git('-C', clone, 'push', '--quiet');
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'superfluidity-publish-test-'));
});
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => {
  if (absent !== '') return;
  repository = join(folder, `repository-${(number += 1)}.git`);
  git('init', '--quiet', '--bare', '--initial-branch=main', '--', repository);
  writeFileSync(input(), descriptor());
});
afterEach(() => {
  process.exitCode = 0;
});

describe(`publishing to a repository${absent}`, { skip: absent !== '' }, () => {
  test('begins the branch, and commits again only what has changed', async () => {
    const first = await run();
    expect(first.value.commit).toBe(git('-C', repository, 'rev-parse', 'main'));
    expect(list()).toEqual(
      expect.arrayContaining(['web/ansible/create.yml', 'web/ansible/roles/wall/vars/main.yml', `web/${MANIFEST}`]),
    );
    expect(show('web/ansible/roles/wall/files/rules.nft')).toContain('table ip x { }');
    expect((await run()).value).toMatchObject({ commit: null, written: [], removed: [] });
    writeFileSync(input(), descriptor(second));
    expect((await run()).value.written).toContain('ansible/roles/other/vars/main.yml');
    writeFileSync(input(), descriptor());
    const less = (await run()).value;
    expect(less.removed).toContain('ansible/roles/other/vars/main.yml');
    expect(list().some((path) => path.includes('/other/'))).toBe(false);
    expect(log()).toEqual(['Publish web 1.0', 'Publish web 1.0', 'Publish web 1.0']);
    git('-C', repository, 'fsck', '--strict');
  });

  test('says at which line of the descriptor there is what a dialect cannot say', async () => {
    writeFileSync(input(), descriptor().replace('ports: [lan]}', 'ports: [lan], requirements: {cpu: 0.5}}'));
    const { notes } = await run();
    expect(notes).toEqual([
      expect.stringMatching(/^service\.yaml:7:\d+: warning SF-DESCRIPTOR-LOSS: .*cpu of nft 'wall/),
    ]);
  });

  test('leaves what others made and changed as it is, and says so', async () => {
    await run();
    commit('real hosts', (clone) => {
      writeFileSync(join(clone, 'web/ansible/hosts.yml'), 'all: {hosts: {edge1: }}\n');
      writeFileSync(join(clone, 'web/ansible/site.yml'), 'mine\n');
      writeFileSync(join(clone, 'README.md'), 'hello\n');
    });
    writeFileSync(input(), descriptor(second));
    const { value, notes } = await run();
    expect(value.kept).toEqual(['ansible/hosts.yml']);
    expect(notes.at(-1)).toContain('web/ansible/hosts.yml: kept');
    expect([show('web/ansible/hosts.yml'), show('web/ansible/site.yml'), show('README.md')]).toEqual([
      'all: {hosts: {edge1: }}',
      'mine',
      'hello',
    ]);
    expect((await run()).value).toMatchObject({ commit: null, kept: ['ansible/hosts.yml'] });
    expect((await run({ force: true })).value.written).toContain('ansible/hosts.yml');
    expect(show('web/ansible/site.yml')).toBe('mine');
  });

  test('takes up what somebody pushed in the meantime, and gives up after some attempts', async () => {
    await run();
    writeFileSync(input(), descriptor(second));
    // The hook pushes first, once: what comes after it is no fast-forward.
    const hook = join(repository, 'hooks/pre-receive');
    const counter = join(folder, `counter-${number}`);
    const other = git('-C', repository, 'commit-tree', '-p', 'main', '-m', 'faster', 'main^{tree}');
    const script = (times: number) =>
      `#!/bin/sh\nunset GIT_QUARANTINE_PATH\nn=$(cat ${counter} 2>/dev/null || echo 0)\nif [ $n -lt ${times} ]; then echo $((n + 1)) >${counter}; git update-ref refs/heads/main ${other}; exit 0; fi\n`;
    writeFileSync(hook, script(1));
    chmodSync(hook, 0o755);
    const { value } = await run();
    expect(log()).toEqual(['Publish web 1.0', 'faster', 'Publish web 1.0']);
    expect(value.commit).toBe(git('-C', repository, 'rev-parse', 'main'));
    writeFileSync(hook, '#!/bin/sh\necho "not today" >&2; exit 1\n');
    writeFileSync(input(), descriptor());
    await expect(run()).rejects.toMatchObject({
      code: 'SF-PUBLISH-REJECTED',
      details: { answer: expect.stringContaining('not today') },
    });
    expect(log()).toHaveLength(3);
  });

  test('writes into no file that a link of the branch leads to, and leaves nothing behind here', async () => {
    const victim = join(folder, `victim-${number}`);
    mkdirSync(victim);
    await run({ folder: 'first' });
    commit('a link', (clone) => symlinkSync(victim, join(clone, 'web')));
    await run();
    expect(readdirSync(victim)).toEqual([]);
    expect(list()).toContain('web/ansible/create.yml');
    expect(readdirSync(tmpdir()).filter((name) => /^superfluidity-publish-(?!test)/.test(name))).toEqual([]);
  });

  test('says what git said, within its time, and shows no password', async () => {
    await expect(run({ git: join(folder, 'none.git') })).rejects.toMatchObject({
      code: 'SF-PUBLISH-GIT',
      details: { request: expect.stringContaining('ls-remote') },
    });
    const slow = join(folder, `slow-${number}`);
    mkdirSync(slow);
    writeFileSync(join(slow, 'ssh'), '#!/bin/sh\nsleep 60\n');
    chmodSync(join(slow, 'ssh'), 0o755);
    const before = process.env['GIT_SSH_COMMAND'];
    process.env['GIT_SSH_COMMAND'] = join(slow, 'ssh');
    const begin = performance.now();
    await expect(run({ git: 'ssh://nowhere.invalid/x', timeout: 0.5 })).rejects.toMatchObject({
      code: 'SF-PUBLISH-GIT',
      details: { reason: 'not done within 0.5 s' },
    });
    expect(performance.now() - begin).toBeLessThan(10_000);
    if (before === undefined) delete process.env['GIT_SSH_COMMAND'];
    else process.env['GIT_SSH_COMMAND'] = before;
    const failure: unknown = await run({ git: 'https://me:secret@example.invalid/x' }).catch((error: unknown) => error);
    expect(JSON.stringify(failure, Object.getOwnPropertyNames(failure))).not.toContain('secret');
    expect(failure).toMatchObject({ code: 'SF-PUBLISH-ADDRESS' });
  });

  test('an entry of the catalogue is published as a file is, with all dialects that there are for it', async () => {
    const { context, shown } = recorded();
    const client = {
      call: (name: string, { params }: { params: { id: string } }) =>
        Promise.resolve({ name, source: params.id === 'web' ? descriptor() : '' }),
    };
    await publish({ ...context, client: () => Promise.resolve(client as never) }, ['web'], {
      git: repository,
      branch: 'x/y',
      timeout: 30,
    });
    expect(shown[0]).toMatchObject({ ok: true, dialects: expect.arrayContaining(['ansible']), branch: 'x/y' });
    expect(git('-C', repository, 'show', 'x/y:web/ansible/group_vars/all.yml')).toContain('service: "web"');
  });

  test('a descriptor that cannot be used publishes nothing', async () => {
    writeFileSync(input(), 'superfluidity: 1\n');
    await run();
    expect(process.exitCode).toBe(2);
    expect(git('-C', repository, 'branch', '--list')).toBe('');
    writeFileSync(input(), descriptor());
    await expect(run({ to: ['nothing'] })).rejects.toMatchObject({ code: 'SF-DESCRIPTOR-NO-WRITER' });
  });

  test('names of branches are those that git takes', () => {
    const name = fc.stringMatching(/^[a-z./@{~^ :?*[\\-]{1,8}$/);
    fc.assert(
      fc.property(
        fc.oneof(name, fc.string({ maxLength: 8 }), fc.constantFrom('a.lock', 'a/b', '-x', '@', 'a..b', 'ä')),
        (branch) => {
          const taken =
            branch !== '' &&
            !branch.includes('\0') &&
            !branch.startsWith('-') &&
            spawnSync('git', ['check-ref-format', `refs/heads/${branch}`]).status === 0;
          const ours = (() => {
            try {
              return branchRef(branch) === `refs/heads/${branch}`;
            } catch {
              return false;
            }
          })();
          // `@` alone is a short form elsewhere.
          expect(ours).toBe(taken && branch !== '@');
        },
      ),
      { numRuns: 150 },
    );
  });
});

test('addresses that are options, programs or secrets are refused', () => {
  for (const address of [
    '',
    '-x',
    '--upload-pack=touch x',
    'ext::sh -c id',
    'fd::3',
    'https://token@host/x',
    'ssh://me:pw@host/x',
    'a\nb',
  ]) {
    expect(() => repositoryAddress(address), address).toThrow(expect.objectContaining({ code: 'SF-PUBLISH-ADDRESS' }));
  }
  expect(repositoryAddress('ssh://git@host/x.git')).toBe('ssh://git@host/x.git');
  expect(repositoryAddress('git@host:x.git')).toBe('git@host:x.git');
  expect(repositoryAddress('some/where')).toBe(join(process.cwd(), 'some/where'));
});

const within = (path: string, folders: readonly string[]) => folders.some((folder) => path.startsWith(`${folder}/`));

test('whatever is on the branch, files that are not ours stay, and twice changes nothing', () => {
  const path = fc.constantFrom('a', 'b', 'c', 'd', 'd/e', 'd/e/f', 'c/a');
  const content = fc.constantFrom('1', '2', '3');
  // A file is not a folder at once.
  const tree = fc
    .dictionary(path, content)
    .map((files) => Object.fromEntries(Object.entries(files).filter(([name]) => !within(name, Object.keys(files)))));
  const bytes = (text: string) => new TextEncoder().encode(text);
  fc.assert(
    fc.property(tree, tree, tree, fc.boolean(), (wanted, branch, published, force) => {
      const there = new Map(Object.entries(branch).map(([name, text]) => [name, blobId(bytes(text))]));
      const last = {
        files: Object.fromEntries(Object.entries(published).map(([name, text]) => [name, blobId(bytes(text))])),
      };
      const files = Object.entries(wanted).map(([name, text]) => ({ path: name, bytes: bytes(text) }));
      const { write, remove, kept } = changeOf(files, there, last, force);
      const after = new Map(there);
      for (const name of remove) after.delete(name);
      for (const file of write) {
        // As git-fast-import(1) does.
        for (const name of after.keys()) if (within(name, [file.path]) || within(file.path, [name])) after.delete(name);
        after.set(file.path, blobId(file.bytes));
      }
      for (const [name, text] of Object.entries(branch)) {
        const isInTheWay = Object.keys(wanted).some((one) => within(one, [name]) || within(name, [one]));
        const foreign = published[name] !== text && !(force && (isInTheWay || name in { ...wanted, ...published }));
        if (foreign && wanted[name] !== text) expect(after.get(name)).toBe(there.get(name));
      }
      for (const [name, text] of Object.entries(wanted)) {
        if (!kept.includes(name)) expect(after.get(name)).toBe(blobId(bytes(text)));
      }
      const manifest = JSON.parse(
        new TextDecoder().decode(write.find((file) => file.path === MANIFEST)!.bytes),
      ) as typeof last;
      expect(changeOf(files, after, manifest, false)).toMatchObject({ write: [], remove: [] });
    }),
    { numRuns: 300 },
  );
});
