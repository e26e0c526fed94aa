import { canonicalJson } from '@superfluidity/core';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { readDescriptor, recognise, writeDescriptor } from '../descriptor.ts';
import type { DescriptorFile } from '../files.ts';
import { hasRealFiles, noRealFiles, realFiles } from '../testing/real-files.ts';
import { survivesDamage } from '../testing/round-trip.ts';
import { xmlDescriptor } from './xml.ts';

const files = new Map(realFiles('etsi-sol006', /\.xml$/).map((file) => [file.path, file] as const));
const text = ({ bytes }: DescriptorFile) => new TextDecoder().decode(bytes);

describe.skipIf(!hasRealFiles)(`the examples that ETSI publishes with the modules${noRealFiles}`, () => {
  test('are recognised, and those that are one service are read', () => {
    const answers = [...files.values()].map((file) => {
      const { problems, service } = readDescriptor([file]);
      const [error] = problems.filter(({ severity }) => severity === 'error');
      return [
        file.path,
        recognise([file]),
        service?.block.children.map(({ name, children }) => [name, children.length]) ?? error!.code,
      ];
    });
    expect(answers).toEqual([
      ['complex-vnfd.xml', 'sol006', [['complex-vnf', 3]]],
      ['nfv-nsd.xml', 'sol006', [['firewall', 1]]],
      ['nfv-pnfd.xml', 'sol006', 'SF-DESCRIPTOR-UNSUPPORTED'],
      ['nfv-vnfd.xml', 'sol006', [['asa', 1]]],
      ['nfv.xml', 'sol006', 'SF-DESCRIPTOR-UNSUPPORTED'],
    ]);
  });

  test('what is refused is named where it stands', () => {
    const [problem] = readDescriptor([files.get('nfv.xml')!]).problems;
    expect(problem).toMatchObject({
      message: 'a package has one NSD; this is the second',
      position: { file: 'nfv.xml', line: 332, column: 3 },
    });
  });

  test('a VNFD alone is a service of one function, and is written as it was', () => {
    const file = files.get('complex-vnfd.xml')!;
    const { service, problems } = readDescriptor([file]);
    expect(problems.map(({ code, position }) => [code, position?.line])).toEqual([
      ['SF-DESCRIPTOR-ASSUMED', 120],
      ['SF-DESCRIPTOR-ASSUMED', 129],
    ]);
    const [fn] = service!.block.children;
    expect(fn!.children.map(({ scale, requirements }) => [scale, requirements.affinity])).toEqual([
      [undefined, [{ kind: 'apart', scope: 'host', with: ['complex-vnf/control-plane-standby'] }]],
      [undefined, [{ kind: 'apart', scope: 'host', with: ['complex-vnf/control-plane-active'] }]],
      [{ initial: 2, min: 2, max: 8 }, undefined],
    ]);
    const { files: back, losses } = writeDescriptor(service!, 'sol006');
    expect([losses, back.map(({ path }) => path)]).toEqual([[], ['vnfd/complex-vnf.yaml']]);
    const read = (xmlDescriptor(file).value as { nfv: { vnfd: unknown[] } }).nfv.vnfd;
    expect(canonicalJson(parse(text(back[0]!))['etsi-nfv-descriptors:nfv'].vnfd)).toBe(canonicalJson(read));
  });

  test('whatever becomes of the XML, the answer is problems with known codes', () =>
    survivesDamage([files.get('nfv-nsd.xml')!], 40));
});
