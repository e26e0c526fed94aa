import type { Dialect } from '../dialect.ts';
import { readClick } from './read.ts';
import { clickFiles } from './recognise.ts';
import { writeClick } from './write.ts';

export const click: Dialect = {
  format: 'click',
  title: 'Click modular router',
  standard: 'click(5): the language of Click 2.1, with compound elements, forms and parameters',
  isPart: true,
  recognises: (files) => clickFiles(files).length > 0,
  read: readClick,
  writer: {
    expresses: [
      'service.networks',
      'execution.program',
      'port.internalIf',
      'unit.elements',
      'unit.links',
      'element.elements',
      'element.links',
    ],
    write: writeClick,
  },
};
