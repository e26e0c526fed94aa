import { type Path, parsePath } from '../yaml-text.ts';

/** `functions[1].units[0].image` is `service.functions[1].image` where function 1 is written as its only unit. */
export function documentPath(modelPath: string, document: unknown): Path {
  const path: Path = ['service', ...parsePath(modelPath)];
  const [, list, index, units] = path;
  const { service } = document as { readonly service: { readonly functions: readonly object[] } };
  const short = list === 'functions' && units === 'units' && !('units' in service.functions[Number(index)]!);
  return short ? [...path.slice(0, 3), ...path.slice(5)] : path;
}
