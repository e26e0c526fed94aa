import { z } from 'zod';

/**
 * A service template as editors are told of it: TOSCA Simple Profile in YAML 1.3, chapter 3, with what version 1.0 still
 * wrote. It says where which names belong; what stands for what is only known when types and imports are read.
 */
const name = z.string().min(1).max(1_024);
const text = z.string().max(65_536);
const anything = z.unknown();
const named = <T extends z.ZodType>(of: T) => z.record(name, of);
/** A value, or a function that stands for one: `{get_input: size}`. */
const values = named(anything).nullable();
const description = text.nullable().exactOptional();
const scalar = z.union([z.string(), z.number(), z.boolean()]);

const parameter = z.looseObject({
  type: name.exactOptional(),
  description,
  required: z.boolean().exactOptional(),
  default: anything.optional(),
  value: anything.optional(),
  constraints: z.array(anything).exactOptional(),
  entry_schema: anything.optional(),
});

const requirement = z.union([
  name.describe('Node that fulfils it'),
  z.array(name).max(2).describe('Node, and its capability or requirement (substitution mappings)'),
  z.looseObject({
    node: name.exactOptional(),
    capability: name.exactOptional(),
    relationship: z.union([name, named(anything)]).exactOptional(),
    node_filter: named(anything).exactOptional(),
  }),
]);
const requirements = z.union([z.array(named(requirement)), named(requirement)]).nullable();

const artifact = z.union([text, z.looseObject({ type: name.exactOptional(), file: text, description })]);

const nodeTemplate = z.looseObject({
  type: name.describe('Node type, of this file or of an import'),
  description,
  properties: values.exactOptional(),
  attributes: values.exactOptional(),
  requirements: requirements.exactOptional(),
  capabilities: named(z.looseObject({ properties: values.exactOptional() }).nullable())
    .nullable()
    .exactOptional(),
  interfaces: named(anything).nullable().exactOptional(),
  artifacts: z
    .union([named(artifact), z.array(named(artifact))])
    .nullable()
    .exactOptional(),
  copy: name.exactOptional(),
  directives: z.array(name).exactOptional(),
});

const policy = z.looseObject({
  type: name,
  description,
  targets: z.array(name).describe('Nodes or groups').exactOptional(),
  properties: values.exactOptional(),
  triggers: anything.optional(),
});
const group = z.looseObject({
  type: name,
  description,
  members: z.array(name).exactOptional(),
  properties: values.exactOptional(),
});
const several = <T extends z.ZodType>(of: T) => z.union([z.array(named(of)), named(of)]).nullable();

const topologyTemplate = z.looseObject({
  description,
  inputs: named(parameter.nullable()).nullable().exactOptional(),
  outputs: named(anything).nullable().exactOptional(),
  node_templates: named(nodeTemplate).nullable().exactOptional(),
  relationship_templates: named(anything).nullable().exactOptional(),
  groups: several(group).exactOptional(),
  policies: several(policy).exactOptional(),
  substitution_mappings: z
    .looseObject({
      node_type: name.describe('Type of the node that this template is'),
      properties: values.exactOptional(),
      requirements: requirements.exactOptional(),
      capabilities: named(anything).nullable().exactOptional(),
      interfaces: anything.optional(),
    })
    .exactOptional(),
  workflows: anything.optional(),
});

const imported = z.union([
  text.describe('Path or URL'),
  z.looseObject({ file: text, repository: name.exactOptional(), namespace_prefix: name.exactOptional() }),
  named(z.union([text, z.looseObject({ file: text })])),
]);
const types = named(z.looseObject({ derived_from: name.exactOptional(), description }).nullable()).nullable();

export const serviceTemplateShape = z.looseObject({
  tosca_definitions_version: name.describe('tosca_simple_yaml_1_3, tosca_simple_yaml_1_2, ...'),
  description,
  metadata: named(scalar.nullable()).nullable().exactOptional(),
  namespace: text.exactOptional(),
  imports: z
    .union([z.array(imported), named(imported)])
    .nullable()
    .exactOptional(),
  dsl_definitions: anything.optional(),
  repositories: anything.optional(),
  artifact_types: types.exactOptional(),
  data_types: types.exactOptional(),
  capability_types: types.exactOptional(),
  interface_types: types.exactOptional(),
  relationship_types: types.exactOptional(),
  node_types: types.exactOptional(),
  group_types: types.exactOptional(),
  policy_types: types.exactOptional(),
  topology_template: topologyTemplate.exactOptional(),
});
