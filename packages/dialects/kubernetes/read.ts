import { parseIpv4 } from '@superfluidity/model';
import { ASSUMED, assumedAddress, assumedPrefix } from '../assumed.ts';
import type { ReadResult } from '../dialect.ts';
import type { DescriptorFile } from '../files.ts';
import { at, given, groupAt, same, textOf, type Group } from '../groups.ts';
import { Names, renamed } from '../names.ts';
import type { NativeService } from '../native/schema.ts';
import { Origins } from '../origins.ts';
import { Report } from '../report.ts';
import { toService } from '../to-service.ts';
import { shorten } from '../yaml-text.ts';
import { settingsOf } from './balancer-words.ts';
import { saidByAttachment } from './networks.ts';
import { describe, findObjects, selects, type Found } from './objects.ts';
import type { Shaped } from './shape.ts';
import { allowedAt } from './traffic.ts';
import { labels, notes } from './words.ts';
import { isWorkload, readWorkloads, type Around, type ReadUnit } from './workloads.ts';

type NativeNetwork = NonNullable<NativeService['networks']>[number];
type NativeBalancer = NonNullable<NativeService['balancers']>[number];

/** Read for what others say of them, or plain data: nobody has to be told that they are kept. */
const QUIET = ['Namespace', 'ConfigMap', 'Secret', 'ServiceAccount', 'PersistentVolumeClaim'];
const POLICIES = ['NetworkPolicy', 'MultiNetworkPolicy'];

/**
 * Reads manifests of Kubernetes and OpenShift, as people write them and as Helm and Kustomize render them. Workloads become
 * units, attachments networks, Services balancers, policies what ports let in. Objects that the model has no words for are
 * carried, and said so. What Secrets hold is never read. Never throws.
 */
export function readKubernetes(files: readonly DescriptorFile[]): ReadResult {
  const { objects, problems } = findObjects(files);
  if (problems.length > 0) return { problems };
  return new Reader(files, objects).read();
}

class Reader {
  readonly #files: readonly DescriptorFile[];
  readonly #objects: readonly Found[];
  readonly #report = new Report();
  readonly #origins = new Origins();
  readonly #networks: NativeNetwork[] = [];
  readonly #networkNames = new Names();
  /** By namespace and name; the network of the cluster has neither. */
  readonly #networkOf = new Map<string, string>();

  constructor(files: readonly DescriptorFile[], objects: readonly Found[]) {
    this.#files = files;
    this.#objects = objects;
  }

  read(): ReadResult {
    const report = this.#report;
    for (const found of this.#of('NetworkAttachmentDefinition')) this.#attachment(found);
    const functions = readWorkloads(this.#objects.filter(isWorkload), this.#around());
    const units = functions.flatMap((fn) => fn.units);
    if (units.length === 0) {
      const position = this.#objects[0]?.text.locate([]);
      report.error(
        'SF-DESCRIPTOR-MISSING',
        position,
        'there is nothing in it that goes on running: no pod, no workload',
      );
      return { problems: report.problems };
    }
    const policies = this.#of(...POLICIES);
    for (const unit of units) this.#allow(unit, policies);
    const { balancers, read } = this.#balancers(units);
    const used = new Set<Found>([...units.flatMap(({ objects }) => objects), ...policies, ...read]);
    const rest = this.#objects.filter((one) => !used.has(one) && one.kind !== 'NetworkAttachmentDefinition');
    for (const one of rest) {
      if (QUIET.includes(one.kind) || one.kind === 'Service') continue;
      report.warn(
        'SF-DESCRIPTOR-UNSUPPORTED',
        one.text.locate([]),
        `${shown(one)} is carried, and nothing here carries it out`,
      );
    }
    functions.forEach(({ found, units: inside }, i) => {
      this.#origins.note(`functions[${i}]`, found.text.locate([]));
      inside.forEach((unit, j) => this.#noteUnit(unit, `functions[${i}].units[${j}]`));
    });
    const head = this.#head(rest);
    this.#origins.note('', (head ?? this.#objects[0]!).text.locate([]));
    const [name, id] = this.#name(head, units);
    const service: NativeService = {
      name,
      version: this.#version(head, units),
      ...given({ description: textOf(noteOf(head)[notes.description])?.slice(0, 4096) }),
      networks: this.#networks,
      functions: functions.map(({ name: fn, description, units: inside }) => ({
        name: fn,
        ...given({ description }),
        units: inside.map(({ unit }) => unit),
      })),
      balancers,
      carried: {
        kubernetes: given({
          ...renamed(id, name),
          namespace: units[0]!.objects[0]!.namespace,
          head: head?.value,
          policies: policies.length === 0 ? undefined : policies.map(({ value }) => value),
          objects: rest.filter((one) => one !== head).map(({ value }) => value),
        }),
      },
    };
    return toService(service, this.#origins, report.problems);
  }

  #of(...kinds: readonly string[]): readonly Found[] {
    return this.#objects.filter(({ kind }) => kinds.includes(kind));
  }

  #around(): Around {
    const named = new Map(this.#objects.map((one) => [`${one.kind} ${one.namespace ?? ''} ${one.name}`, one]));
    return {
      report: this.#report,
      find: (kind, namespace, name) => named.get(`${kind} ${namespace ?? ''} ${name}`),
      scalers: this.#of('HorizontalPodAutoscaler'),
      network: (network, namespace, found) => this.#network(network, namespace, found),
    };
  }

  #attachment(found: Found): void {
    const label = this.#networkNames.fresh(found.name);
    this.#networkOf.set(`${found.namespace ?? ''} ${found.name}`, label);
    const { prefix, mtu } = saidByAttachment(found.value);
    const message = `network '${shorten(found.name)}' does not say its prefix`;
    this.#push(label, found, mtu, { object: found.value }, prefix ?? message);
  }

  /** A network that a pod names, or that of the cluster. */
  #network(
    network: { readonly name: string; readonly namespace?: string } | undefined,
    namespace: string,
    found: Found,
  ): string {
    const key = network === undefined ? '' : `${network.namespace ?? namespace} ${network.name}`;
    const known = this.#networkOf.get(key);
    if (known !== undefined) return known;
    const label = this.#networkNames.fresh(network?.name ?? 'cluster');
    this.#networkOf.set(key, label);
    const what =
      network === undefined
        ? 'the network of the cluster'
        : `network '${shorten(network.name)}', which is not in these files,`;
    // What is there already is not written.
    const carried = network === undefined ? { cluster: true } : { elsewhere: true, ...network };
    this.#push(label, found, undefined, carried, `the prefix of ${what} is not known`);
    return label;
  }

  #push(name: string, found: Found, mtu: number | undefined, carried: Group, prefixOrDoubt: string): void {
    const position = found.text.locate([]);
    const known = prefixOrDoubt.includes('/') && !prefixOrDoubt.includes(' ');
    const prefix = known ? prefixOrDoubt : assumedPrefix(this.#networks.length);
    if (!known) this.#report.warn('SF-DESCRIPTOR-ASSUMED', position, `${prefixOrDoubt}: ${prefix} is assumed`);
    this.#origins.note(`networks[${this.#networks.length}]`, position);
    const fields = { ...carried, ...(known ? {} : ASSUMED) };
    this.#networks.push({ name, prefix, ...given({ mtu }), carried: { kubernetes: fields } });
  }

  #allow(read: ReadUnit, policies: readonly Found[]): void {
    read.unit.ports?.forEach((port, i) => {
      if (typeof port === 'string') return;
      const { network } = read.attachments[i] ?? {};
      const guarded = {
        namespace: read.objects[0]!.namespace,
        labels: read.labels,
        portNumbers: read.portNumbers,
        ...given({ network }),
      };
      const rules = allowedAt(guarded, policies, (policy, what) => {
        const message = `${shown(policy)} lets in ${what}: that has no words here, and is carried`;
        this.#report.warn('SF-DESCRIPTOR-UNSUPPORTED', policy.text.locate(['spec']), message);
      });
      if (rules === undefined) return;
      port.allow = rules.map(({ ports, ...rule }) => ({
        ...rule,
        ...(ports === undefined ? {} : { ports: [...ports] }),
      }));
    });
  }

  #balancers(units: readonly ReadUnit[]): { readonly balancers: NativeBalancer[]; readonly read: readonly Found[] } {
    const names = new Names();
    const balancers: NativeBalancer[] = [];
    const read: Found[] = [];
    for (const found of this.#of('Service')) {
      const balancer = this.#balancer(found, units, balancers.length);
      if (balancer === undefined) continue;
      this.#origins.note(`balancers[${balancers.length}]`, found.text.locate([]));
      const name = names.fresh(found.name);
      balancers.push({ name, ...balancer, carried: { kubernetes: { ...balancer.carried, as: name } } });
      read.push(found);
    }
    return { balancers, read };
  }

  /** A Service that spreads connections over the instances of one unit. Headless ones only give names. */
  #balancer(found: Found, units: readonly ReadUnit[], index: number) {
    const { spec } = found.value as unknown as Shaped<'Service'>;
    const kept = (why: string) =>
      this.#report.warn('SF-DESCRIPTOR-UNSUPPORTED', found.text.locate(['spec']), `${shown(found)} is carried: ${why}`);
    if (spec.type === 'ExternalName') return kept('it is a name of something outside');
    if (spec.clusterIP === 'None') return undefined;
    const behind = units.filter(
      (unit) => unit.objects[0]!.namespace === found.namespace && selects(spec.selector, unit.labels),
    );
    const [unit, other] = behind;
    if (unit === undefined) return kept('it selects no workload of these files');
    if (other !== undefined) return kept(`behind it is more than one unit: '${unit.path}' and '${other.path}'`);
    const [first, ...more] = (spec.ports ?? []).filter(({ protocol = 'TCP' }) => protocol === 'TCP');
    if (first === undefined) return kept('a balancer is of TCP');
    const left = (spec.ports ?? []).length - 1;
    if (left > 0 || more.length > 0)
      kept(`a balancer has one port, and this one has ${left + 1}; the first of TCP is taken`);
    const said = [spec.loadBalancerIP, spec.clusterIP].find(
      (address) => address !== undefined && parseIpv4(address) !== undefined,
    );
    const address = said ?? assumedAddress(index);
    if (said === undefined) {
      const message = `${shown(found)} does not say its address: ${address} is assumed`;
      this.#report.warn('SF-DESCRIPTOR-ASSUMED', found.text.locate(['spec']), message);
    }
    const { port, targetPort: target = port } = first;
    const targetPort = typeof target === 'number' ? target : unit.portNumbers.get(target);
    return {
      unit: unit.path,
      address,
      port,
      targetPort: targetPort === undefined || targetPort === 0 ? port : targetPort,
      ...settingsOf(spec),
      carried: { object: found.value, unit: unit.path, ...(said === undefined ? { address } : {}) } as Group,
    };
  }

  #head(rest: readonly Found[]): Found | undefined {
    const [head, ...others] = rest.filter(({ kind }) => kind === 'Namespace');
    return others.length === 0 ? head : undefined;
  }

  #name(head: Found | undefined, units: readonly ReadUnit[]): readonly [string, string] {
    const [first] = units;
    const file = (this.#files[0]?.path ?? '').replace(/^.*\//, '').replace(/\.[^.]*$/, '');
    const said = textOf(first?.labels[labels.partOf]) ?? head?.name ?? first?.objects[0]!.namespace ?? file;
    return [new Names().label(said), said];
  }

  #version(head: Found | undefined, units: readonly ReadUnit[]): string {
    const said =
      textOf(noteOf(head)[notes.version]) ?? textOf(groupAt(head?.value, 'metadata', 'labels')[labels.version]);
    if (said !== undefined) return said;
    const [first, ...others] = units.map((unit) => textOf(unit.labels[labels.version]));
    return first !== undefined && others.every((other) => same(other, first)) ? first : '1.0';
  }

  #noteUnit(read: ReadUnit, path: string): void {
    const { text } = read.objects[0]!;
    this.#origins.note(path, text.locate([]));
    this.#origins.note(`${path}.image`, () => text.locate([...read.container, 'image']));
    this.#origins.note(`${path}.requirements`, () => text.locate([...read.container, 'resources']));
    this.#origins.note(`${path}.env`, () => text.locate([...read.container, 'env']));
    this.#origins.note(`${path}.scale`, () => (read.objects[1]?.text ?? text).locate(['spec']));
    read.attachments.forEach((_, k) =>
      this.#origins.note(`${path}.ports[${k}]`, () =>
        text.locate([...read.template, 'metadata', 'annotations', notes.networks]),
      ),
    );
  }
}

const noteOf = (found: Found | undefined): Group => groupAt(at(found?.value, 'metadata'), 'annotations');

const shown = (found: Found): string => shorten(describe(found));
