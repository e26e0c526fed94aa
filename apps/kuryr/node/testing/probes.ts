import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { nameOf } from '../../cni/testing/node.ts';
import { kill } from '../../testing/kill.ts';

/** Answers at each `tcp/PORT` and `udp/PORT` that it is told, in one process. */
const ANSWERER = `
import selectors, socket, sys
s = selectors.DefaultSelector()
for one in sys.argv[1:]:
    kind, port = one.split('/')
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == 'udp' else socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(('0.0.0.0', int(port)))
    if kind == 'tcp':
        sock.listen(64)
    sock.setblocking(False)
    s.register(sock, selectors.EVENT_READ, kind)
print('listening', flush=True)
while True:
    for key, _ in s.select():
        try:
            if key.data == 'tcp':
                c, _ = key.fileobj.accept()
                c.sendall(b'!')
                c.close()
            else:
                data, peer = key.fileobj.recvfrom(64)
                key.fileobj.sendto(b'!', peer)
        except OSError:
            pass
`;

/** Asks all at once, and prints a list of booleans. */
const ASKER = `
import json, socket, sys, threading
targets = json.loads(sys.argv[1])
answers = [False] * len(targets)
def probe(i, kind, address, port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == 'udp' else socket.SOCK_STREAM)
    s.settimeout(1)
    try:
        s.connect((address, port))
        if kind == 'udp':
            s.send(b'?')
        answers[i] = s.recv(64) == b'!'
    except OSError:
        pass
    finally:
        s.close()
threads = [threading.Thread(target=probe, args=(i, *one)) for i, one in enumerate(targets)]
for one in threads: one.start()
for one in threads: one.join()
print(json.dumps(answers))
`;

export type Target = readonly [protocol: 'tcp' | 'udp', address: string, port: number];

const inside = (netns: string, program: string, ...args: readonly string[]) => [
  'netns',
  'exec',
  nameOf(netns),
  'python3',
  '-c',
  program,
  ...args,
];

/** A pod that answers everybody who reaches it. */
export class Answerer {
  readonly #child: ChildProcess;

  /** `at`: such as `tcp/80`. */
  static async start(netns: string, at: readonly string[]): Promise<Answerer> {
    const child = spawn('ip', inside(netns, ANSWERER, ...at), { stdio: ['ignore', 'pipe', 'inherit'] });
    await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
    return new Answerer(child);
  }

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  stop(): Promise<void> {
    return kill(this.#child);
  }
}

/** Which of them answer, asked from there, all at once. */
export function reached(netns: string, targets: readonly Target[]): Promise<readonly boolean[]> {
  return new Promise((resolve, reject) => {
    execFile('ip', inside(netns, ASKER, JSON.stringify(targets)), (error, stdout) => {
      if (error === null) resolve(JSON.parse(stdout) as readonly boolean[]);
      else reject(error);
    });
  });
}
