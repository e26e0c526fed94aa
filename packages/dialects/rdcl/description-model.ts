import type { Problem } from '@superfluidity/core';
import { z } from 'zod';
import type { DescriptorFile } from '../files.ts';
import { Report } from '../report.ts';
import { readShape } from '../shape.ts';
import { yamlOf } from '../yaml-text.ts';

/**
 * What a designer may draw in one type of project: RDCL 3D's description models. Layers show some types of nodes, say
 * which of them can be added and removed, which edges may be drawn between them, and what a double click opens. Callbacks
 * are names: whoever draws decides what they do.
 */
export interface DescriptionModel {
  readonly name: string;
  readonly description?: string;
  readonly version?: string;
  readonly designer?: string;
  readonly nodes: ReadonlyMap<string, NodeType>;
  readonly layers: ReadonlyMap<string, Layer>;
  readonly callbacks: ReadonlyMap<string, Callback>;
}

export interface NodeType {
  readonly label: string;
  readonly family?: string;
  /** One sentence for the palette. Not of RDCL 3D, whose editors pass over it, like the template. */
  readonly about?: string;
  /** Fields of the native descriptor with which a new one begins. */
  readonly template?: Readonly<Record<string, unknown>>;
}

export interface Layer {
  readonly nodes: ReadonlyMap<string, NodeRule>;
  readonly edges: readonly EdgeRule[];
  readonly actions: { readonly node: readonly Action[]; readonly link: readonly Action[] };
}

export interface NodeRule {
  readonly addable: Permission;
  readonly removable: Permission;
  /** Layer that a double click opens, showing what is inside the node. */
  readonly expands?: string;
  /** A double click opens the text of the descriptor. */
  readonly expandsText: boolean;
}

/** Not at all; or freely; or by a callback. */
export interface Permission {
  readonly allowed: boolean;
  readonly callback?: string;
}

export interface EdgeRule {
  readonly from: string;
  readonly to: string;
  readonly directed: boolean;
  readonly callback?: string;
  readonly removable: Permission;
}

export interface Action {
  readonly id: string;
  readonly title: string;
  readonly callback?: string;
}

export interface Callback {
  readonly file?: string;
  readonly class?: string;
}

const text = z.string().max(4_096);
const map = <T extends z.ZodType>(value: T) => z.record(z.string().max(256), value).nullish();
const permission = z.union([z.boolean(), z.looseObject({ callback: text.nullish() })]).nullish();
const actions = map(z.looseObject({ title: text.nullish(), callback: text.nullish() }).nullish());

const shape = z.looseObject({
  name: text,
  description: text.nullish(),
  version: z.union([text, z.number()]).nullish(),
  designer: text.nullish(),
  nodes: map(
    z
      .looseObject({
        label: text.nullish(),
        type: text.nullish(),
        about: text.nullish(),
        template: z.record(z.string().max(256), z.unknown()).nullish(),
      })
      .nullish(),
  ),
  layer: z.record(
    z.string().max(256),
    z.looseObject({
      nodes: map(
        z
          .looseObject({
            addable: permission,
            removable: permission,
            expands: text.nullish(),
            expands_text: z.boolean().nullish(),
          })
          .nullish(),
      ),
      allowed_edges: map(
        z
          .looseObject({
            destination: map(
              z
                .looseObject({ callback: text.nullish(), direct_edge: z.boolean().nullish(), removable: permission })
                .nullish(),
            ),
          })
          .nullish(),
      ),
      action: z.looseObject({ node: actions, link: actions }).nullish(),
    }),
  ),
  callback: map(z.looseObject({ file: text.nullish(), class: text.nullish() }).nullish()),
});

export interface ReadDescriptionModel {
  /** Present when no problem is an error. */
  readonly model?: DescriptionModel;
  readonly problems: readonly Problem[];
}

/** Reads a description model. Never throws; what is wrong has its position. */
export function readDescriptionModel(file: DescriptorFile): ReadDescriptionModel {
  const source = yamlOf(file);
  const result = readShape(source, shape, {});
  if (!('value' in result)) return { problems: result.problems };
  const { value } = result;
  const layers = new Map(entries(value.layer).map(([id, layer]) => [id, layerOf(layer)]));
  const model: DescriptionModel = {
    name: value.name,
    ...given('description', value.description),
    ...given('version', value.version === null || value.version === undefined ? undefined : String(value.version)),
    ...given('designer', value.designer),
    nodes: new Map(
      entries(value.nodes).map(([id, node]) => [
        id,
        {
          label: node?.label ?? id,
          ...given('family', node?.type),
          ...given('about', node?.about),
          ...given('template', node?.template),
        },
      ]),
    ),
    layers,
    callbacks: new Map(
      entries(value.callback).map(([id, one]) => [id, { ...given('file', one?.file), ...given('class', one?.class) }]),
    ),
  };
  const problems = dangling(model, (path) => source.locate(path));
  return problems.some(({ severity }) => severity === 'error') ? { problems } : { model, problems };
}

type LayerShape = z.infer<typeof shape>['layer'][string];

function layerOf({ nodes, allowed_edges: edges, action }: LayerShape): Layer {
  const actionsOf = (list: z.infer<typeof actions>): readonly Action[] =>
    entries(list).map(([id, one]) => ({ id, title: one?.title ?? id, ...given('callback', one?.callback) }));
  return {
    nodes: new Map(
      entries(nodes).map(([type, rule]) => [
        type,
        {
          addable: permissionOf(rule?.addable),
          removable: permissionOf(rule?.removable),
          ...given('expands', rule?.expands),
          expandsText: rule?.expands_text ?? false,
        },
      ]),
    ),
    edges: entries(edges).flatMap(([from, rule]) =>
      entries(rule?.destination).map(([to, edge]) => ({
        from,
        to,
        directed: edge?.direct_edge ?? false,
        ...given('callback', edge?.callback),
        removable: permissionOf(edge?.removable),
      })),
    ),
    actions: { node: actionsOf(action?.node), link: actionsOf(action?.link) },
  };
}

function permissionOf(value: z.infer<typeof permission>): Permission {
  if (typeof value === 'boolean') return { allowed: value };
  if (value === null || value === undefined) return { allowed: false };
  return { allowed: true, ...given('callback', value.callback) };
}

/** Layers that a node would open and types that a layer would show have to exist: nothing could be drawn else. */
function dangling(
  { nodes, layers, callbacks }: DescriptionModel,
  locate: (path: readonly string[]) => Problem['position'],
): readonly Problem[] {
  const found = new Report();
  const report = (severity: Problem['severity'], path: readonly string[], message: string) => {
    if (severity === 'error') found.error('SF-DESCRIPTOR-REFERENCE', locate(path), message);
    else found.warn('SF-DESCRIPTOR-REFERENCE', locate(path), message);
  };
  for (const [id, layer] of layers) {
    for (const [type, { expands, addable }] of layer.nodes) {
      const path = ['layer', id, 'nodes', type];
      if (expands !== undefined && !layers.has(expands))
        report('error', [...path, 'expands'], `there is no layer '${expands}'`);
      if (!nodes.has(type)) report('warning', path, `'${type}' is not among the types of nodes`);
      if (addable.callback !== undefined && !callbacks.has(addable.callback))
        report('warning', [...path, 'addable', 'callback'], `there is no callback '${addable.callback}'`);
    }
    for (const { from, to } of layer.edges)
      if (!layer.nodes.has(to))
        report('warning', ['layer', id, 'allowed_edges', from, 'destination', to], `layer '${id}' shows no '${to}'`);
  }
  return found.problems;
}

function entries<T>(map: Readonly<Record<string, T>> | null | undefined): readonly [string, T][] {
  return Object.entries(map ?? {});
}

function given<K extends string, T>(key: K, value: T | null | undefined): { readonly [P in K]?: T } {
  return value === undefined || value === null ? {} : ({ [key]: value } as { readonly [P in K]?: T });
}
