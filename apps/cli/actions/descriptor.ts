import type { Descriptor } from '@superfluidity/api';
import type { Context } from '../context.ts';
import { type ListOptions, noteMore } from '../list-options.ts';
import { table } from '../print/table.ts';
import { dateTime } from '../print/values.ts';
import { readSource } from '../source.ts';

const text = (descriptors: readonly Descriptor[]) =>
  table(descriptors, [
    { title: 'ID', value: (one) => one.id },
    { title: 'NAME', value: (one) => one.name },
    { title: 'VERSION', value: (one) => one.version },
    { title: 'FORMAT', value: (one) => one.format },
    {
      title: 'STATE',
      value: (one) => (one.onboardingState === 'ONBOARDED' ? one.operationalState : one.onboardingState),
    },
    { title: 'USE', value: (one) => one.usageState },
    { title: 'SINCE', value: (one) => dateTime(one.createdAt) },
  ]);

export async function add(context: Context, files: readonly string[]): Promise<void> {
  const descriptor = await (await context.client()).call('addDescriptor', { body: await readSource(files) });
  await context.show(descriptor, () => text([descriptor]));
}

export async function list(context: Context, query: ListOptions): Promise<void> {
  const page = await (await context.client()).call('listDescriptors', { query: query as never });
  const descriptors = page.items;
  await context.show(descriptors, () => text(descriptors));
  noteMore(context, page);
}

export async function show(context: Context, id: string): Promise<void> {
  const descriptor = await (await context.client()).call('getDescriptor', { params: { id } });
  await context.show(descriptor, () => `${text([descriptor])}\n\n${descriptor.source.trimEnd()}`);
}

export async function setState(
  context: Context,
  id: string,
  operationalState: Descriptor['operationalState'],
): Promise<void> {
  const client = await context.client();
  const descriptor = await client.call('setDescriptorState', { params: { id }, body: { operationalState } });
  await context.show(descriptor, () => text([descriptor]));
}

export async function remove(context: Context, id: string): Promise<void> {
  await (await context.client()).call('removeDescriptor', { params: { id } });
  context.note(`descriptor ${id} is deleted`);
}
