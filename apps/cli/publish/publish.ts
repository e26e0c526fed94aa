import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SuperfluidityError, isSuperfluidityError } from '@superfluidity/core';
import {
  dialects,
  formatOf,
  readDescriptor,
  writeDescriptor,
  type DescriptorFile,
  type Format,
  type ReadDescriptor,
} from '@superfluidity/dialects';
import type { Context } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { problemLine } from '../print/problem.ts';
import { readSource } from '../source.ts';
import { branchRef, gitIn, publishProblem, repositoryAddress, withoutCredentials, type Git } from './git.ts';
import { changeOf, fastImport, MANIFEST, parseManifest, type Change, type OnBranch } from './tree.ts';

export interface PublishOptions {
  readonly git: string;
  readonly branch: string;
  readonly to?: readonly string[];
  /** Folder of the branch. Default: the name of the service. */
  readonly folder?: string;
  readonly force?: boolean;
  /** Seconds for each call of git. */
  readonly timeout: number;
}

/** Dialects that somebody's tool carries out; those of them that can be written are published unless others are named. */
const CARRIED_OUT: readonly string[] = ['ansible', 'heat', 'kubernetes'];
/** Others may push at the same time. */
const ATTEMPTS_MAX = 4;
const MANIFEST_BYTES_MAX = 8 * 2 ** 20;
const WORK = 'refs/heads/superfluidity';

/** Writes a service in dialects that tools carry out, and pushes what has changed to a branch. */
export async function publish(context: Context, inputs: readonly string[], options: PublishOptions): Promise<void> {
  // What is wrong with the command comes before any work.
  const address = repositoryAddress(options.git);
  const ref = branchRef(options.branch);
  const formats = formatsOf(options.to);
  const { service, problems, locate } = await serviceOf(context, inputs);
  for (const problem of problems) context.note(problemLine(problem, context.style));
  if (service === undefined) {
    process.exitCode = exitCodes.usage;
    await context.show({ ok: false }, () =>
      context.style.red('nothing was published, since the descriptor cannot be used'),
    );
    return;
  }
  const folder = folderOf(options.folder ?? service.block.name);
  const written = formats.map((format) => ({ format, ...writeDescriptor(service, format, locate) }));
  const losses = written.flatMap(({ losses: lost }) => lost);
  for (const loss of losses) context.note(problemLine(loss, context.style));
  const files = written.flatMap(({ format, files: own }) =>
    own.map(({ path, bytes }): DescriptorFile => ({ path: `${format}/${path}`, bytes })),
  );
  const message = `Publish ${service.block.name} ${oneLine(service.version)}\n\nAs ${formats.join(', ')}.\n`;
  const done = await push({
    address,
    ref,
    folder,
    files,
    message,
    force: options.force === true,
    timeoutMs: options.timeout * 1_000,
  });
  for (const path of done.kept) {
    context.note(
      `${folder}/${path}: kept as it is on the branch, since somebody else made or changed it (--force writes over it)`,
    );
  }
  const value = {
    ok: true,
    service: service.block.name,
    dialects: formats,
    repository: withoutCredentials(options.git),
    branch: options.branch,
    folder,
    commit: done.commit ?? null,
    written: done.write.map(({ path }) => path),
    removed: done.remove,
    kept: done.kept,
    losses: losses.map((loss) => ({ ...loss })),
  };
  await context.show(value, () => {
    const where = `${folder} on branch ${options.branch}`;
    if (done.commit === undefined) return `${where} is up to date: nothing was committed`;
    return `${where}: ${done.write.length} files written, ${done.remove.length} removed, commit ${done.commit.slice(0, 12)}`;
  });
}

function formatsOf(names: readonly string[] | undefined): readonly Format[] {
  if (names !== undefined) return [...new Set(names.flatMap((name) => name.split(',')).map((name) => formatOf(name)))];
  return dialects.flatMap(({ format, writer }) =>
    writer !== undefined && CARRIED_OUT.includes(format) ? [format] : [],
  );
}

/** Of files of this machine, or of an entry of the catalogue. */
async function serviceOf(context: Context, inputs: readonly string[]): Promise<ReadDescriptor> {
  const source = await readSource(inputs);
  if (!('descriptor' in source)) {
    return readDescriptor(source.files.map(({ path, base64 }) => ({ path, bytes: Buffer.from(base64, 'base64') })));
  }
  const client = await context.client();
  const { source: text, files } = await client.call('getDescriptor', { params: { id: source.descriptor } });
  if (files !== undefined)
    return readDescriptor(files.map(({ path, base64 }) => ({ path, bytes: Buffer.from(base64, 'base64') })));
  return readDescriptor([{ path: `${source.descriptor}.yaml`, bytes: Buffer.from(text) }]);
}

/** Below the root of the branch, and none of git's own names. */
function folderOf(text: string): string {
  const parts = text.replace(/\/+$/, '').split('/');
  if (parts.every((part) => /^[A-Za-z0-9][\w.-]*$/.test(part) && !part.toLowerCase().endsWith('.git')))
    return parts.join('/');
  throw new SuperfluidityError('SF-CLI-USAGE', {
    doing: 'publish a service',
    reason: `'${text.slice(0, 80)}' is no folder of a branch: letters, digits and ._- between slashes`,
  });
}

function oneLine(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[\p{C}\p{Z}]+/gu, ' ')
    .slice(0, 80);
}

interface Push {
  readonly address: string;
  readonly ref: string;
  readonly folder: string;
  readonly files: readonly DescriptorFile[];
  readonly message: string;
  readonly force: boolean;
  readonly timeoutMs: number;
}

interface Pushed extends Change {
  /** Absent where nothing had changed. */
  readonly commit?: string;
}

/** In a repository that lives as long as this call. When somebody else was faster, from what is there then. */
async function push(wanted: Push): Promise<Pushed> {
  const scratch = await mkdtemp(join(tmpdir(), 'superfluidity-publish-'));
  try {
    const git = gitIn(scratch, wanted.timeoutMs);
    await git.run(['init', '--quiet', '--bare', '.']);
    const by = await committer(git);
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await attemptOnce(git, wanted, by);
      } catch (error) {
        if (!isSuperfluidityError(error, 'SF-PUBLISH-REJECTED') || attempt >= ATTEMPTS_MAX) throw error;
      }
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function attemptOnce(
  git: Git,
  { address, ref, folder, files, message, force }: Push,
  by: string,
): Promise<Pushed> {
  const parent = await fetchBranch(git, address, ref);
  const there = parent === undefined ? new Map<string, string>() : await listFolder(git, parent, folder);
  const manifest = there.get(MANIFEST);
  const change = changeOf(files, there, parseManifest(manifest === undefined ? '' : await read(git, manifest)), force);
  if (change.write.length + change.remove.length === 0) return change;
  const from = parent === undefined ? {} : { parent };
  const seconds = Math.floor(Date.now() / 1_000);
  const commands = fastImport({ ref: WORK, by, seconds, message, folder, ...from }, change);
  await git.run(['fast-import', '--quiet', '--done', '--force'], commands);
  const commit = (await git.run(['rev-parse', '--verify', WORK])).toString().trim();
  await git.run(['push', '--porcelain', '--', address, `${WORK}:${ref}`]);
  return { ...change, commit };
}

/** The newest commit of the branch, alone; undefined where there is no such branch yet. */
async function fetchBranch(git: Git, address: string, ref: string): Promise<string | undefined> {
  const listed = (await git.run(['ls-remote', '--', address, ref])).toString();
  if (!listed.split('\n').some((line) => line.endsWith(`\t${ref}`))) return undefined;
  await git.run([
    'fetch',
    '--quiet',
    '--no-tags',
    '--depth=1',
    '--no-write-fetch-head',
    '--',
    address,
    `+${ref}:refs/fetched`,
  ]);
  return (await git.run(['rev-parse', '--verify', 'refs/fetched^{commit}'])).toString().trim();
}

/** `MODE TYPE ID\tPATH`, ended by NUL: git-ls-tree(1). Links and submodules are somebody's, whatever they are called. */
async function listFolder(git: Git, commit: string, folder: string): Promise<OnBranch> {
  const listed = await git.run(['ls-tree', '-r', '-z', '--full-tree', commit, '--', `${folder}/`]);
  const there = new Map<string, string>();
  for (const line of listed.toString().split('\0')) {
    const [, mode, id, path] = /^(\d+) \w+ ([0-9a-f]+)\t(.*)$/s.exec(line) ?? [];
    if (path === undefined || id === undefined || !path.startsWith(`${folder}/`)) continue;
    there.set(path.slice(folder.length + 1), mode?.startsWith('100') === true ? id : `${mode} ${id}`);
  }
  return there;
}

async function read(git: Git, id: string): Promise<string> {
  if (!/^[0-9a-f]{40}$/.test(id)) return '';
  const size = Number((await git.run(['cat-file', '-s', id])).toString());
  if (size <= MANIFEST_BYTES_MAX) return (await git.run(['cat-file', 'blob', id])).toString();
  throw publishProblem('SF-PUBLISH-GIT', `${MANIFEST} of the branch has ${size} bytes`);
}

/** Who the user says to be in the configuration of git; else this program. */
async function committer(git: Git): Promise<string> {
  const said = async (name: string, other: string) => {
    const text = await git.run(['config', '--get', name]).catch(() => Buffer.from(''));
    return (
      text
        .toString()
        .replaceAll(/[<>\p{C}]/gu, '')
        .trim() || other
    );
  };
  return `${await said('user.name', 'superfluidity')} <${await said('user.email', 'superfluidity@localhost')}>`;
}
