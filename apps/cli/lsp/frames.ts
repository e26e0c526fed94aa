/** Bounds of what a client may send. */
export const frameLimits = {
  headerBytes: 4_096,
  /** A text of four million characters, with room for escapes. */
  bodyBytes: 32 * 2 ** 20,
} as const;

/** A client has sent what is no message. Nobody knows where its next one would begin. */
export class BrokenFrame extends Error {}

const SEPARATOR = Buffer.from('\r\n\r\n');

/** Messages of the base protocol of LSP 3.17: `Content-Length: N`, an empty line, and so many bytes of JSON. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** Of the message that is being received; undefined while it is its header. */
  #wanted: number | undefined;

  /**
   * The bodies that are complete with this chunk.
   * @throws BrokenFrame
   */
  *push(chunk: Buffer): Generator<Buffer> {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    for (;;) {
      if (this.#wanted === undefined) {
        const length = this.#header();
        if (length === undefined) return;
        this.#wanted = length;
      }
      if (this.#bytes < this.#wanted) return;
      const whole = this.#whole();
      const body = whole.subarray(0, this.#wanted);
      this.#keep(whole.subarray(this.#wanted));
      this.#wanted = undefined;
      yield body;
    }
  }

  /** The length that the header says, when all of the header is there. */
  #header(): number | undefined {
    const whole = this.#whole();
    const end = whole.subarray(0, frameLimits.headerBytes + SEPARATOR.length).indexOf(SEPARATOR);
    if (end < 0) {
      if (whole.length > frameLimits.headerBytes) throw new BrokenFrame('a header without an end');
      this.#keep(whole);
      return undefined;
    }
    const fields = whole.toString('latin1', 0, end).split('\r\n');
    const lengths = fields.flatMap((field) => /^content-length:[ \t]*([0-9]{1,9})[ \t]*$/i.exec(field)?.[1] ?? []);
    const [length, ...others] = lengths.map(Number);
    if (length === undefined || others.length > 0) throw new BrokenFrame('a header without one Content-Length');
    if (length > frameLimits.bodyBytes)
      throw new BrokenFrame(`a message of ${length} bytes, at most ${frameLimits.bodyBytes}`);
    this.#keep(whole.subarray(end + SEPARATOR.length));
    return length;
  }

  #whole(): Buffer {
    const [only, ...others] = this.#chunks;
    return others.length === 0 ? (only ?? Buffer.alloc(0)) : Buffer.concat(this.#chunks);
  }

  #keep(rest: Buffer): void {
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#bytes = rest.length;
  }
}

export function frame(message: unknown): Buffer {
  const body = Buffer.from(JSON.stringify(message));
  return Buffer.concat([Buffer.from(`Content-Length: ${body.length}\r\n\r\n`), body]);
}
