import { VirtualClock } from '@superfluidity/core';
import type { Cloud } from '@superfluidity/openstack';
import { expect, test } from 'vitest';
import type { z } from 'zod';
import { NeutronPolicies } from './policy-neutron.ts';

const never = new AbortController().signal;

interface Group {
  readonly id: string;
  readonly description: string;
  tags: readonly string[];
  readonly security_group_rules: { readonly id: string; readonly direction: string; readonly ethertype: string }[];
}

/** Of Neutron, as much as is asked for here: security groups that are found by their descriptions. */
class Groups {
  readonly clock = new VirtualClock();
  readonly all = new Map<string, Group>();
  asked = 0;
  #made = 0;

  async json<T>(
    call: { readonly method: string; readonly path: string } & Record<string, unknown>,
    schema: z.ZodType<T>,
  ) {
    return schema.parse(this.#answer(call));
  }

  async send({ method, path, body }: Record<string, unknown>) {
    const [, id] = /security-groups\/([^/]+)\/tags$/.exec(String(path)) ?? [];
    if (method === 'PUT' && id !== undefined) this.all.get(id)!.tags = (body as { readonly tags: string[] }).tags;
  }

  #answer({ method, path, query, body }: Record<string, unknown>): unknown {
    this.asked += 1;
    const { description } = (query ?? {}) as { readonly description?: string };
    if (method === 'GET')
      return { security_groups: [...this.all.values()].filter((one) => one.description === description) };
    this.#made += 1;
    const id = `made-${this.#made}`;
    if (path === '/v2.0/security-groups') {
      const { security_group: wanted } = body as { readonly security_group: { readonly description: string } };
      // As Neutron makes them: what goes out passes.
      const rule = { id: `rule-of-${id}`, security_group_id: id, direction: 'egress', ethertype: 'IPv4' };
      const group = { id, description: wanted.description, tags: [], security_group_rules: [rule] };
      this.all.set(id, group);
      return { security_group: group };
    }
    const { security_group_rules: rules } = body as { readonly security_group_rules: { security_group_id: string }[] };
    const made = rules.map((rule) => ({ ...rule, id }));
    for (const rule of made) this.all.get(rule.security_group_id)!.security_group_rules.push(rule as never);
    return { security_group_rules: made };
  }
}

test('the group that opens a direction is asked for once, and made anew where somebody has deleted it', async () => {
  const neutron = new Groups();
  const policies = new NeutronPolicies({ cloud: neutron as unknown as Cloud, tags: ['ours'], cluster: 'test' });
  const open = () => policies.open('', 'ingress', never);
  const [first, again] = await Promise.all([open(), open()]);
  expect([again, await open(), neutron.all.size]).toEqual([first, first, 1]);
  const { asked } = neutron;
  await neutron.clock.advance(299_000);
  expect([await open(), neutron.asked]).toEqual([first, asked]);

  neutron.all.clear();
  await neutron.clock.advance(1_000);
  // Nobody waits for the look.
  expect(await open()).toBe(first);
  await neutron.clock.advance(0);
  const next = await open();
  expect(next).not.toBe(first);
  expect([...neutron.all.keys()]).toEqual([next]);
});
