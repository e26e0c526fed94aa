import { append, SuperfluidityError } from '@superfluidity/core';
import { align4, decodeAttributes, readText } from './attributes.ts';
import './errors.ts';
import {
  AF_NETLINK,
  errnoName,
  errnoText,
  SOCK_CLOEXEC,
  SO_RCVBUFFORCE,
  SOCK_RAW,
  SOL_SOCKET,
  systemCall,
  systemCallAside,
} from './libc.ts';
import { inNamespace, type NamespaceName, namespaceInode, onNamespaceGone } from './namespaces.ts';

/**
 * A synchronous RTNETLINK client (rtnetlink(7)). A socket stays in the namespace in which it was made, so that a
 * request needs no change of namespace once the socket is there; sockets are kept for reuse, the least used goes.
 * The kernel answers while it handles `send`, hence nothing here waits longer than the kernel works.
 */

const NETLINK_ROUTE = 0;
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const NETLINK_GET_STRICT_CHK = 12;
const SO_RCVTIMEO = 20;

const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NLM_F_REQUEST = 0x1;
const NLM_F_ACK = 0x4;
const NLM_F_DUMP_INTR = 0x10;
const NLM_F_DUMP = 0x300;
const NLM_F_ACK_TLVS = 0x200;
const NLMSGERR_ATTR_MSG = 1;

export const NLM_F_REPLACE = 0x100;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
export const NLM_F_APPEND = 0x800;

const HEADER = 16;
const SOCKETS_MAX = 128;
/** Acknowledgements of one send wait in the receive buffer of the socket: this many fit with room to spare. */
const BATCH_MAX = 64;
const RECEIVE_BUFFER_BYTES = 1 << 20;
/** A dump during which the network changed is read again, this often at most (NLM_F_DUMP_INTR). */
const DUMP_TRIES = 5;
const DUMP_MESSAGES_MAX = 1_000_000;
const ANSWER_TIMEOUT_S = 5n;

/** One message to the kernel as data. `words` is how `ip` would say it: it becomes the `request` of an error. */
export interface NetlinkRequest {
  readonly type: number;
  readonly flags: number;
  readonly words: string;
  /** Fixed structure and attributes; encoded when it is sent, because it may name an open file. */
  readonly body: () => Buffer;
}

export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly body: Buffer;
}

interface Socket {
  readonly fd: number;
  sequence: number;
}

const sockets = new Map<number, Socket>();
const received = Buffer.alloc(256 * 1024);

onNamespaceGone((inode) => forget(inode));

function forget(inode: number): void {
  const socket = sockets.get(inode);
  if (socket === undefined) return;
  sockets.delete(inode);
  systemCall('close a netlink socket', 'close', socket.fd);
}

function intOption(fd: number, level: number, option: number, value: number): void {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32LE(value);
  systemCall('set up a netlink socket', 'setsockopt', fd, level, option, buffer, 4);
}

function openSocket(namespace: NamespaceName): Socket {
  const doing = `open a netlink socket in ${namespace ?? 'the home namespace'}`;
  const fd = inNamespace(namespace, () =>
    systemCall(doing, 'socket', AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE),
  );
  try {
    intOption(fd, SOL_NETLINK, NETLINK_EXT_ACK, 1);
    intOption(fd, SOL_NETLINK, NETLINK_CAP_ACK, 1);
    intOption(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1);
    intOption(fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES);
    const timeout = Buffer.alloc(16);
    timeout.writeBigInt64LE(ANSWER_TIMEOUT_S, 0);
    systemCall(doing, 'setsockopt', fd, SOL_SOCKET, SO_RCVTIMEO, timeout, timeout.length);
    const address = Buffer.alloc(12);
    address.writeUInt16LE(AF_NETLINK, 0);
    systemCall(doing, 'bind', fd, address, address.length);
  } catch (error) {
    systemCall(doing, 'close', fd);
    throw error;
  }
  return { fd, sequence: 0 };
}

function socketOf(namespace: NamespaceName): { readonly inode: number; readonly socket: Socket } {
  const inode = namespaceInode(namespace);
  const known = sockets.get(inode);
  const socket = known ?? openSocket(namespace);
  sockets.delete(inode);
  sockets.set(inode, socket);
  if (sockets.size > SOCKETS_MAX) forget(sockets.keys().next().value!);
  return { inode, socket };
}

function encode(request: NetlinkRequest, sequence: number, extraFlags: number): Buffer {
  const body = request.body();
  const message = Buffer.alloc(align4(HEADER + body.length));
  message.writeUInt32LE(HEADER + body.length, 0);
  message.writeUInt16LE(request.type, 4);
  message.writeUInt16LE(request.flags | NLM_F_REQUEST | extraFlags, 6);
  message.writeUInt32LE(sequence, 8);
  message.set(body, HEADER);
  return message;
}

interface Answer extends NetlinkMessage {
  readonly sequence: number;
}

/** One datagram of the kernel, taken apart. Bodies are copies: the buffer is used again. */
function receive(fd: number): readonly Answer[] {
  const length = systemCall('read the answer of the kernel', 'recv', fd, received, received.length, 0);
  const answers: Answer[] = [];
  for (let at = 0; at + HEADER <= length; ) {
    const size = received.readUInt32LE(at);
    if (size < HEADER || at + size > length) break;
    answers.push({
      type: received.readUInt16LE(at + 4),
      flags: received.readUInt16LE(at + 6),
      sequence: received.readUInt32LE(at + 8),
      body: Buffer.from(received.subarray(at + HEADER, at + size)),
    });
    at += align4(size);
  }
  return answers;
}

/** NLMSG_ERROR and NLMSG_DONE begin with the negated errno. With NETLINK_CAP_ACK only a header is echoed. */
function errnoIn(answer: Answer): number {
  return answer.body.length >= 4 ? -answer.body.readInt32LE(0) : 0;
}

function extendedAck(answer: Answer): string | undefined {
  if ((answer.flags & NLM_F_ACK_TLVS) === 0) return undefined;
  const start = answer.type === NLMSG_DONE ? 4 : 4 + HEADER;
  return readText(decodeAttributes(answer.body, start).get(NLMSGERR_ATTR_MSG));
}

function refusal(namespace: NamespaceName, request: NetlinkRequest, answer: Answer): SuperfluidityError {
  const errno = errnoIn(answer);
  const words = extendedAck(answer);
  return new SuperfluidityError('SF-LINUX-NETLINK', {
    doing: `${request.words}${namespace === undefined ? '' : ` in network namespace ${namespace}`}`,
    reason: words === undefined ? errnoText(errno) : `${errnoText(errno)} (${words})`,
    request: `ip ${namespace === undefined ? '' : `-n ${namespace} `}${request.words}`,
    answer: words === undefined ? errnoText(errno) : `${errnoText(errno)}: ${words}`,
    data: { errno: errnoName(errno) },
  });
}

/** Runs `work` with the socket of the namespace; after a failure of the socket itself it is not used again. */
function withSocket<T>(namespace: NamespaceName, work: (socket: Socket) => T): T {
  const { inode, socket } = socketOf(namespace);
  try {
    return work(socket);
  } catch (error) {
    forget(inode);
    throw error;
  }
}

interface BatchOutcome {
  readonly replies: readonly NetlinkMessage[];
  readonly failure?: SuperfluidityError;
}

function sendBatch(namespace: NamespaceName, requests: readonly NetlinkRequest[]): BatchOutcome {
  return withSocket(namespace, (socket) => {
    const first = socket.sequence + 1;
    const data = encodeBatch(socket, requests);
    systemCall(`${requests[0]!.words}`, 'send', socket.fd, data, data.length, 0);
    return readBatch(namespace, socket.fd, first, requests);
  });
}

function encodeBatch(socket: Socket, requests: readonly NetlinkRequest[]): Buffer {
  const first = socket.sequence + 1;
  socket.sequence += requests.length;
  return Buffer.concat(requests.map((request, i) => encode(request, first + i, NLM_F_ACK)));
}

function readBatch(
  namespace: NamespaceName,
  fd: number,
  first: number,
  requests: readonly NetlinkRequest[],
): BatchOutcome {
  const replies: NetlinkMessage[] = [];
  let failure: SuperfluidityError | undefined;
  for (let pending = requests.length; pending > 0; ) {
    for (const answer of receive(fd)) {
      const index = answer.sequence - first;
      if (index < 0 || index >= requests.length) continue;
      if (answer.type !== NLMSG_ERROR) {
        replies.push(answer);
        continue;
      }
      pending -= 1;
      if (errnoIn(answer) !== 0) failure ??= refusal(namespace, requests[index]!, answer);
    }
  }
  return failure === undefined ? { replies } : { replies, failure };
}

/**
 * Like `transact`, for what the kernel waits for while it works (a device that goes waits for every processor): one batch, sent
 * on another thread through a socket of its own. Whoever names other namespaces in it does not forget them before it ended.
 */
export async function transactAside(
  namespace: NamespaceName,
  requests: readonly NetlinkRequest[],
): Promise<readonly NetlinkMessage[]> {
  if (requests.length === 0) return [];
  if (requests.length > BATCH_MAX) throw new RangeError(`${requests.length} requests in one batch`);
  const socket = openSocket(namespace);
  try {
    const data = encodeBatch(socket, requests);
    const sent = await systemCallAside('send', socket.fd, data, data.length, 0);
    if (sent !== data.length) {
      throw new SuperfluidityError('SF-LINUX-SYSCALL', {
        doing: requests[0]!.words,
        reason: 'the kernel did not take the message',
        request: `send(${socket.fd}, <${data.length} bytes>)`,
        answer: String(sent),
      });
    }
    // It answered before `send` returned: this does not wait.
    const { replies, failure } = readBatch(namespace, socket.fd, 1, requests);
    if (failure !== undefined) throw failure;
    return replies;
  } finally {
    systemCall('close a netlink socket', 'close', socket.fd);
  }
}

/**
 * Sends the requests in order, many in one system call. The kernel goes on behind a request that it refuses; the
 * first refusal is thrown when all have been answered, so a batch is not atomic: its undo must tolerate what is absent.
 */
export function transact(namespace: NamespaceName, requests: readonly NetlinkRequest[]): readonly NetlinkMessage[] {
  const replies: NetlinkMessage[] = [];
  for (let at = 0; at < requests.length; at += BATCH_MAX) {
    const outcome = sendBatch(namespace, requests.slice(at, at + BATCH_MAX));
    if (outcome.failure !== undefined) throw outcome.failure;
    append(replies, outcome.replies);
  }
  return replies;
}

/** Like `transact`, where "already there" or "not there" is fine: each request alone may end in one of the errnos. */
export function transactTolerating(
  namespace: NamespaceName,
  errnos: readonly string[],
  requests: readonly NetlinkRequest[],
): void {
  let first: SuperfluidityError | undefined;
  for (const request of requests) {
    const { failure } = sendBatch(namespace, [request]);
    if (failure !== undefined && !errnos.includes(String(failure.details.data?.['errno']))) first ??= failure;
  }
  if (first !== undefined) throw first;
}

function dumpOnce(namespace: NamespaceName, request: NetlinkRequest): readonly NetlinkMessage[] | 'interrupted' {
  return withSocket(namespace, (socket) => {
    socket.sequence += 1;
    const data = encode(request, socket.sequence, NLM_F_DUMP);
    systemCall(request.words, 'send', socket.fd, data, data.length, 0);
    const messages: NetlinkMessage[] = [];
    let interrupted = false;
    for (;;) {
      for (const answer of receive(socket.fd)) {
        if (answer.sequence !== socket.sequence) continue;
        if ((answer.flags & NLM_F_DUMP_INTR) !== 0) interrupted = true;
        if (answer.type === NLMSG_DONE || answer.type === NLMSG_ERROR) {
          if (errnoIn(answer) !== 0) throw refusal(namespace, request, answer);
          return interrupted ? 'interrupted' : messages;
        }
        messages.push(answer);
      }
      if (messages.length > DUMP_MESSAGES_MAX) {
        throw new SuperfluidityError('SF-CORE-LIMIT', { doing: request.words, reason: 'the kernel lists too much' });
      }
    }
  });
}

/** Everything of a kind. */
export function dump(namespace: NamespaceName, request: NetlinkRequest): readonly NetlinkMessage[] {
  for (let tries = 0; tries < DUMP_TRIES; tries += 1) {
    const messages = dumpOnce(namespace, request);
    if (messages !== 'interrupted') return messages;
  }
  throw new SuperfluidityError('SF-LINUX-NETLINK', {
    doing: request.words,
    reason: `the network changed during each of ${DUMP_TRIES} readings`,
    request: `ip ${request.words}`,
    answer: 'EINTR: NLM_F_DUMP_INTR',
    data: { errno: 'EINTR' },
  });
}
