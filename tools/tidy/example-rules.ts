import { readNative } from '@superfluidity/dialects';
import type { Finding, Project } from './project.ts';

const FENCE = /^```ya?ml\n([\s\S]*?)^```/gm;

/** A service descriptor shown on a page is one that the reader accepts. */
export function shownDescriptors(project: Project): readonly Finding[] {
  return project.files
    .filter((file) => file.endsWith('.md'))
    .flatMap((file) => {
      const text = project.read(file);
      return [...text.matchAll(FENCE)]
        .filter(([, yaml]) => /^superfluidity: /m.test(yaml!))
        .flatMap((fence) => {
          const before = text.slice(0, fence.index).split('\n').length;
          return readNative(fence[1]!).problems.map(
            ({ message, position }) => `${file}:${before + (position?.line ?? 0)}: ${message}`,
          );
        });
    });
}
