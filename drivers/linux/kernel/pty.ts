import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { ReadStream } from 'node:tty';
import { errnoOf, systemCall } from '@superfluidity/netlink';

/** Pseudoterminals (pty(7)): whoever has the controlling side sees what a program would show on a screen, and types. */

/** ioctl_tty(2), as of x86-64 and arm64. */
const TIOCSPTLCK = 0x4004_5431;
const TIOCGPTN = 0x8004_5430;
const TIOCSWINSZ = 0x5414;
const TCGETS = 0x5401;
const TCSETS = 0x5402;
/** Of struct termios: four words of flags, a byte, and 19 characters; the flags of cfmakeraw(3) that matter here. */
const TERMIOS_BYTES = 36;
const OUTPUT_FLAGS = 4;
const LOCAL_FLAGS = 12;
const OPOST = 0o1;
const ISIG_ICANON_ECHO_IEXTEN = 0o1 | 0o2 | 0o10 | 0o100000;
const RETRY_MS = 5;

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

export class Pty {
  /** The file that a program gets as its terminal. */
  readonly path: string;
  readonly #fd: number;
  readonly #screen: ReadStream;
  #open = true;
  #writing: Promise<void> = Promise.resolve();

  /** `plain`: bytes pass as they are, for a program that has another terminal behind this one. */
  constructor(size: Size, plain = false) {
    this.#fd = openSync('/dev/ptmx', constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
    try {
      systemCall('unlock a pseudoterminal', 'ioctl', this.#fd, TIOCSPTLCK, Buffer.alloc(4));
      const number = Buffer.alloc(4);
      systemCall('name a pseudoterminal', 'ioctl', this.#fd, TIOCGPTN, number);
      this.path = `/dev/pts/${number.readUInt32LE()}`;
      this.resize(size);
      if (plain) this.#makePlain();
      this.#screen = new ReadStream(this.#fd);
      // Readers wait in `output`. An error there is one of theirs.
      this.#screen.on('error', () => {});
      this.#screen.once('close', () => {
        this.#open = false;
      });
    } catch (error) {
      closeSync(this.#fd);
      throw error;
    }
  }

  #makePlain(): void {
    const settings = Buffer.alloc(TERMIOS_BYTES);
    systemCall('read the settings of a pseudoterminal', 'ioctl', this.#fd, TCGETS, settings);
    // The flags of the input too: none of them are needed.
    settings.writeUInt32LE(0, 0);
    settings.writeUInt32LE((settings.readUInt32LE(OUTPUT_FLAGS) & ~OPOST) >>> 0, OUTPUT_FLAGS);
    settings.writeUInt32LE((settings.readUInt32LE(LOCAL_FLAGS) & ~ISIG_ICANON_ECHO_IEXTEN) >>> 0, LOCAL_FLAGS);
    systemCall('change the settings of a pseudoterminal', 'ioctl', this.#fd, TCSETS, settings);
  }

  /**
   * What the program shows, until nobody has the terminal open any more. Nothing is read ahead of who takes it: the
   * kernel keeps some kilobytes, then the program waits.
   */
  async *output(): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of this.#screen as AsyncIterable<Buffer>) yield chunk;
    } catch (error) {
      // How the kernel says that the other side was closed; or we closed ours.
      if (this.#open && errnoOf(error) !== 'EIO') throw error;
    } finally {
      this.close();
    }
  }

  /** Resolves when the kernel has taken all of it: it does not while the program reads nothing. */
  write(bytes: Uint8Array): Promise<void> {
    this.#writing = this.#writing.then(() => this.#write(bytes));
    return this.#writing;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; this.#open && done < bytes.length; ) {
      try {
        done += writeSync(this.#fd, bytes, done);
      } catch (error) {
        if (errnoOf(error) !== 'EAGAIN') return;
        await pause(RETRY_MS);
      }
    }
  }

  resize({ columns, rows }: Size): void {
    if (!this.#open) return;
    const size = Buffer.alloc(8);
    size.writeUInt16LE(rows, 0);
    size.writeUInt16LE(columns, 2);
    systemCall('resize a pseudoterminal', 'ioctl', this.#fd, TIOCSWINSZ, size);
  }

  /** The kernel hangs up: SIGHUP to the session whose terminal it is. Idempotent. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#screen.destroy();
  }
}
