/** The languages that people write by hand, for editors: they load these, and none of the other dialects. */
export { clickProgram, withElements as withClickElements } from './click/program.ts';
export { readClick } from './click/read.ts';
export type { Format, ReadResult } from './dialect.ts';
export { dialectLimits } from './errors.ts';
export type { DescriptorFile } from './files.ts';
export { type NativeDraft, readNative, readNativeDraft } from './native/read.ts';
export { nativeJsonSchema } from './native/schema.ts';
export {
  builtIns as nemoTypes,
  connectionTypes as nemoConnectionTypes,
  unitProperties as nemoUnitProperties,
} from './nemo/models.ts';
export { NemoNames, type NemoNameKind, type NemoOccurrence, type NemoSymbol } from './nemo/names.ts';
export { parseNemo } from './nemo/parse.ts';
export { isNemo, readNemo } from './nemo/read.ts';
export {
  type ConnectionItem as NemoConnection,
  formatProperties as formatNemoProperties,
  type Item as NemoItem,
  type NodeItem as NemoNode,
  type NodeModelItem as NemoModel,
  type Statement as NemoStatement,
  type Value as NemoValue,
} from './nemo/syntax.ts';
export { nameIn } from './names.ts';
export { writeNative } from './native/write.ts';
export { formatPath, parsePath, readYamlText, type Path } from './yaml-text.ts';
export { type Action, type DescriptionModel, readDescriptionModel } from './rdcl/description-model.ts';
export { TextPositions } from './text-positions.ts';
export { yamlNodes, yamlTrees } from './yaml-nodes.ts';
