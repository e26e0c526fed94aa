import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId, silentLogger, systemClock } from '@superfluidity/core';
import { openstackDriver } from '@superfluidity/driver-openstack';
import { laboratory, type OwnProject, ownProject } from '@superfluidity/openstack/testing';
import type { SiteDriver } from '@superfluidity/site';
import { writeInto } from '../../apps/cli/files-into.ts';
import { runCommand } from '../../apps/cli/testing/run-command.ts';
import { run } from '../command.ts';
import type { Json } from './rest.ts';
import { type End, TestCloud } from './testing-cloud.ts';
import type { Lab } from './lab.ts';
import { ovsEnvironment } from './services/ovs.ts';

/** What `verify diff --output json` says, as far as tests look at it. */
export interface Answer {
  readonly answer: 'holds' | 'violated' | 'unknown';
  readonly alone: readonly string[];
  readonly differences: readonly {
    readonly start: string;
    readonly because: string;
    readonly inA: readonly WayThrough[];
    readonly inB: readonly WayThrough[];
  }[];
}

export interface WayThrough {
  readonly outcome: string;
  readonly port: string;
  readonly why?: string;
  readonly hops: readonly { readonly port: string; readonly because: readonly string[] }[];
  readonly sent?: { readonly fields: Readonly<Record<string, string>> };
}

const NODE = 'lab';

/** A project with ports in namespaces, and the audit of it: what it asked for, beside what the node has. */
export class Audited {
  readonly cloud: TestCloud;
  readonly folder = mkdtempSync(join(tmpdir(), 'superfluidity-audit-'));
  readonly #own: OwnProject;
  readonly #site: SiteDriver;

  private constructor(cloud: TestCloud, own: OwnProject, site: SiteDriver) {
    this.cloud = cloud;
    this.#own = own;
    this.#site = site;
  }

  static async make(lab: Lab): Promise<Audited> {
    const cloud = await TestCloud.open(lab);
    const own = await ownProject(laboratory()!, cloud.tag);
    const { credentials, authUrl } = own.config;
    if (credentials.kind !== 'password' || !('id' in credentials.user)) throw new TypeError('a user with a password');
    const { user, password } = credentials;
    const site = await openstackDriver.open({
      id: newId('site'),
      name: 'audited',
      config: { auth: { auth_url: authUrl, user_id: user.id, password, project_id: own.id } },
      stateFolder: mkdtempSync(join(tmpdir(), 'superfluidity-audit-state-')),
      clock: systemClock,
      log: silentLogger,
    });
    return new Audited(cloud, own, site);
  }

  async close(): Promise<void> {
    await this.#site.close();
    await this.cloud.close();
    for (const { id } of (
      await this.cloud.session.get(this.cloud.neutron(`/security-groups?project_id=${this.#own.id}`))
    )['security_groups'] as unknown as readonly Json[])
      await this.cloud.session.request('DELETE', this.cloud.neutron(`/security-groups/${id}`), { accept: [404] });
    await this.#own.remove();
    rmSync(this.folder, { recursive: true });
  }

  create(kind: string, collection: string, wish: Readonly<Record<string, unknown>>): Promise<Json> {
    return this.cloud.create(kind, collection, { project_id: this.#own.id, ...wish });
  }

  /** A network, and a group that lets in what the rules say. Everything may go out. */
  async network(
    cidr: string,
    rules: readonly Readonly<Record<string, unknown>>[],
  ): Promise<{ readonly network: string; readonly group: string; readonly rules: readonly string[] }> {
    const network = (await this.create('network', '/networks', {}))['id']!;
    await this.create('subnet', '/subnets', { network_id: network, ip_version: 4, cidr, enable_dhcp: false });
    const group = (await this.create('security_group', '/security-groups', {}))['id']!;
    const made: string[] = [];
    for (const rule of rules) {
      const { security_group_rule: one } = await this.cloud.session.post(this.cloud.neutron('/security-group-rules'), {
        security_group_rule: { security_group_id: group, direction: 'ingress', ethertype: 'IPv4', ...rule },
      });
      made.push(one!['id']!);
    }
    return { network, group, rules: made };
  }

  end(name: string, network: string, group: string): Promise<End> {
    return this.cloud.end(name, { name, network_id: network, security_groups: [group], project_id: this.#own.id });
  }

  /** Dumps both anew, and compares them. */
  async diff(...options: readonly string[]): Promise<Answer> {
    const [intent, realised] = [join(this.folder, 'intent'), join(this.folder, 'realised')];
    for (const folder of [intent, realised]) rmSync(folder, { recursive: true, force: true });
    await writeInto(intent, await this.#site.readIntent!());
    const { paths } = this.cloud.lab;
    const through = `env OVS_RUNDIR=${ovsEnvironment(this.cloud.lab)['OVS_RUNDIR']}`;
    const control = join(paths.run, 'ovs/vswitchd.ctl');
    const where = ['--to', realised, '--node', NODE, '--through', through, '--vswitchd', control];
    const dumped = await runCommand(['verify', 'dump-node', ...where]);
    if (dumped.code !== 0) throw new Error(dumped.err);
    const { out, err } = await runCommand([
      'verify',
      'diff',
      intent,
      realised,
      '--output',
      'json',
      '--time-limit',
      '240',
      ...options,
    ]);
    if (out === '') throw new Error(err);
    return JSON.parse(out) as Answer;
  }

  /** The line of a dump that a finding names: `br-int-lab.flows:12`. */
  line(named: string): string {
    const [, file = '', number] = /^(.*):(\d+)$/.exec(named) ?? [];
    const folder = file.endsWith('.json') ? 'intent' : 'realised';
    return readFileSync(join(this.folder, folder, file), 'utf8').split('\n')[Number(number) - 1]!;
  }

  /** Takes the flow of br-int that matches out of the switch, nobody being told. Gives what puts it back. */
  async removeFlow(pattern: RegExp): Promise<() => Promise<void>> {
    const env = Object.entries(ovsEnvironment(this.cloud.lab)).map(([name, value]) => `${name}=${value}`);
    const ofctl = (...args: readonly string[]) => run(['env', ...env, 'ovs-ofctl', '--names', ...args]);
    const flows = (await ofctl('dump-flows', 'br-int', '--no-stats')).split('\n').filter((line) => pattern.test(line));
    if (flows.length !== 1) throw new Error(`${flows.length} flows match ${pattern}`);
    const [match = '', actions] = flows[0]!.trim().split(' actions=');
    const text = match.replaceAll(', ', ',');
    await ofctl('--strict', 'del-flows', 'br-int', text.replace(/^cookie=\w+,/, ''));
    const putBack = async () => void (await ofctl('add-flow', 'br-int', `${text},actions=${actions}`));
    this.cloud.later(putBack);
    return putBack;
  }
}
