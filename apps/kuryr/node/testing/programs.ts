import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { nameOf } from '../../cni/testing/node.ts';
import { kill } from '../../testing/kill.ts';

const WAIT_MS = 10_000;

/** A server in a pod that answers with its name: each connection of TCP with one line, each datagram of UDP with one. */
const SERVER = `
import socket, sys, threading
kind, name, port = sys.argv[1], sys.argv[2].encode(), int(sys.argv[3])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == 'udp' else socket.SOCK_STREAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(('0.0.0.0', port))
if kind == 'udp':
    print('listening', flush=True)
    while True:
        data, peer = s.recvfrom(2048)
        s.sendto(name + b' ' + peer[0].encode(), peer)
s.listen(128)
print('listening', flush=True)
def serve(c, peer):
    with c:
        while data := c.recv(2048):
            c.sendall(name + b' ' + peer[0].encode() + b'\\n')
while True:
    threading.Thread(target=serve, args=s.accept(), daemon=True).start()
`;

/** Asks so many times, each time anew (or over one socket), and prints a line for each answer, or what went wrong. */
const CLIENT = `
import socket, sys, time
kind, address, port, times, anew, pause = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5] == '1', float(sys.argv[6])
def open_socket():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == 'udp' else socket.SOCK_STREAM)
    s.settimeout(1)
    s.connect((address, port))
    return s
s = None
for _ in range(times):
    try:
        s = open_socket() if anew or s is None else s
        s.sendall(b'?')
        print(s.recv(2048).decode().strip() or 'closed', flush=True)
    except OSError as e:
        print(type(e).__name__, flush=True)
        s = None
    time.sleep(pause)
`;

/** The first chunk of an association (RFC 9260, INIT), as a kernel without SCTP can send it; or what of it comes in. */
const SCTP = `
import socket, struct, sys
def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82f63b78 if crc & 1 else 0)
    return struct.pack('<I', crc ^ 0xffffffff)
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 132)
if sys.argv[1] == 'listen':
    print('listening', flush=True)
    s.settimeout(10)
    packet = s.recv(2048)
    body = packet[(packet[0] & 15) * 4:]
    isWhole = crc32c(body[:8] + bytes(4) + body[12:]) == body[8:12]
    print(socket.inet_ntoa(packet[12:16]), struct.unpack('!H', body[2:4])[0], isWhole, flush=True)
else:
    chunk = struct.pack('!BBHIIHHI', 1, 0, 20, 7, 65536, 1, 1, 1)
    head = struct.pack('!HHI', 5000, int(sys.argv[3]), 0)
    s.sendto(head + crc32c(head + bytes(4) + chunk) + chunk, (sys.argv[2], 0))
`;

/** `CLIENT PORT True`: who sent it, to which port it came, and whether its checksum is right. */
export async function sendSctp(from: string, to: string, address: string, port: number): Promise<string> {
  const argv = (netns: string, ...args: readonly string[]) => [
    'netns',
    'exec',
    nameOf(netns),
    'python3',
    '-c',
    SCTP,
    ...args,
  ];
  const listener = spawn('ip', argv(to, 'listen'), { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  listener.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    if (text.startsWith('listening')) execFile('ip', argv(from, 'send', address, String(port)));
  });
  await once(listener, 'close');
  return said.split('\n')[1] ?? '';
}

export type Protocol = 'tcp' | 'udp';

export class TestServer {
  readonly #child: ChildProcess;

  static async start(netns: string, protocol: Protocol, name: string, port: number): Promise<TestServer> {
    const argv = ['netns', 'exec', nameOf(netns), 'python3', '-c', SERVER, protocol, name, String(port)];
    const child = spawn('ip', argv, { stdio: ['ignore', 'pipe', 'inherit'] });
    await Promise.race([once(child.stdout, 'data'), pause(WAIT_MS)]);
    return new TestServer(child);
  }

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  stop(): Promise<void> {
    return kill(this.#child);
  }
}

export interface Asking {
  readonly times?: number;
  /** A socket for each. Default: yes. */
  readonly anew?: boolean;
  readonly pauseMs?: number;
  /** Called with the first answer. */
  readonly onFirst?: () => void;
}

/** One line for each time: `NAME ADDRESS-AS-THE-SERVER-SEES-IT`, or the name of an error of Python. */
export function ask(
  netns: string,
  protocol: Protocol,
  address: string,
  port: number,
  { times = 1, anew = true, pauseMs = 0, onFirst }: Asking = {},
): Promise<readonly string[]> {
  const how = [protocol, address, String(port), String(times), anew ? '1' : '0', String(pauseMs / 1_000)];
  return new Promise((resolve, reject) => {
    const child = execFile('ip', ['netns', 'exec', nameOf(netns), 'python3', '-c', CLIENT, ...how], (error, stdout) => {
      if (error === null) resolve(stdout.trim().split('\n'));
      else reject(error);
    });
    if (onFirst !== undefined) child.stdout!.once('data', onFirst);
  });
}
