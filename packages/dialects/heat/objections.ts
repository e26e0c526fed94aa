import { at, groupAt, isGroup, listOf, textOf, type Group } from '../groups.ts';
import { resolvePath } from './stack.ts';

/**
 * What Heat would say against templates that are written here: properties that are missing or not known, references and
 * parameters that are not there, nested templates that are given what they do not take. Properties by Heat 27.
 */
export function objections(files: ReadonlyMap<string, Group>): readonly string[] {
  return [...files].flatMap(([path, template]) => {
    const found: string[] = [];
    const say = (what: string) => found.push(`${path}: ${what}`);
    const resources = groupAt(template, 'resources');
    for (const [name, resource] of Object.entries(resources)) checkResource(name, resource as Group, path, files, say);
    for (const [name, { type }] of Object.entries(groupAt(template, 'parameters')) as [string, Group][])
      if (type !== 'string') say(`parameter ${name} of type ${String(type)}`);
    references(template, template, say);
    return found;
  });
}

type Say = (what: string) => void;

/** `!` marks what is required. */
const PROPERTIES: Readonly<Record<string, string>> = {
  'OS::Nova::Server': 'name image flavor! networks user_data user_data_format key_name availability_zone',
  'OS::Nova::Flavor': 'vcpus! ram! disk',
  'OS::Zun::Container': 'image! command environment cpu memory networks',
  'OS::Neutron::Router': '',
  'OS::Neutron::RouterInterface': 'router! subnet',
  'OS::Neutron::Net': 'name value_specs',
  'OS::Neutron::Subnet': 'name network! ip_version cidr',
  'OS::Neutron::Port':
    'name network! fixed_ips mac_address security_groups port_security_enabled allowed_address_pairs qos_policy',
  'OS::Neutron::SecurityGroup': 'rules',
  'OS::Neutron::QoSPolicy': '',
  'OS::Neutron::QoSBandwidthLimitRule': 'policy! max_kbps! direction',
  'OS::Neutron::QoSMinimumBandwidthRule': 'policy! min_kbps! direction',
  'OS::Neutron::QoSDscpMarkingRule': 'policy! dscp_mark!',
  'OS::Neutron::PortPair': 'ingress! egress!',
  'OS::Neutron::PortPairGroup': 'port_pairs!',
  'OS::Neutron::FlowClassifier':
    'ethertype protocol destination_port_range_min destination_port_range_max destination_ip_prefix logical_source_port logical_destination_port',
  'OS::Neutron::PortChain': 'name port_pair_groups! flow_classifiers',
  'OS::Neutron::ExtraRouteSet': 'router! routes',
  'OS::Octavia::LoadBalancer': 'name vip_subnet! vip_address',
  'OS::Octavia::Listener': 'loadbalancer! protocol! protocol_port! connection_limit allowed_cidrs',
  'OS::Octavia::Pool': 'listener protocol! lb_algorithm! session_persistence',
  'OS::Octavia::PoolMember': 'pool! address! protocol_port! monitor_port weight',
  'OS::Octavia::HealthMonitor': 'pool! type! delay! timeout! max_retries! url_path http_method expected_codes',
  'OS::Heat::ResourceGroup': 'count resource_def!',
  'OS::Heat::AutoScalingGroup': 'min_size! max_size! desired_capacity resource!',
  'OS::Heat::ScalingPolicy': 'adjustment_type! auto_scaling_group_id! scaling_adjustment!',
};

function checkResource(name: string, resource: Group, path: string, files: ReadonlyMap<string, Group>, say: Say): void {
  const type = textOf(resource['type']) ?? '';
  const properties = groupAt(resource, 'properties');
  if (type.endsWith('.yaml')) return nested(name, type, properties, path, files, say);
  const known = PROPERTIES[type]?.split(' ').filter((one) => one !== '');
  if (known === undefined) return say(`${name} of type ${type}`);
  for (const property of known) {
    if (property.endsWith('!') && properties[property.slice(0, -1)] === undefined)
      say(`${name} without ${property.slice(0, -1)}`);
  }
  const all = new Set(known.map((property) => property.replace('!', '')));
  for (const property of Object.keys(properties)) if (!all.has(property)) say(`${name} has ${property}`);
  const definition = properties['resource_def'] ?? properties['resource'];
  if (isGroup(definition))
    nested(name, textOf(definition['type']) ?? '', groupAt(definition, 'properties'), path, files, say);
}

function nested(
  name: string,
  type: string,
  given: Group,
  path: string,
  files: ReadonlyMap<string, Group>,
  say: Say,
): void {
  const template = files.get(resolvePath(path, type));
  if (template === undefined) return say(`${name} of template ${type}, which is not there`);
  const parameters = groupAt(template, 'parameters');
  for (const parameter of Object.keys(given))
    if (parameters[parameter] === undefined) say(`${name} is given ${parameter}`);
  for (const [parameter, declared] of Object.entries(parameters)) {
    if (given[parameter] === undefined && at(declared, 'default') === undefined)
      say(`${name} is not given ${parameter}`);
  }
}

function references(value: unknown, template: Group, say: Say): void {
  if (Array.isArray(value)) return value.forEach((item) => references(item, template, say));
  if (!isGroup(value)) return;
  const has = (section: string, name: unknown) => groupAt(template, section)[String(name)] !== undefined;
  const { get_resource: resource, get_param: parameter, get_attr: attribute, depends_on: after } = value;
  if (resource !== undefined && !has('resources', resource)) say(`no resource ${String(resource)}`);
  if (parameter !== undefined && !has('parameters', parameter)) say(`no parameter ${String(parameter)}`);
  if (attribute !== undefined && !has('resources', listOf(attribute)[0]))
    say(`no resource ${String(listOf(attribute)[0])}`);
  for (const name of listOf(after)) if (!has('resources', name)) say(`after ${String(name)}, which is not there`);
  for (const inner of Object.values(value)) references(inner, template, say);
}
