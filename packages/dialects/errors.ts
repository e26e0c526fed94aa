import { defineErrors } from '@superfluidity/core';

export const dialectErrors = defineErrors({
  'SF-DESCRIPTOR-TOO-LARGE': {
    status: 413,
    title: 'The descriptor is too large',
    hint: 'A descriptor has at most 1 MiB; keep images, media and programs in files beside it.',
  },
  'SF-DESCRIPTOR-TOO-DEEP': {
    status: 422,
    title: 'Values lie too deep inside each other',
    hint: 'No descriptor needs more than 64 levels; look for brackets or dashes that are repeated by mistake.',
  },
  'SF-DESCRIPTOR-ENCODING': {
    status: 422,
    title: 'The file is not UTF-8 text',
    hint: 'Save it as UTF-8 without control characters.',
  },
  'SF-DESCRIPTOR-SYNTAX': {
    status: 422,
    title: 'The text is not well-formed',
    hint: 'Look at the position given and just before it: indentation, a missing quote, a tab, a tag that is not closed.',
  },
  'SF-DESCRIPTOR-XML': {
    status: 422,
    title: 'The XML uses what no descriptor needs',
    hint: 'Remove document types, entities other than the five of XML, and processing instructions.',
  },
  'SF-DESCRIPTOR-DOCUMENTS': {
    status: 422,
    title: 'The file holds several YAML documents',
    hint: 'Keep one document per file: remove the `---` lines.',
  },
  'SF-DESCRIPTOR-DUPLICATE-KEY': {
    status: 422,
    title: 'A field is given twice',
    hint: 'Keep one of them.',
  },
  'SF-DESCRIPTOR-ALIASES': {
    status: 422,
    title: 'Aliases cannot be resolved, or stand for too much',
    hint: 'Write the values out instead of using `*alias`.',
  },
  'SF-DESCRIPTOR-UNKNOWN-FIELD': {
    status: 422,
    title: 'There is no such field here',
    hint: 'See the reference of native descriptors, or let an editor complete it with the published JSON Schema.',
  },
  'SF-DESCRIPTOR-INPUT': {
    status: 422,
    title: 'An input of the template is missing or not as the template wants it',
    hint: 'See `superfluidity service inputs FILE`: names, kinds, defaults and constraints.',
  },
  'SF-DESCRIPTOR-MISSING': {
    status: 422,
    title: 'A field is missing',
    hint: 'Add it; the reference of native descriptors says what it means.',
  },
  'SF-DESCRIPTOR-TYPE': {
    status: 422,
    title: 'A value is of the wrong type',
    hint: 'Text that looks like a number needs quotes; lists start with a dash or stand in brackets.',
  },
  'SF-DESCRIPTOR-VALUE': {
    status: 422,
    title: 'A value is not allowed here',
    hint: 'The message says what is.',
  },
  'SF-DESCRIPTOR-REFERENCE': {
    status: 422,
    title: 'A descriptor refers to something that is not in the package',
    hint: 'Check the identifiers, and that every file is in the folder.',
  },
  'SF-DESCRIPTOR-UNSUPPORTED': {
    status: 422,
    title: 'The descriptor says something that cannot be carried out here',
    hint: 'Remove it, or describe it in another way.',
  },
  'SF-DESCRIPTOR-SCALING': {
    status: 422,
    title: 'Scaling leaves the bounds of what it scales',
    hint: 'Raise the maximum number of instances of the profile, or lower the scale level or the delta.',
  },
  'SF-DESCRIPTOR-LOSS': {
    status: 422,
    title: 'A dialect cannot say all of this',
    hint: 'What is named is not in the files that were written; keep the original beside them, or choose another dialect.',
  },
  'SF-DESCRIPTOR-ASSUMED': {
    status: 422,
    title: 'The descriptor leaves something open that was filled in',
    hint: 'Look whether what was assumed is what you want, and say it in the descriptor where the dialect allows.',
  },
  'SF-DESCRIPTOR-NO-WRITER': {
    status: 422,
    title: 'Services cannot be written in this dialect',
    hint: 'The reference of dialects says which can be read and which can be written.',
  },
  'SF-DESCRIPTOR-UNRECOGNISED': {
    status: 422,
    title: 'None of the known formats of descriptors is recognised',
    hint: 'The reference of dialects says by what each is recognised; a native descriptor starts with `superfluidity: 1`.',
  },
});

/** Bounds of what readers take. */
export const dialectLimits = {
  /** Bytes of one file. */
  fileBytes: 1024 * 1024,
  /** Bytes of all files of a package together. */
  packageBytes: 8 * 1024 * 1024,
  files: 256,
  /** YAML documents of one file. */
  documents: 1_000,
  /** Values inside each other. */
  depth: 64,
  /** Lexical tokens of a YAML text. */
  lexemes: 300_000,
  /** Values that aliases stand for, counted after expansion. */
  aliasedValues: 20_000,
  /** Statements of a NEMO script, and members of one of its models. */
  nemoStatements: 20_000,
  /** Nodes, connection points and connections that the models of a NEMO script come to, counted after expansion. */
  nemoParts: 100_000,
  /** NEMO models inside each other. */
  nemoDepth: 32,
  /** Bytes of a Click configuration, which may have tens of thousands of lines. */
  clickBytes: 4 * 1024 * 1024,
  /** Elements of a Click configuration that are told one by one, compound ones taken apart. */
  clickElements: 100_000,
  /** TOSCA: files that import one another. */
  imports: 32,
  /** TOSCA: imports that are followed, however often a file is imported. */
  importVisits: 10_000,
  /** TOSCA: functions inside each other, or properties that refer to properties. */
  functions: 16,
  /** TOSCA: values looked at to resolve the functions of a template. */
  functionSteps: 500_000,
  /** Characters that a function of TOSCA or Heat, or a text with variables of Kubernetes, stands for. */
  functionText: 65_536,
  /** Kubernetes: objects of all files together. */
  objects: 10_000,
  /** Ports of one rule that names a range of them. */
  portRange: 256,
  /** Heat: values looked at to resolve the functions of a stack with its nested stacks. */
  heatSteps: 500_000,
  /** Heat: templates inside each other. */
  heatDepth: 8,
  /** Problems reported of one file. */
  problems: 50,
} as const;
