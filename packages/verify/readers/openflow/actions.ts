import { etherTypes } from '../../ir/fields.ts';
import { ipv4, ipv6 } from '../netfilter/addresses.ts';
import { bitsOf, subfield, writtenSubfield } from './fields.ts';
import type { Action, Subfield, Track, Translation } from './flow.ts';
import { headOf, splitList } from './split.ts';
import { maskedValue, number } from './values.ts';

/** Nothing that a packet on its way would notice. */
const unnoticed: Readonly<Record<string, string>> = {
  note: 'a note',
  set_queue: 'queues do not decide where packets go',
  pop_queue: 'queues do not decide where packets go',
  fin_timeout: 'about the time that a flow stays',
  sample: 'a sample for a collector',
  meter: 'meters drop by rate',
  reg_load: 'nothing',
};

/** Of a list of actions, with the type of the frames that its flow matches. What is not understood is a doubt. */
export function readActions(text: string, etherType?: number, depth = 0): readonly Action[] {
  const words = depth > 20 ? undefined : splitList(text);
  if (words === undefined) return [{ kind: 'doubt', what: `actions ${text.slice(0, 80)}` }];
  return words
    .filter((word) => word !== '' && word !== 'drop')
    .map((word) => readAction(word, etherType, depth) ?? { kind: 'doubt', what: `the action ${word.slice(0, 80)}` });
}

function readAction(word: string, etherType: number | undefined, depth: number): Action | undefined {
  const { name, rest } = headOf(word);
  const text = rest ?? '';
  const nested = () => readActions(text, etherType, depth + 1);
  const set = (field: string, value = text): Action | undefined => setField(field, value, etherType);
  if (Object.hasOwn(unnoticed, name)) return { kind: 'nothing', what: unnoticed[name]! };
  switch (name.toLowerCase()) {
    case 'output':
      return output(text, etherType);
    case 'enqueue':
      return { kind: 'output', port: text.split(/[:,]/)[0]! };
    case 'normal':
    case 'flood':
    case 'all':
    case 'local':
    case 'in_port':
      return { kind: 'output', port: name.toUpperCase() };
    case 'controller':
      return { kind: 'output', port: 'CONTROLLER' };
    case 'set_field':
      return assigned(text, etherType);
    case 'load':
      return assigned(text, etherType);
    case 'move': {
      const [from, to] = text.split('->').map((each) => writtenSubfield(each, etherType));
      return from === undefined || to === undefined || bitsOf(from) !== bitsOf(to)
        ? undefined
        : { kind: 'move', from, to };
    }
    case 'mod_dl_src':
    case 'mod_dl_dst':
    case 'mod_nw_src':
    case 'mod_nw_dst':
    case 'mod_nw_ecn':
    case 'mod_nw_ttl':
    case 'mod_tp_src':
    case 'mod_tp_dst':
      return set(name.slice('mod_'.length));
    case 'mod_nw_tos': {
      const value = number(text);
      return value === undefined ? undefined : set('nw_tos', String(value >> 2n));
    }
    case 'mod_vlan_vid':
    case 'set_vlan_vid':
    case 'mod_vlan_pcp':
    case 'set_vlan_pcp': {
      const value = number(text);
      const isVid = name.endsWith('vid');
      if (value === undefined || value > (isVid ? 0xfffn : 7n)) return undefined;
      return isVid ? { kind: 'tag', vid: Number(value) } : { kind: 'tag', pcp: Number(value) };
    }
    case 'strip_vlan':
    case 'pop_vlan':
      return { kind: 'pop vlan' };
    case 'push_vlan':
      return typed('push vlan', text, [etherTypes.vlan, etherTypes.qinq]);
    case 'push_mpls':
      return typed('push mpls', text, [etherTypes.mpls, etherTypes.mplsMulticast]);
    case 'pop_mpls':
      return typed('pop mpls', text);
    case 'set_mpls_label':
    case 'set_mpls_tc':
    case 'set_mpls_ttl':
      return set(name.slice('set_'.length));
    case 'dec_mpls_ttl':
      return { kind: 'decrement mpls ttl' };
    case 'set_tunnel':
    case 'set_tunnel64':
      return set('tun_id');
    case 'write_metadata':
      return set('metadata');
    case 'dec_ttl':
      return { kind: 'decrement ttl' };
    case 'resubmit':
      return resubmit(text, word.includes('('));
    case 'goto_table': {
      const table = number(text);
      return table === undefined || table > 255n ? undefined : { kind: 'goto', table: Number(table) };
    }
    case 'write_actions':
      return { kind: 'write', actions: nested() };
    case 'apply_actions':
    case 'clone':
      return { kind: 'clone', actions: nested() };
    case 'clear_actions':
      return { kind: 'clear' };
    case 'ct_clear':
      return { kind: 'untrack' };
    case 'ct':
      return track(text, etherType, depth);
    case 'group': {
      const id = number(text);
      return id === undefined || id >= 0xffff_ff00n ? undefined : { kind: 'group', id: Number(id) };
    }
    case 'conjunction':
      return conjunction(text);
    case 'exit':
      return { kind: 'exit' };
    case 'learn':
      return learn(text);
    default:
      // `actions=2,patch-tun`: an output by itself.
      return rest === undefined && /^"?[\w.@-]+"?$/.test(word) && /^\d+$|["-]|\d$/.test(word)
        ? { kind: 'output', port: word.replaceAll('"', '') }
        : undefined;
  }
}

function typed(
  kind: 'push vlan' | 'push mpls' | 'pop mpls',
  text: string,
  known?: readonly number[],
): Action | undefined {
  const type = number(text);
  if (type === undefined || type > 0xffffn || known?.includes(Number(type)) === false) return undefined;
  return { kind, type: Number(type) };
}

function output(text: string, etherType: number | undefined): Action | undefined {
  if (text.includes('[') || /^(?:NXM|OXM)_|^reg\d+$/.test(text)) {
    const from = writtenSubfield(text, etherType);
    return from === undefined ? undefined : { kind: 'output field', from };
  }
  return /^"?[\w.@-]+"?$/.test(text) ? { kind: 'output', port: text.replaceAll('"', '') } : undefined;
}

/** `value[/mask]->field`, with the bits that are meant: those of the mask. */
function assigned(text: string, etherType: number | undefined): Action | undefined {
  const [value, to, ...rest] = text.split('->');
  return to === undefined || rest.length > 0 ? undefined : setField(to, value!, etherType);
}

function setField(field: string, text: string, etherType: number | undefined): Action | undefined {
  const to: Subfield | undefined = /\[/.test(field) ? writtenSubfield(field, etherType) : subfield(field, etherType);
  if (to === undefined) return undefined;
  const masked = maskedValue(to[0]!.field === 'ct_state' ? 'metadata' : to[0]!.field, bitsOf(to), text);
  return masked === undefined ? undefined : { kind: 'set', to, ...masked };
}

function resubmit(text: string, isCall: boolean): Action | undefined {
  const [port = '', table, extra] = isCall ? text.split(',').map((part) => part.trim()) : [text];
  // `resubmit(,0,ct)` looks up as if addresses had not been translated.
  if (extra !== undefined) return undefined;
  const number_ = table === undefined || table === '' ? undefined : number(table);
  if (table !== undefined && table !== '' && (number_ === undefined || number_ > 255n)) return undefined;
  return {
    kind: 'resubmit',
    ...(port === '' || port === 'IN_PORT' || port === 'in_port' ? {} : { port: port.replaceAll('"', '') }),
    ...(number_ === undefined ? {} : { table: Number(number_) }),
  };
}

function conjunction(text: string): Action | undefined {
  const found = /^(0x[0-9a-fA-F]+|\d+),\s*(\d{1,2})\/(\d{1,2})$/.exec(text);
  if (found === null) return undefined;
  const [clause, of] = [Number(found[2]), Number(found[3])];
  return clause < 1 || clause > of || of < 2 ? undefined : { kind: 'conjunction', id: Number(found[1]), clause, of };
}

/** ovs-actions(7): what is not said of the flows that are learned is as in `add-flow`, but for the table, which is 1. */
function learn(text: string): Action | undefined {
  let made = { table: 1, priority: 32_768 };
  for (const part of splitList(text) ?? ['?']) {
    const found = /^(table|priority)=(.*)$/.exec(part);
    if (found === null) continue;
    const value = number(found[2]!);
    if (value === undefined || value > (found[1] === 'table' ? 255n : 65_535n)) return undefined;
    made = { ...made, [found[1]!]: Number(value) };
  }
  return { kind: 'learn', ...made };
}

function track(text: string, etherType: number | undefined, depth: number): Track | undefined {
  let made: Track = { kind: 'track', commit: false, zone: 0, remember: [] };
  for (const part of splitList(text) ?? ['?']) {
    const { name, rest = '' } = headOf(part);
    if (part === '') continue;
    if (name === 'commit') made = { ...made, commit: true };
    else if (name === 'force' || name === 'alg') continue;
    else if (name === 'table') {
      const table = number(rest);
      if (table === undefined || table > 255n) return undefined;
      made = { ...made, table: Number(table) };
    } else if (name === 'zone') {
      const zone = number(rest) ?? writtenSubfield(rest, etherType);
      if (zone === undefined) return undefined;
      made = { ...made, zone: typeof zone === 'bigint' ? Number(zone) : zone };
    } else if (name === 'exec') made = { ...made, remember: readActions(rest, etherType, depth + 1) };
    else if (name === 'nat') {
      const translate = translation(rest);
      if (translate === undefined) return undefined;
      made = { ...made, translate };
    } else return undefined;
  }
  return made;
}

/** `src=10.0.0.1-10.0.0.9:1024-2048,random` */
function translation(text: string): Translation | undefined {
  let made: Translation = {};
  for (const part of splitList(text) ?? ['?']) {
    if (['', 'random', 'persistent', 'hash'].includes(part)) continue;
    const [side, range = ''] = part.split('=');
    if (side !== 'src' && side !== 'dst') return undefined;
    made = { ...made, side };
    if (range === '') continue;
    const found = /^\[?([0-9a-fA-F.:]+?)\]?(?:-\[?([0-9a-fA-F.:]+?)\]?)?(?::(\d+)(?:-(\d+))?)?$/.exec(range);
    const address = (at: string) => (at.includes('.') ? ipv4(at) : ipv6(at));
    const low = found === null ? undefined : address(found[1]!);
    const high = found?.[2] === undefined ? low : address(found[2]);
    if (found === null || low === undefined || high === undefined) return undefined;
    made = { ...made, addresses: [low, high] };
    if (found[3] !== undefined) made = { ...made, ports: [BigInt(found[3]), BigInt(found[4] ?? found[3])] };
  }
  return made;
}
