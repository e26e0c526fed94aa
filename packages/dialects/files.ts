/** A file of a descriptor package as it was given. The path is relative to the package, with '/'. */
export interface DescriptorFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}
