import { readFileSync } from 'node:fs';
import { readDescriptor } from '@superfluidity/dialects';
import { beforeAll, describe, expect, test } from 'vitest';
import { dialectLanguageOf, dialectSupports } from '../dialects.ts';
import {
  addLanguages,
  complete,
  definitions,
  diagnostics,
  edited,
  hover,
  type Language,
  type LanguageDocument,
  namesOf,
  references,
  rename,
} from '../index.ts';

beforeAll(() => addLanguages(dialectSupports));

const golden = (path: string) => readFileSync(new URL(`../../dialects/${path}`, import.meta.url), 'utf8');
const documentOf = (language: Language, text: string, path = 'service.yaml'): LanguageDocument => ({
  path,
  text,
  language,
});
const offered = (language: Language, marked: string) => {
  const offset = marked.indexOf('|');
  return complete(documentOf(language, marked.replace('|', '')), offset);
};
const labels = (language: Language, marked: string) => offered(language, marked).map(({ label }) => label);

const template = `heat_template_version: 2018-08-31
parameters:
  size: {type: string, default: m1.small}
resources:
  lan: {type: OS::Neutron::Net}
  lan_subnet:
    type: OS::Neutron::Subnet
    properties: {network: {get_resource: lan}, cidr: 10.1.0.0/24}
  port:
    type: OS::Neutron::Port
    properties: {network: {get_resource: lan}}
  web:
    type: OS::Nova::Server
    depends_on: lan_subnet
    properties:
      image: debian-12
      flavor: {get_param: size}
      networks: [{port: {get_resource: port}}]
outputs:
  address: {value: {get_attr: [web, first_address]}}
`;

describe('problems', () => {
  test('are those of the reader of the dialect, at their places', () => {
    const broken = template
      .replace('get_resource: port', 'get_resource: [')
      .replace('version: 2018-08-31', 'version: []');
    for (const text of [template, broken, golden('heat/golden/server.yaml')]) {
      const found = diagnostics(documentOf('heat', text));
      const { problems } = readDescriptor([{ path: 'service.yaml', bytes: Buffer.from(text) }]);
      expect(found.map(({ problem }) => problem)).toEqual(problems);
      for (const { from, to } of found) expect(to).toBeGreaterThan(from);
    }
    expect(diagnostics(documentOf('heat', broken)).map(({ problem }) => problem.severity)).toContain('error');
  });

  test('of what is beside it are not told, and neither is that it is missing', () => {
    const [nsd, ...vnfds] = ['edge_ns', 'router_vnf', 'app_knf'].map((name) => ({
      path: `${name}.yaml`,
      bytes: Buffer.from(golden(`osm/golden/${name}.yaml`)),
    }));
    const alone = documentOf('osm', nsd!.bytes.toString(), nsd!.path);
    const errors = (document: LanguageDocument) =>
      diagnostics(document).filter(({ problem }) => problem.severity === 'error');
    expect(errors(alone).length).toBeGreaterThan(0);
    expect(errors({ ...alone, beside: vnfds })).toEqual([]);
  });
});

describe('completion', () => {
  test('offers fields and values of the schema', () => {
    const [before] = template.split('outputs:');
    expect(labels('heat', `${before!}cond|`)).toContain('conditions');
    expect(labels('appd', 'appD:\n  appDId: a\n  appN|')).toContain('appName');
    expect(labels('sol006', 'etsi-nfv-descriptors:nfv:\n  vnfd:\n    - id: a\n      virtual-c|')).toContain(
      'virtual-compute-desc',
    );
    expect(labels('osm8', 'nsd:nsd-catalog:\n  nsd:\n    - id: a\n      constit|')).toContain('constituent-vnfd');
    expect(labels('tosca', 'tosca_definitions_version: tosca_simple_yaml_1_3\ntopol|')).toContain('topology_template');
  });

  test('in JSON with its quotes', () => {
    const [field] = offered('heat', '{"heat_template_version": "2018-08-31", "reso|"}');
    expect(field).toMatchObject({ label: 'resources', insert: 'resources' });
  });

  test('offers names of what the text defines', () => {
    const at = (was: string, is: string) => labels('heat', template.replace(was, is));
    expect(at('get_resource: port', 'get_resource: |')).toEqual(['lan', 'lan_subnet', 'port', 'web']);
    expect(at('get_param: size', 'get_param: s|')).toEqual(['size']);
    expect(at('get_attr: [web,', 'get_attr: [w|,')).toEqual(['web']);
    expect(at('depends_on: lan_subnet', 'depends_on: la|')).toEqual(['lan', 'lan_subnet']);
    const nsd = golden('osm/golden/edge_ns.yaml');
    expect(labels('osm', nsd.replace(/virtual-link-desc-id: \w+/, 'virtual-link-desc-id: |'))).toContain('data');
  });

  test('of manifests, fields of the kind that it is, and names of the other documents', () => {
    const shop = `apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  REST
  template:
    spec:
      containers:
        - name: web
          envFrom: [{configMapRef: {name: NAME}}]
`;
    const fields = labels('kubernetes', shop.replace('REST', 'rep|').replace('NAME', 'x'));
    expect(fields).toContain('replicas');
    expect(labels('kubernetes', shop.replace('  REST\n', '').replace('NAME', '|'))).toContain('settings');
  });
});

describe('hover', () => {
  test('tells fields of the schema, and names with their type', () => {
    const document = documentOf('heat', template);
    expect(hover(document, template.indexOf('get_resource: port') + 15)?.text).toBe(
      'resource `port`: OS::Neutron::Port',
    );
    expect(hover(document, template.indexOf('depends_on') + 2)?.text).toContain('field `depends_on`');
  });
});

describe('names', () => {
  test('lead to where they are defined, and are changed everywhere', () => {
    const document = documentOf('heat', template);
    const offset = template.indexOf('get_resource: lan') + 15;
    expect(definitions(document, offset).map(({ from }) => from)).toEqual([template.indexOf('lan: {type')]);
    expect(references(document, offset)).toHaveLength(3);
    const result = rename(document, offset, 'front');
    expect('edits' in result && edited(template, result.edits)).toBe(
      template.replace('  lan: {', '  front: {').replaceAll('get_resource: lan}', 'get_resource: front}'),
    );
  });

  test.each([
    ['osm', 'osm/golden/edge_ns.yaml'],
    ['osm', 'osm/golden/router_vnf.yaml'],
    ['osm8', 'osm8/golden/ns.yaml'],
    ['osm8', 'osm8/golden/fw.yaml'],
    ['tosca', 'tosca/golden/Definitions/delivery.yaml'],
    ['kubernetes', 'kubernetes/golden/shop.yaml'],
    ['rdcl', 'rdcl/golden/edge-cache.json'],
    ['heat', 'heat/golden/two-tiers/web.yaml'],
  ] as const)('of %s are found in %s', (language, path) => {
    const text = golden(path);
    const names = namesOf(documentOf(language, text, path));
    expect(names.some(({ isDefinition }) => isDefinition)).toBe(true);
    expect(dialectLanguageOf(path, text)).toBe(language);
    for (let at = 0; at < text.length; at += Math.ceil(text.length / 12)) {
      expect(() => hover(documentOf(language, text, path), at)).not.toThrow();
      expect(() => complete(documentOf(language, text, path), at)).not.toThrow();
    }
  });
});
