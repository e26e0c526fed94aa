import type { Language } from '@superfluidity/language';
import chain from './templates/chain.yaml?raw';
import click from './templates/click.yaml?raw';
import empty from './templates/empty.yaml?raw';
import intent from './templates/intent.nemo?raw';
import nested from './templates/nested.yaml?raw';

/** What a new design can begin with. */
export interface Template {
  readonly id: string;
  readonly title: string;
  readonly about: string;
  readonly language: Language;
  readonly text: string;
}

export const templates: readonly Template[] = [
  {
    id: 'chain',
    title: 'Clients, firewall, server',
    about: 'Three functions, a chain through them, and policies that are proven.',
    language: 'native',
    text: chain,
  },
  { id: 'empty', title: 'Empty', about: 'A network, and nothing on it.', language: 'native', text: empty },
  {
    id: 'nested',
    title: 'Pods in a machine',
    about: 'A virtual machine in which pods run, and the links between them.',
    language: 'native',
    text: nested,
  },
  {
    id: 'click',
    title: 'Click router',
    about: 'A program of Click elements that is drawn, and changed, as a graph.',
    language: 'native',
    text: click,
  },
  { id: 'intent', title: 'NEMO intent', about: 'Written as text; the graph follows.', language: 'nemo', text: intent },
];
