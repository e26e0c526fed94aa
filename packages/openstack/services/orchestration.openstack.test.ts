import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cloud, findStack, getStack, type StackName, type StackSource } from '../index.ts';
import { labCloud, laboratory } from '../testing/lab.ts';
import { type OwnProject, ownProject } from '../testing/own-project.ts';
import * as heat from './orchestration.ts';

const lab = laboratory();
const pause = () => new Promise((resolve) => setTimeout(resolve, 100));
const name = `sf-services-${process.pid}`;
const network = (mtu: number, ...more: readonly string[]): StackSource => ({
  template: {
    heat_template_version: '2018-08-31',
    parameters: { mtu: { type: 'number' } },
    resources: {
      net: { type: 'OS::Neutron::Net', properties: { name, value_specs: { mtu: { get_param: 'mtu' } }, tags: ['a'] } },
      ...Object.fromEntries(
        more.map((port) => [port, { type: 'OS::Neutron::Port', properties: { network: { get_resource: 'net' } } }]),
      ),
    },
    outputs: { net: { value: { get_resource: 'net' } } },
  },
  parameters: { mtu },
  tags: ['superfluidity', 'superfluidity:id=x'],
  timeout_mins: 1,
});

describe.skipIf(lab === undefined)(`stacks of Heat${lab === undefined ? ' (no laboratory: OS_AUTH_URL)' : ''}`, () => {
  let own: OwnProject;
  let cloud: Cloud;
  let stack: StackName;
  const signal = AbortSignal.timeout(120_000);

  beforeAll(async () => {
    own = await ownProject(lab!, name);
    cloud = labCloud(own.config);
  });
  afterAll(async () => {
    const left = await findStack(cloud, name, signal);
    if (left !== undefined) await heat.deleteStack(cloud, { name, id: left.id }, signal);
    await cloud.close();
    await own.remove();
  });

  async function settled(): Promise<string> {
    for (;;) {
      const { stack_status: status } = await getStack(cloud, stack, signal);
      if (!status.endsWith('IN_PROGRESS')) return status;
      await pause();
    }
  }

  test('are previewed, made, found by name and tag, told of by events in order', async () => {
    const planned = await heat.previewStack(cloud, name, network(1_400), signal);
    expect(planned.map((one) => one.resource_name)).toEqual(['net']);
    expect(await findStack(cloud, name, signal)).toBeUndefined();

    stack = await heat.createStack(cloud, name, network(1_400), signal);
    expect(await settled()).toBe('CREATE_COMPLETE');
    expect((await heat.listStacks(cloud, { tags: ['superfluidity:id=x'] }, signal)).map((one) => one.id)).toContain(
      stack.id,
    );
    expect((await findStack(cloud, name, signal))?.tags).toContain('superfluidity');
    const events = await heat.listStackEvents(cloud, stack, undefined, signal);
    expect(events.map((one) => `${one.resource_name} ${one.resource_status}`)).toEqual([
      `${name} CREATE_IN_PROGRESS`,
      'net CREATE_IN_PROGRESS',
      'net CREATE_COMPLETE',
      `${name} CREATE_COMPLETE`,
    ]);
    const later = await heat.listStackEvents(cloud, stack, events[1]!.id, signal);
    expect(later.map((one) => one.id)).toEqual(events.slice(2).map((one) => one.id));
    const [net] = await heat.listStackResources(cloud, stack, signal);
    expect(net).toMatchObject({ resource_name: 'net', resource_status: 'CREATE_COMPLETE' });
    expect(await heat.stackOutputs(cloud, stack, signal)).toEqual({ net: net!.physical_resource_id });
    expect(await heat.stackTemplate(cloud, stack, signal)).toMatchObject({ resources: { net: {} } });
    expect(await heat.stackFiles(cloud, stack, signal)).toEqual({});
    await expect(heat.createStack(cloud, name, network(1), signal)).rejects.toThrow(/already exists/);
  });

  test('are changed in place, after a preview of what would change', async () => {
    const changes = await heat.previewStackUpdate(cloud, stack, network(1_350, 'one'), false, signal);
    expect([changes.updated, changes.added].map((list) => list.map((one) => one.resource_name))).toEqual([
      ['net'],
      ['one'],
    ]);
    const [before] = await heat.listStackResources(cloud, stack, signal);
    await heat.updateStack(cloud, stack, network(1_350, 'one'), false, signal);
    expect(await settled()).toBe('UPDATE_COMPLETE');
    const after = await heat.listStackResources(cloud, stack, signal);
    expect(after.find((one) => one.resource_name === 'net')?.physical_resource_id).toBe(before!.physical_resource_id);
    await heat.updateStack(cloud, stack, { parameters: { mtu: 1_300 } }, true, signal);
    expect(await settled()).toBe('UPDATE_COMPLETE');
    expect((await getStack(cloud, stack, signal)).parameters).toMatchObject({ mtu: '1300' });
  });

  test('are checked, refused when their template is wrong, and deleted', async () => {
    await heat.actOnStack(cloud, stack, 'check', signal);
    expect(await settled()).toBe('CHECK_COMPLETE');
    const template = { heat_template_version: '2018-08-31', resources: { x: { type: 'OS::No::Such' } } };
    await expect(heat.validateTemplate(cloud, { template }, signal)).rejects.toThrow(/OS::No::Such/);
    expect(await heat.validateTemplate(cloud, network(1), signal)).toHaveProperty('mtu');
    // Switched off in most clouds: the refusal says so.
    const abandoned = await heat.abandonStack(cloud, stack, signal).catch((error: unknown) => error);
    if (abandoned instanceof Error) expect(abandoned.message).toMatch(/[Aa]bandon/);
    else {
      while ((await findStack(cloud, name, signal)) !== undefined) await pause();
      stack = await heat.adoptStack(cloud, name, abandoned as Record<string, unknown>, network(1_300), signal);
      expect(await settled()).toBe('ADOPT_COMPLETE');
    }
    await heat.deleteStack(cloud, stack, signal);
    expect(await settled()).toBe('DELETE_COMPLETE');
    expect(await findStack(cloud, name, signal)).toBeUndefined();
  });
});
