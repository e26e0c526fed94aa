import {
  type Cloud,
  findOrCreate,
  listOfNeutron,
  type SecurityGroup,
  type SecurityGroupRule,
  type SecurityGroupRuleFields,
  securityGroupRules,
  securityGroups,
} from '@superfluidity/openstack';
import type { PolicyRule } from '../../api/network-policy.ts';
import { Kept } from './kept.ts';
import type { PolicyDriver, PolicyWish } from './types.ts';

export interface NeutronPoliciesOptions {
  readonly cloud: Cloud;
  readonly tags: readonly string[];
  readonly cluster: string;
}

/** Each new pod needs them; now and then it is looked whether somebody has deleted or changed them. */
const OPEN_KEPT = { freshMs: 300_000, oldMs: 3_600_000 } as const;

type Rule = Omit<SecurityGroupRuleFields, 'security_group_id'>;

/**
 * A security group for each policy, and one for each number that a name of a port means in some of its pods. Groups add up: what a pod may do is what any of its groups lets pass. So a policy's group says
 * nothing about a direction that the policy leaves open; pods that no policy closes in a direction have the group that opens it.
 */
export class NeutronPolicies implements PolicyDriver {
  readonly #options: NeutronPoliciesOptions;
  readonly #open: Kept<string>;

  constructor(options: NeutronPoliciesOptions) {
    this.#options = options;
    this.#open = new Kept(options.cloud.clock, OPEN_KEPT);
  }

  async ensure({ namespace, name, uid, project, named, rules }: PolicyWish, signal: AbortSignal): Promise<string> {
    const { cluster } = this.#options;
    const group = await this.#group(
      `${this.#descriptionOf(uid)} ${named}`.trimEnd(),
      `kuryr.${cluster}.${namespace}.${name} ${named}`.trimEnd().slice(0, NAME_CHARACTERS),
      project,
      signal,
    );
    await this.#become(group, rules.map(groupRuleOf), signal);
    return group.id;
  }

  async made(uid: string, signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    const groups = { many: 'security_groups', path: '/v2.0/security-groups' };
    const words = this.#descriptionOf(uid);
    const found = await listOfNeutron(this.#options.cloud, groups, { fields: ['id', 'description'] }, signal);
    return new Map(
      found.flatMap(({ id, description }): readonly [string, string][] => {
        const said = typeof description === 'string' ? description : '';
        return said === words || said.startsWith(`${words} `) ? [[said.slice(words.length).trimStart(), id]] : [];
      }),
    );
  }

  open(project: string, direction: 'ingress' | 'egress', signal: AbortSignal): Promise<string> {
    return this.#open.of(`${direction} ${project}`, () => this.#makeOpen(project, direction, signal));
  }

  async remove(groupId: string, signal: AbortSignal): Promise<void> {
    // Refused (409) as long as a port has it.
    if (groupId !== '') await securityGroups.delete(this.#options.cloud, groupId, signal);
  }

  #descriptionOf(uid: string): string {
    return `${this.#options.tags.at(-1)} policy ${uid}`;
  }

  async #makeOpen(project: string, direction: 'ingress' | 'egress', signal: AbortSignal): Promise<string> {
    const { tags, cluster } = this.#options;
    const description = `${tags.at(-1)} open ${direction} ${project}`.trimEnd();
    const group = await this.#group(description, `kuryr.${cluster}.open.${direction}`, project, signal);
    await this.#become(group, [{ direction, ethertype: 'IPv4' }], signal);
    return group.id;
  }

  async #group(description: string, name: string, project: string, signal: AbortSignal): Promise<SecurityGroup> {
    const { cloud, tags } = this.#options;
    const group = await findOrCreate<SecurityGroup>(cloud, {
      find: () => securityGroups.list(cloud, { description }, signal),
      create: () =>
        securityGroups.create(cloud, { name, description, ...(project === '' ? {} : { project_id: project }) }, signal),
      remove: async ({ id }) => void (await securityGroups.delete(cloud, id, signal)),
      signal,
    });
    if (!tags.every((tag) => group.tags.includes(tag))) await securityGroups.setTags(cloud, group.id, tags, signal);
    return group;
  }

  /** What is lacking is added before what is too much is taken away: nothing that is allowed is ever interrupted. */
  async #become(group: SecurityGroup, rules: readonly Rule[], signal: AbortSignal): Promise<void> {
    const { cloud } = this.#options;
    const there = new Map(group.security_group_rules.map((rule) => [wordOf(rule), rule]));
    const wanted = new Map(rules.map((rule) => [wordOf(rule), rule]));
    const lacking = [...wanted].flatMap(([word, rule]) =>
      there.has(word) ? [] : [{ ...rule, security_group_id: group.id }],
    );
    await securityGroupRules.createMany(cloud, lacking, signal);
    // Also what Neutron puts into each new group: all that goes out.
    for (const [word, { id }] of there) if (!wanted.has(word)) await securityGroupRules.delete(cloud, id, signal);
  }
}

const NAME_CHARACTERS = 255;

/** What a rule is in a security group. */
export function groupRuleOf({ direction, protocol, portFirst, portLast, cidr }: PolicyRule): Rule {
  return {
    direction,
    ethertype: 'IPv4',
    ...(protocol === undefined ? {} : { protocol: protocol.toLowerCase() }),
    ...(portFirst === undefined ? {} : { port_range_min: portFirst, port_range_max: portLast! }),
    ...(cidr === '0.0.0.0/0' ? {} : { remote_ip_prefix: cidr }),
  };
}

/** Neutron says null for what is not said. */
function wordOf(rule: Rule | SecurityGroupRule): string {
  const { direction, ethertype, protocol, port_range_min: first, port_range_max: last, remote_ip_prefix: cidr } = rule;
  const group = 'remote_group_id' in rule ? rule.remote_group_id : undefined;
  const any = cidr === '0.0.0.0/0' ? undefined : cidr;
  return [direction, ethertype, protocol, first, last, any, group].map((one) => one ?? '').join(' ');
}
