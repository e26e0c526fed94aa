import { ToggleGroup, ToggleGroupItem } from '@patternfly/react-core';

/** The files of a design that is a tree of them: which one is open is in the address. */
export function FileList(props: {
  readonly paths: readonly string[];
  readonly open: string;
  /** How many problems each file has, by its path. */
  readonly problems: ReadonlyMap<string, number>;
  readonly onOpen: (path: string) => void;
}) {
  return (
    <ToggleGroup className="sf-files" aria-label="Files of the design" isCompact>
      {props.paths.map((path, i) => {
        const count = props.problems.get(path) ?? 0;
        return (
          <ToggleGroupItem
            key={path}
            text={count === 0 ? path : `${path} (${count})`}
            buttonId={`file-${i}`}
            isSelected={path === props.open}
            onChange={() => props.onOpen(path)}
            data-tree-file={path}
          />
        );
      })}
    </ToggleGroup>
  );
}
