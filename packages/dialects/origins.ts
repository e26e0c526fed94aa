import type { Position } from '@superfluidity/core';

/**
 * Where the files of a dialect speak of the parts of the service that was made of them. Parts have paths of the model,
 * `functions[1].units[0].ports[0]`; what was not noted stands where the nearest thing around it does.
 */
export class Origins {
  readonly #positions = new Map<string, Position | (() => Position | undefined)>();

  /** To find a position costs more than to note where to look: most are never asked for. */
  note(modelPath: string, position: Position | (() => Position | undefined) | undefined): void {
    if (position !== undefined) this.#positions.set(modelPath, position);
  }

  /** Bound: it can be handed on alone. */
  readonly locate = (modelPath: string): Position | undefined => {
    for (let path = modelPath; ; path = path.slice(0, Math.max(0, lastStep(path)))) {
      const position = this.#positions.get(path);
      if (position !== undefined || path === '') return typeof position === 'function' ? position() : position;
    }
  };
}

/** Where the last step of a path begins: at its dot or its bracket. */
function lastStep(path: string): number {
  return Math.max(path.lastIndexOf('.'), path.lastIndexOf('['));
}
