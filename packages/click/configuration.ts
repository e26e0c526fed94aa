/** Where something came from, by what the text says of itself. */
export interface ClickSource {
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

/** A Click configuration with its compound elements taken apart: primitive elements, and which port leads to which. */
export interface ClickConfiguration {
  /** In the order of the file. Those inside compound elements are called `outer/inner`, as Click calls them. */
  readonly elements: readonly ClickElement[];
  readonly connections: readonly ClickConnection[];
}

export interface ClickElement {
  readonly name: string;
  readonly className: string;
  readonly arguments: readonly ClickArgument[];
  readonly source: ClickSource;
}

export interface ClickArgument {
  readonly text: string;
  readonly line: number;
}

export interface ClickConnection {
  readonly from: string;
  readonly fromPort: number;
  readonly to: string;
  readonly toPort: number;
  readonly source: ClickSource;
}
