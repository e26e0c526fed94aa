import type { UserDetail } from '@superfluidity/api';
import { SuperfluidityError } from '@superfluidity/core';
import type { Context } from '../context.ts';
import '../errors.ts';
import { type ListOptions, noteMore } from '../list-options.ts';
import { table } from '../print/table.ts';
import { dateTime } from '../print/values.ts';
import { roleOf } from './token.ts';

export async function add(context: Context, name: string, options: { role: string; password: boolean }): Promise<void> {
  const role = roleOf(options.role);
  const password = options.password ? { password: await newPassword(context, name) } : {};
  const user = await (await context.client()).call('addUser', { body: { name, role, ...password } });
  await context.show(user, () => `user ${user.name}: ${user.role}`);
}

/** At a terminal twice: nobody sees what is typed. */
async function newPassword(context: Context, name: string): Promise<string> {
  const password = await context.secret(`New password of ${name}: `);
  if (!context.asks || (await context.secret('The same again: ')) === password) return password;
  throw new SuperfluidityError('SF-CLI-SECRET-INPUT', { doing: 'read a password', reason: 'the two are not the same' });
}

export async function list(context: Context, query: ListOptions): Promise<void> {
  const page = await (await context.client()).call('listUsers', { query: query as never });
  await context.show(page.items, () =>
    table(page.items, [
      { title: 'NAME', value: (one) => one.name },
      { title: 'ROLE', value: (one) => one.role },
      { title: 'SIGNS IN', value: (one) => (one.disabled ? 'disabled' : one.hasPassword ? 'with a password' : 'no') },
      { title: 'TOKENS', value: (one) => String(one.tokenCount) },
      { title: 'BROWSERS', value: (one) => String(one.sessionCount) },
      { title: 'LAST', value: (one) => (one.signedInAt === undefined ? '-' : dateTime(one.signedInAt)) },
    ]),
  );
  noteMore(context, page);
}

export async function show(context: Context, name: string): Promise<void> {
  const user = await (await context.client()).call('getUser', { params: { name } });
  await context.show(user, () => textOf(user));
}

function textOf(user: UserDetail): string {
  const may = user.disabled ? 'disabled' : user.hasPassword ? 'may sign in' : 'has no password';
  const parts = [`${user.name}: ${user.role}, ${may}, since ${dateTime(user.createdAt)}`];
  if (user.tokens.length > 0) {
    const tokens = table(user.tokens, [
      { title: 'TOKEN', value: (one) => one.name },
      { title: 'ROLE', value: (one) => one.role },
      { title: 'SINCE', value: (one) => dateTime(one.createdAt) },
    ]);
    parts.push('', tokens);
  }
  if (user.sessions.length > 0) {
    const sessions = table(user.sessions, [
      { title: 'BROWSER AT', value: (one) => one.address },
      { title: 'SINCE', value: (one) => dateTime(one.createdAt) },
      { title: 'UNTIL', value: (one) => dateTime(one.expiresAt) },
      { title: 'WHAT', value: (one) => one.agent },
    ]);
    parts.push('', sessions);
  }
  return parts.join('\n');
}

export async function role(context: Context, name: string, wanted: string): Promise<void> {
  const body = { role: roleOf(wanted) };
  const user = await (await context.client()).call('changeUser', { params: { name }, body });
  context.note(`user ${name}: ${user.role}`);
}

export async function password(context: Context, name: string): Promise<void> {
  const body = { password: await newPassword(context, name) };
  await (await context.client()).call('setUserPassword', { params: { name }, body });
  context.note(`user ${name} has a new password, and is signed out everywhere`);
}

export async function disable(context: Context, name: string, disabled: boolean): Promise<void> {
  await (await context.client()).call('changeUser', { params: { name }, body: { disabled } });
  context.note(`user ${name} is ${disabled ? 'disabled: sessions have ended, tokens open nothing' : 'enabled'}`);
}

export async function signOut(context: Context, name: string): Promise<void> {
  await (await context.client()).call('endUserSessions', { params: { name } });
  context.note(`user ${name} is signed out everywhere`);
}

export async function remove(context: Context, name: string): Promise<void> {
  await (await context.client()).call('removeUser', { params: { name } });
  context.note(`user ${name} is removed, with all tokens`);
}
