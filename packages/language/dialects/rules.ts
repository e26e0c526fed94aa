import type { DialectLanguage } from '../document.ts';

/**
 * Names in texts of a dialect. A place is told by the last fields on the way to it, lists left out: `vdu int-cpd id`; `*` is any
 * one field. `key` is the name of a field itself, `value` what it says.
 */
export interface NameRule {
  readonly kind: string;
  readonly at: string;
  readonly of: 'key' | 'value';
  readonly defines?: true;
  /** The names are those of one item of this list, and others may have them too. */
  readonly within?: string;
  /** Of a list of words, only the first is a name. */
  readonly first?: true;
}

type Rules = readonly NameRule[];

const defined = (kind: string, at: string, of: 'key' | 'value', within?: string): NameRule => ({
  kind,
  at,
  of,
  defines: true,
  ...(within === undefined ? {} : { within }),
});
const meant = (kind: string, within: string | undefined, ...places: readonly string[]): Rules =>
  places.map((at) => ({ kind, at, of: 'value' as const, ...(within === undefined ? {} : { within }) }));
const first = (kind: string, ...places: readonly string[]): Rules =>
  places.map((at) => ({ kind, at, of: 'value' as const, first: true as const }));

/** HOT: template guide, intrinsic functions. */
const heat: Rules = [
  defined('resource', '^ resources *', 'key'),
  ...meant('resource', undefined, 'get_resource', '^ resources * depends_on'),
  ...first('resource', 'get_attr'),
  defined('parameter', '^ parameters *', 'key'),
  ...first('parameter', 'get_param'),
  defined('condition', '^ conditions *', 'key'),
  ...meant('condition', undefined, '^ resources * condition'),
  ...first('condition', 'if'),
];

/** ETSI GS NFV-SOL 006 and what OSM made of it. */
const sol006: Rules = [
  defined('VNFD', 'vnfd id', 'value'),
  ...meant('VNFD', undefined, 'nsd vnfd-id', 'vnf-profile vnfd-id', 'vnf vnfd-id'),
  defined('virtual link', 'nsd virtual-link-desc id', 'value'),
  ...meant('virtual link', undefined, 'virtual-link-profile virtual-link-desc-id'),
  defined('virtual link profile', 'virtual-link-profile id', 'value'),
  ...meant('virtual link profile', undefined, 'virtual-link-connectivity virtual-link-profile-id'),
  defined('VNF profile', 'vnf-profile id', 'value'),
  ...meant(
    'VNF profile',
    undefined,
    'vnffgd vnf-profile-id',
    'vnf-profile vnf-profile-id',
    'constituent-base-element-id',
  ),
  defined('position element', 'nfp-position-element id', 'value'),
  ...meant('position element', undefined, 'nfp-position-element-id'),
  defined('internal virtual link', 'int-virtual-link-desc id', 'value', 'vnfd'),
  ...meant('internal virtual link', 'vnfd', 'int-cpd int-virtual-link-desc', 'ext-cpd int-virtual-link-desc'),
  defined('VDU', 'vdu id', 'value', 'vnfd'),
  ...meant('VDU', 'vnfd', 'int-cpd vdu-id', 'vdu-profile id', 'vdu-level vdu-id', 'aspect-delta-details vdu-id'),
  defined('connection point', 'vdu int-cpd id', 'value', 'vnfd'),
  ...meant('connection point', 'vnfd', 'ext-cpd int-cpd cpd'),
  defined('external connection point', 'ext-cpd id', 'value'),
  ...meant('external connection point', undefined, 'constituent-cpd-id constituent-cpd-id', 'vnf cpd-id', 'mgmt-cp'),
  defined('compute', 'virtual-compute-desc id', 'value', 'vnfd'),
  ...meant('compute', 'vnfd', 'vdu virtual-compute-desc'),
  defined('storage', 'virtual-storage-desc id', 'value', 'vnfd'),
  ...meant('storage', 'vnfd', 'vdu virtual-storage-desc'),
  defined('image', 'sw-image-desc id', 'value', 'vnfd'),
  ...meant('image', 'vnfd', 'vdu sw-image-desc', 'virtual-storage-desc sw-image-desc'),
  defined('security group rule', 'security-group-rule id', 'value', 'vnfd'),
  ...meant('security group rule', 'vnfd', 'security-group-rule-id'),
];

const osm8: Rules = [
  defined('VNFD', 'vnfd id', 'value'),
  ...meant('VNFD', undefined, 'vnfd-id-ref'),
  defined('member', 'constituent-vnfd member-vnf-index', 'value'),
  ...meant('member', undefined, 'member-vnf-index-ref'),
  defined('virtual link', 'vld id', 'value'),
  defined('IP profile', 'ip-profiles name', 'value'),
  ...meant('IP profile', undefined, 'ip-profile-ref'),
  defined('connection point', 'vnfd connection-point name', 'value'),
  ...meant(
    'connection point',
    undefined,
    'external-connection-point-ref',
    'vnfd-connection-point-ref',
    'mgmt-interface cp',
  ),
  defined('internal connection point', 'internal-connection-point id', 'value', 'vnfd'),
  ...meant('internal connection point', 'vnfd', 'internal-connection-point-ref', 'internal-connection-point id-ref'),
  defined('VDU', 'vdu id', 'value', 'vnfd'),
  ...meant('VDU', 'vnfd', 'vdu-id-ref'),
];

/** TOSCA Simple Profile in YAML 1.3, clauses 3.8 and 4. */
const tosca: Rules = [
  defined('node template', 'node_templates *', 'key'),
  ...meant(
    'node template',
    undefined,
    'requirements *',
    'requirements * node',
    'policies * targets',
    'groups * members',
  ),
  ...first('node template', 'get_attribute', 'get_property'),
  defined('input', 'inputs *', 'key'),
  ...first('input', 'get_input'),
  defined('node type', '^ node_types *', 'key'),
  ...meant('node type', undefined, 'node_templates * type', 'substitution_mappings node_type'),
];

const kubernetes: Rules = [
  defined('volume', 'volumes name', 'value', '^'),
  ...meant('volume', '^', 'volumeMounts name'),
  ...['ConfigMap', 'Secret', 'ServiceAccount', 'PersistentVolumeClaim', 'Deployment', 'StatefulSet', 'Service'].map(
    (kind) => defined(kind, `${kind} metadata name`, 'value'),
  ),
  ...meant('ConfigMap', undefined, 'configMapKeyRef name', 'configMapRef name', 'configMap name'),
  ...meant('Secret', undefined, 'secretKeyRef name', 'secretRef name', 'secret secretName', 'imagePullSecrets name'),
  ...meant('ServiceAccount', undefined, 'serviceAccountName'),
  ...meant('PersistentVolumeClaim', undefined, 'persistentVolumeClaim claimName'),
  ...meant('Service', undefined, 'backend service name', '^ spec serviceName'),
  ...['Deployment', 'StatefulSet'].flatMap((kind) => meant(kind, undefined, `scaleTargetRef-${kind} name`)),
  ...['app', 'app.kubernetes.io/name', 'app.kubernetes.io/component', 'component', 'tier', 'role'].flatMap((label) => [
    defined(`label ${label}`, `template metadata labels ${label}`, 'value'),
    ...meant(
      `label ${label}`,
      undefined,
      `^ spec selector ${label}`,
      `^ spec selector matchLabels ${label}`,
      `podSelector matchLabels ${label}`,
    ),
  ]),
];

/** Information elements of ETSI GS NFV-IFA 011 and 014, as RDCL 3D writes them. */
const rdcl: Rules = [
  defined('VNFD', 'vnfd * vnfdId', 'value'),
  ...meant('VNFD', undefined, 'nsd * vnfdId', 'vnfProfile vnfdId', 'vnffgd vnfdId'),
  defined('virtual link', 'nsd * virtualLinkDesc virtualLinkDescId', 'value'),
  ...meant(
    'virtual link',
    undefined,
    'virtualLinkProfile virtualLinkDescId',
    'sapd nsVirtualLinkDescId',
    'vnffgd virtualLinkDescId',
  ),
  defined('virtual link profile', 'virtualLinkProfile virtualLinkProfileId', 'value'),
  ...meant('virtual link profile', undefined, 'nsVirtualLinkConnectivity virtualLinkProfileId'),
  defined('internal virtual link', 'vnfd * intVirtualLinkDesc virtualLinkDescId', 'value', 'vnfd'),
  ...meant('internal virtual link', 'vnfd', 'intCpd intVirtualLinkDesc', 'vnfExtCpd intVirtualLinkDesc'),
];

/** ETSI GS MEC 010-2, clause 6.2.1. */
const appd: Rules = [
  defined('storage', 'virtualStorageDescriptor id', 'value'),
  ...meant('storage', undefined, 'virtualComputeDescriptor virtualDiskRef'),
];

export const rules: Readonly<Record<DialectLanguage, Rules>> = {
  heat,
  sol006,
  osm: sol006,
  osm8,
  tosca,
  kubernetes,
  rdcl,
  appd,
  cran: [],
};
