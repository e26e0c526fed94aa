import { readFile } from 'node:fs/promises';
import type { Secret } from '@superfluidity/api';
import { SuperfluidityError } from '@superfluidity/core';
import type { Context } from '../context.ts';
import '../errors.ts';
import { type ListOptions, noteMore } from '../list-options.ts';
import { table } from '../print/table.ts';
import { dateTime } from '../print/values.ts';
import { ofOneLine } from '../secret-input.ts';

const KINDS: readonly Secret['kind'][] = ['registry', 'cloud', 'cloud-init', 'ssh-key', 'other'];

export async function set(
  context: Context,
  name: string,
  options: { readonly kind: string; readonly file?: string },
): Promise<void> {
  const kind = KINDS.find((one) => one === options.kind);
  if (kind === undefined) {
    const reason = `the kind ${options.kind} is none of ${KINDS.join(', ')}`;
    throw new SuperfluidityError('SF-CLI-USAGE', { doing: 'set a secret', reason });
  }
  const value = options.file === undefined ? await context.secret(`Value of ${name}: `) : await valueOf(options.file);
  const secret = await (await context.client()).call('setSecret', { params: { name }, body: { kind, value } });
  await context.show(secret, () => `secret:${name} is set (version ${secret.version})`);
}

async function valueOf(file: string): Promise<string> {
  try {
    return ofOneLine(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new SuperfluidityError('SF-CLI-FILE', { doing: 'read a secret', reason: `${file} cannot be read`, cause });
  }
}

const usesOf = (one: Secret): string =>
  one.usedBy.length === 0 ? '-' : one.usedBy.map(({ kind, name }) => `${kind} ${name}`).join(', ');

export async function list(context: Context, query: ListOptions): Promise<void> {
  const page = await (await context.client()).call('listSecrets', { query: query as never });
  await context.show(page.items, () =>
    table(page.items, [
      { title: 'NAME', value: (one) => one.name },
      { title: 'KIND', value: (one) => one.kind },
      { title: 'SET', value: (one) => dateTime(one.updatedAt) },
      { title: 'BY', value: (one) => one.setBy },
      { title: 'USED BY', value: usesOf },
      { title: 'FINGERPRINT', value: (one) => one.fingerprint },
    ]),
  );
  noteMore(context, page);
}

export async function show(context: Context, name: string): Promise<void> {
  const one = await (await context.client()).call('getSecret', { params: { name } });
  await context.show(one, () =>
    [
      `secret:${one.name} (${one.kind}), set ${dateTime(one.updatedAt)} by ${one.setBy}, version ${one.version}`,
      `used by      ${usesOf(one)}`,
      `fingerprint  ${one.fingerprint}`,
    ].join('\n'),
  );
}

export async function remove(context: Context, name: string): Promise<void> {
  await (await context.client()).call('removeSecret', { params: { name } });
  context.note(`secret ${name} is removed`);
}

export async function rotateKey(context: Context): Promise<void> {
  const rotated = await (await context.client()).call('rotateSecretKey');
  await context.show(rotated, () => `${rotated.secrets} secrets are sealed with the key ${rotated.keyId}`);
}
