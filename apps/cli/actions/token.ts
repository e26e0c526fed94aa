import { SuperfluidityError } from '@superfluidity/core';
import { type Context, findToken } from '../context.ts';
import '../errors.ts';
import { type ListOptions, noteMore } from '../list-options.ts';
import { table } from '../print/table.ts';
import { dateTime } from '../print/values.ts';

export async function create(context: Context, name: string, options: { role: string; user?: string }): Promise<void> {
  const { user } = options;
  const body = { name, role: roleOf(options.role), ...(user === undefined ? {} : { user }) };
  const token = await (await context.client()).call('createToken', { body });
  await context.show(token, () => token.secret);
  context.note('it is shown this once only');
}

export function roleOf(role: string): 'reader' | 'admin' {
  if (role === 'reader' || role === 'admin') return role;
  const reason = `the role ${role} is neither reader nor admin`;
  throw new SuperfluidityError('SF-CLI-USAGE', { doing: 'choose a role', reason });
}

export async function list(context: Context, query: ListOptions): Promise<void> {
  const page = await (await context.client()).call('listTokens', { query: query as never });
  const tokens = page.items;
  await context.show(tokens, () =>
    table(tokens, [
      { title: 'NAME', value: (one) => one.name },
      { title: 'USER', value: (one) => one.user },
      { title: 'ROLE', value: (one) => one.role },
      { title: 'SINCE', value: (one) => dateTime(one.createdAt) },
      { title: 'ID', value: (one) => one.id },
    ]),
  );
  noteMore(context, page);
}

export async function revoke(context: Context, name: string): Promise<void> {
  await (await context.client()).call('revokeToken', { params: { name } });
  context.note(`token ${name} is revoked`);
}

/** The one that this command would use. */
export async function show(context: Context): Promise<void> {
  const secret = await findToken(context.options);
  await context.show({ secret }, () => secret);
}
