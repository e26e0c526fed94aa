import type { Network, Service } from '@superfluidity/model';
import type { Lose } from '../dialect.ts';
import type { DescriptorFile } from '../files.ts';
import { at, given, groupAt, isGroup, listOf, put, same, textOf, type Group } from '../groups.ts';
import { portableYaml } from '../yaml-portable.ts';
import { withSettings } from './balancer-words.ts';
import { hoisted } from './hoist.ts';
import { attachment, ROUTED_MAX } from './networks.ts';
import { templateOf } from './objects.ts';
import { ingressOf } from './traffic.ts';
import { isLabelValue, labels, notes, program as programs, apis } from './words.ts';
import { machineTemplate } from './write-machine.ts';
import { podTemplate } from './write-pod.ts';
import { carriedBefore, carriedOf, isMachine, referenceTo, writtenUnits, type WrittenUnit } from './written.ts';

/**
 * A service as the objects of one namespace, in the order in which they can be made. What was read from manifests is written as
 * it was, but for what has changed since.
 */
export function writeKubernetes(nested: Service, lose: Lose): readonly DescriptorFile[] {
  const service = hoisted(nested, lose);
  const before = carriedBefore(service);
  const namespace = namespaceOf(service);
  const units = writtenUnits(service, before, namespace, lose);
  const own = { service, before, lose, units, namespace };
  const programs = units.flatMap((unit) => programObject(unit, own));
  const objects = [
    ...headOf(own),
    ...networkObjects(own),
    ...carriedObjects(service, programs),
    ...programs,
    ...units.map((unit) => workload(unit, own)),
    ...units.flatMap((unit) => scaler(unit, own)),
    ...balancerObjects(own),
    ...policyObjects(own),
  ];
  const text = objects.map((object) => portableYaml(object)).join('---\n');
  return [{ path: `${service.block.name}.yaml`, bytes: new TextEncoder().encode(text) }];
}

interface Own {
  readonly service: Service;
  /** As it was read from the objects that it carries. */
  readonly before: Service | undefined;
  readonly lose: Lose;
  readonly units: readonly WrittenUnit[];
  readonly namespace: string | undefined;
}

function isForeign({ block }: Service): boolean {
  return block.carried?.['kubernetes'] !== undefined;
}

/** A service that was not read from manifests gets a namespace of its own. */
function namespaceOf(service: Service): string | undefined {
  return isForeign(service) ? textOf(carriedOf(service.block)['namespace']) : service.block.name;
}

function metadata(name: string, { service, namespace }: Own, more: Group = {}): Group {
  return {
    name,
    ...given({ namespace }),
    labels: { [labels.partOf]: service.block.name, [labels.managedBy]: 'superfluidity', ...groupAt(more, 'labels') },
    ...given({ annotations: more['annotations'] }),
  };
}

function headOf({ service, before, lose }: Own): readonly Group[] {
  const { block, version } = service;
  const carried = carriedOf(block)['head'];
  const fits = isLabelValue(version) && version !== '';
  if (isForeign(service) && !isGroup(carried)) {
    if (block.description !== undefined) lose('description', 'description of a service without a Namespace');
    if (version !== before?.version && !fits) lose('version', `version '${version}'`);
    return [];
  }
  let head: Group = isGroup(carried)
    ? carried
    : {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: block.name, labels: { [labels.partOf]: block.name, [labels.managedBy]: 'superfluidity' } },
      };
  if (version !== before?.version) {
    head = put(head, ['metadata', 'labels', labels.version], fits ? version : undefined);
    head = put(head, ['metadata', 'annotations', notes.version], fits ? undefined : version);
  }
  if (block.description !== before?.block.description)
    head = put(head, ['metadata', 'annotations', notes.description], block.description);
  return [head];
}

function networkObjects(own: Own): readonly Group[] {
  const { service, before, lose } = own;
  const written = service.networks.filter((network) => !isElsewhere(network));
  const prefixes = written.map(({ prefix }) => prefix);
  if (prefixes.length > ROUTED_MAX) lose('networks', `routes between ${prefixes.length} networks`);
  return written.map((network) => {
    const { object } = carriedOf(network);
    const was = before?.networks.find(({ name }) => name === network.name);
    if (isGroup(object) && was?.prefix === network.prefix && was.mtu === network.mtu) return object;
    const others = prefixes.length > ROUTED_MAX ? [] : prefixes.filter((prefix) => prefix !== network.prefix);
    const { name } = referenceTo(network);
    const { prefix, mtu } = network;
    const head = isGroup(object) ? groupAt(object, 'metadata') : metadata(name, own);
    return attachment({ name, prefix, ...given({ mtu }), others, metadata: head });
  });
}

/** The network of the cluster, and those that were only named: they are there, whatever their prefix is. */
function isElsewhere(network: Network): boolean {
  const carried = carriedOf(network);
  return carried['cluster'] === true || carried['elsewhere'] === true;
}

function carriedObjects({ block }: Service, made: readonly Group[]): readonly Group[] {
  const names = new Set(made.map((object) => at(object, 'metadata', 'name')));
  return listOf(carriedOf(block)['objects'])
    .filter(isGroup)
    .filter((object) => object['kind'] !== 'ConfigMap' || !names.has(at(object, 'metadata', 'name')));
}

function programObject({ unit, was, programName }: WrittenUnit, own: Own): readonly Group[] {
  const { program, environment } = unit.execution ?? {};
  if (program === undefined || program === was?.execution?.program || environment === 'click' || isMachine(unit))
    return [];
  return [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata(programName, own), data: { [programs.file]: program } },
  ];
}

const API: Readonly<Record<string, string>> = {
  Deployment: 'apps/v1',
  VirtualMachine: apis.virtualMachine,
  VirtualMachineInstanceReplicaSet: apis.virtualMachine,
};

/** One that cannot be scaled becomes one that can where its scale has changed. */
function kindOf({ base, unit, was }: WrittenUnit): string {
  const machine = isMachine(unit);
  const scalable = machine ? 'VirtualMachineInstanceReplicaSet' : 'Deployment';
  const kind = textOf(base?.['kind']);
  if (kind === undefined || kind.startsWith('VirtualMachine') !== machine)
    return machine && unit.scale === undefined ? 'VirtualMachine' : scalable;
  const single = ['Pod', 'DaemonSet', 'VirtualMachine', 'VirtualMachineInstance'].includes(kind);
  return single && !same(was?.scale, unit.scale) ? scalable : kind;
}

function workload(written: WrittenUnit, own: Own): Group {
  const { unit, was, base, kept, name, selector } = written;
  const kind = kindOf(written);
  const stays = kind === base?.['kind'];
  let object: Group = stays && base !== undefined ? base : { apiVersion: API[kind], kind };
  if (!kept || !stays) object = put(object, ['metadata'], metadata(name, own, { labels: written.templateLabels }));
  if (unit.description !== was?.description || !stays)
    object = put(object, ['metadata', 'annotations', notes.description], unit.description);
  // It is said once, by the first unit of the function.
  const { description } = written.fn.children[0] === unit ? written.fn : {};
  object = put(object, ['metadata', 'annotations', notes.function], description);
  const family = base !== undefined && String(base['kind']).startsWith('VirtualMachine') === isMachine(unit);
  const before = family ? templateOf(String(base['kind']), base) : {};
  const bare =
    before === base ? { metadata: { labels: groupAt(base, 'metadata', 'labels') }, spec: base['spec'] } : before;
  const template = isMachine(unit) ? machineTemplate(written, bare) : podTemplate(written, bare);
  if (kind === 'Pod' || kind === 'VirtualMachineInstance') {
    const annotations = at(template, 'metadata', 'annotations');
    const all = { ...groupAt(object, 'metadata', 'annotations'), ...(isGroup(annotations) ? annotations : {}) };
    const labelled = put(object, ['metadata', 'labels'], at(template, 'metadata', 'labels'));
    return {
      ...put(labelled, ['metadata', 'annotations'], Object.keys(all).length === 0 ? undefined : all),
      spec: template['spec'],
    };
  }
  if (kind === 'VirtualMachine' && !stays) object = put(object, ['spec', 'runStrategy'], 'Always');
  if (!same(unit.scale, was?.scale) || !stays) object = put(object, ['spec', 'replicas'], unit.scale?.initial);
  if (kind !== 'VirtualMachine' && (!kept || !stays))
    object = put(object, ['spec', 'selector'], { matchLabels: selector });
  return put(object, ['spec', 'template'], template);
}

function scaler(written: WrittenUnit, own: Own): readonly Group[] {
  const { unit, was, name, lose } = written;
  const { scaler: carried } = carriedOf(unit);
  const { scale } = unit;
  if (scale === undefined || (scale.min === scale.max && !(isGroup(carried) && same(scale, was?.scale)))) return [];
  if (scale.min < 1) lose('scale', `that there may be none of '${written.path}'`);
  const kind = kindOf(written);
  const base: Group = isGroup(carried)
    ? carried
    : { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', metadata: metadata(name, own) };
  if (isGroup(carried) && same(scale, was?.scale) && written.kept) return [carried];
  return [
    put(base, ['spec'], {
      ...groupAt(base, 'spec'),
      scaleTargetRef: { apiVersion: API[kind] ?? at(written.base, 'apiVersion'), kind, name },
      minReplicas: Math.max(1, scale.min),
      maxReplicas: Math.max(1, scale.max),
    }),
  ];
}

function balancerObjects(own: Own): readonly Group[] {
  const { service, units, before } = own;
  return service.balancers.flatMap((balancer, i) => {
    const carried = carriedOf(balancer);
    const written = units.find(({ path }) => path === balancer.unit);
    if (written === undefined) return [];
    const base = isGroup(carried['object']) ? carried['object'] : undefined;
    const was = base === undefined ? undefined : before?.balancers.find(({ name }) => name === carried['as']);
    const { address, port, targetPort } = balancer;
    const name = was?.name === balancer.name ? textOf(at(base, 'metadata', 'name')) : undefined;
    let object: Group = base ?? { apiVersion: 'v1', kind: 'Service' };
    if (name === undefined) object = put(object, ['metadata'], metadata(balancer.name, own));
    if (was?.unit !== balancer.unit || !written.kept) object = put(object, ['spec', 'selector'], written.selector);
    const [first, ...others] = listOf(at(object, 'spec', 'ports')).filter((one) =>
      [undefined, 'TCP'].includes(at(one, 'protocol') as string | undefined),
    );
    if (was?.port !== port || was.targetPort !== targetPort) {
      const rest = listOf(at(object, 'spec', 'ports')).filter((one) => one !== first);
      const spread = isGroup(first) ? first : { protocol: 'TCP', ...(others.length === 0 ? {} : { name: 'first' }) };
      object = put(object, ['spec', 'ports'], [{ ...spread, port, targetPort }, ...rest]);
    }
    // An address that was assumed is for the cluster to choose.
    if (address !== was?.address && address !== carried['address']) {
      object = put(object, ['spec', 'clusterIP'], undefined);
      object = put(put(object, ['spec', 'type'], 'LoadBalancer'), ['spec', 'loadBalancerIP'], address);
    }
    return [withSettings(object, balancer, was, `balancers[${i}]`, own.lose)];
  });
}

/** What ports let in: on the network of the cluster by NetworkPolicy, on others by MultiNetworkPolicy. */
function policyObjects(own: Own): readonly Group[] {
  const { service, before, units } = own;
  const carried = listOf(carriedOf(service.block)['policies']).filter(isGroup);
  const allowed = (of: Service | undefined) =>
    of?.block.children.flatMap((fn) =>
      fn.children.map((unit) => [fn.name, unit.name, unit.ports.map(({ name, allow }) => [name, allow ?? null])]),
    );
  if (carried.length > 0 && units.every(({ kept }) => kept) && same(allowed(before), allowed(service))) return carried;
  if (carried.length > 0) own.lose('', 'policies that were read, as they were: what they let in now is written anew');
  return units.flatMap((written) => {
    const { unit, selector, name } = written;
    const guarded = [...new Set(unit.ports.filter(({ allow }) => allow !== undefined).map(({ network }) => network))];
    return guarded.flatMap((label) => {
      const network = service.networks.find((one) => one.name === label);
      if (network === undefined) return [];
      const ports = unit.ports.filter((port) => port.network === label);
      const [first] = ports.filter(({ allow }) => allow !== undefined);
      const { allow = [] } = first!;
      if (ports.some((port) => !same(port.allow, allow)))
        written.lose('ports', `that ports of '${written.path}' on network '${network.name}' let in different things`);
      const ingress = allow.flatMap((rule) => {
        const said = ingressOf(rule);
        if (said === undefined)
          written.lose('ports', `that ICMP may come in at port '${first!.name}' of '${written.path}'`);
        return said === undefined ? [] : [said];
      });
      const isCluster = carriedOf(network)['cluster'] === true;
      const { name: attached, namespace = own.namespace } = referenceTo(network);
      const policyFor = namespace === undefined ? attached : `${namespace}/${attached}`;
      const head = metadata(
        `${name}-${network.name}`.slice(0, 253),
        own,
        isCluster ? {} : { annotations: { [notes.policyFor]: policyFor } },
      );
      return [
        {
          apiVersion: isCluster ? 'networking.k8s.io/v1' : apis.multiPolicy,
          kind: isCluster ? 'NetworkPolicy' : 'MultiNetworkPolicy',
          metadata: head,
          spec: { podSelector: { matchLabels: selector }, policyTypes: ['Ingress'], ingress },
        },
      ];
    });
  });
}
