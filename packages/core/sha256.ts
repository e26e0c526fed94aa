import { sha256 as digestOf } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';

/** SHA-256 of a text, in hexadecimal, where there is no module of Node as well: in the browser. */
export const sha256 = (text: string): string => bytesToHex(digestOf(utf8ToBytes(text)));
