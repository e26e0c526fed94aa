import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { segmentsOf, stream, type RequestRecord } from './stream-client.js';
import { startVideoServer, type VideoServer } from './video-server.js';

const mediaFolder = fileURLToPath(new URL('../media', import.meta.url));
const playlist = readFileSync(join(mediaFolder, 'live/index.m3u8'), 'utf8');

function ask(port: number, path: string, agent: Agent, method = 'GET') {
  return new Promise<{ status: number; headers: Record<string, unknown>; body: Buffer; reused: boolean }>(
    (resolve, reject) => {
      const asked = request({ port, path, method, agent }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('end', () =>
          resolve({
            status: response.statusCode!,
            headers: response.headers,
            body: Buffer.concat(chunks),
            reused: asked.reusedSocket,
          }),
        );
      });
      asked.once('error', reject);
      asked.end();
    },
  );
}

function serve(servedBy: string, port = 0): Promise<VideoServer> {
  return startVideoServer({ mediaFolder, port, address: '127.0.0.1', servedBy, graceMs: 150, drainMaxMs: 1500 });
}

/** Streams until `enough` says so, at most for the time of the test. */
async function record(
  url: string,
  enough: (records: readonly RequestRecord[]) => boolean,
  { paceMs = 2, timeoutMs = 500, limitMs = 8000 } = {},
) {
  const records: RequestRecord[] = [];
  const stop = new AbortController();
  const onRecord = (one: RequestRecord) => {
    records.push(one);
    if (enough(records)) stop.abort();
  };
  const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(limitMs)]);
  await stream({ url, paceMs, timeoutMs, warmupMs: limitMs, signal, onRecord });
  return records;
}

describe('the video server', () => {
  let server: VideoServer;
  let agent: Agent;
  beforeEach(async () => {
    server = await serve('core/video');
    agent = new Agent({ keepAlive: true, maxSockets: 1 });
  });
  afterEach(async () => {
    agent.destroy();
    await server.drain();
  });

  it('serves the playlist and every segment it names, over one connection, and says who it is', async () => {
    const index = await ask(server.port, '/live/index.m3u8', agent);
    expect(index).toMatchObject({ status: 200, headers: { 'content-type': 'application/vnd.apple.mpegurl' } });
    const segments = segmentsOf(index.body.toString());
    expect(segments).toHaveLength(10);
    for (const segment of segments) {
      const answer = await ask(server.port, `/live/${segment}`, agent);
      expect(answer).toMatchObject({ status: 200, reused: true, headers: { 'x-served-by': 'core/video' } });
      // Every MPEG-TS packet has 188 bytes and begins with 0x47 (ISO/IEC 13818-1 section 2.4.3.2).
      expect(answer.body.length % 188).toBe(0);
      expect(answer.body[0]).toBe(0x47);
    }
  });

  it('answers its health check, and nothing outside of its folder', async () => {
    expect(await ask(server.port, '/health', agent)).toMatchObject({ status: 200 });
    expect(await ask(server.port, '/', agent)).toMatchObject({ status: 200 });
    for (const path of ['/live/../../programs/ue.js', '/%2e%2e/programs/ue.js', '/live/', '/make.sh', '//']) {
      expect(await ask(server.port, path, agent)).toMatchObject({ status: 404 });
    }
    expect(await ask(server.port, '/health', agent, 'DELETE')).toMatchObject({ status: 405 });
  });

  it('drains: answers with `Connection: close` while it ends, then refuses', async () => {
    await ask(server.port, '/health', agent);
    const drained = server.drain();
    const last = await ask(server.port, '/health', agent);
    expect(last).toMatchObject({ status: 200, reused: true, headers: { connection: 'close' } });
    await drained;
    await expect(ask(server.port, '/health', agent)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('closes connections on which nothing is asked after the grace', async () => {
    await ask(server.port, '/health', agent);
    expect(await server.connections()).toBe(1);
    const beganMs = performance.now();
    await server.drain();
    expect(performance.now() - beganMs).toBeGreaterThanOrEqual(150);
    expect(performance.now() - beganMs).toBeLessThan(1000);
  });
});

describe('the stream client', () => {
  it('plays the whole stream again and again and records bytes, latency and who answered', async () => {
    const server = await serve('edge/video');
    const records = await record(`http://127.0.0.1:${server.port}`, (all) => all.length >= 12);
    await server.drain();
    expect(records.every((one) => one.ok && one.from === 'edge' && one.connection === 1)).toBe(true);
    expect(records.every((one) => one.latencyMs > 0 && one.totalMs >= one.latencyMs)).toBe(true);
    expect(records[0]!.bytes).toBe(Buffer.byteLength(playlist));
    expect(records[11]!.bytes).toBe(records[0]!.bytes);
    expect(records[1]!.bytes).toBeGreaterThan(10_000);
  });

  it('loses no request when one server drains and its successor takes the connections that follow', async () => {
    const old = await serve('core/video');
    const successor = await serve('edge/video');
    // Stands for the chain: connections that exist stay where they are, new ones go to the successor after the switch.
    let target = old.port;
    const { connect } = await import('node:net');
    const relay = createServer((client: Socket) => {
      const onward = connect(target, '127.0.0.1');
      client.pipe(onward).pipe(client);
      for (const end of [client, onward]) end.once('error', () => client.destroy());
    });
    await once(relay.listen(0, '127.0.0.1'), 'listening');
    let drained: Promise<void> | undefined;
    const records = await record(`http://127.0.0.1:${(relay.address() as AddressInfo).port}`, (all) => {
      if (all.length === 30) {
        target = successor.port;
        drained = old.drain();
      }
      return all.length >= 80;
    });
    await drained;
    relay.close();
    await successor.drain();
    expect(records.filter((one) => !one.ok)).toEqual([]);
    expect(new Set(records.map((one) => one.from))).toEqual(new Set(['core', 'edge']));
    expect(records.at(-1)).toMatchObject({ from: 'edge', connection: 2 });
  });

  it('marks what failed before the first answer as warm-up, and records what fails later as failed', async () => {
    const probe = await serve('x/x');
    const { port } = probe;
    await probe.drain();
    let server: VideoServer | undefined;
    let stopped: Promise<void> | undefined;
    const records = await record(
      `http://127.0.0.1:${port}`,
      (all) => {
        if (all.length === 2) void serve('core/video', port).then((started) => (server = started));
        if (stopped === undefined && all.filter((one) => one.ok).length === 5) stopped = server!.drain();
        return all.some(({ error, warmup }) => error === 'ECONNREFUSED' && warmup === undefined);
      },
      // On a busy machine even a refusal takes its time.
      { paceMs: 20, timeoutMs: 5000, limitMs: 15_000 },
    );
    await stopped;
    expect(records[0]).toMatchObject({ ok: false, warmup: true, error: 'ECONNREFUSED', bytes: 0 });
    const firstOk = records.findIndex((one) => one.ok);
    expect(records.slice(0, firstOk).every(({ ok, warmup }) => !ok && warmup)).toBe(true);
    expect(records.slice(firstOk).every((one) => one.warmup === undefined)).toBe(true);
    // A request that meets the moment in which the server closes is reset; all that follow are refused.
    const failed = records.slice(firstOk).filter(({ ok }) => !ok);
    expect(failed.slice(0, -1).every(({ error }) => error === 'ECONNRESET')).toBe(true);
    expect(records.at(-1)).toMatchObject({ ok: false, error: 'ECONNREFUSED', bytes: 0 });
  }, 20_000);

  it('gives up waiting for an answer after the time limit, and counts an answer cut short as failed', async () => {
    let connections = 0;
    const broken = createServer((socket) => {
      connections += 1;
      socket.once('error', () => {});
      if (connections > 1) {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n#EXTM3U');
        setTimeout(() => socket.destroy(), 20);
      }
    });
    await once(broken.listen(0, '127.0.0.1'), 'listening');
    const url = `http://127.0.0.1:${(broken.address() as AddressInfo).port}`;
    const records = await record(url, (all) => all.length >= 2);
    broken.close();
    expect(records[0]).toMatchObject({ ok: false, error: 'timeout' });
    expect(records[1]).toMatchObject({ ok: false, error: 'ECONNRESET', bytes: 7, status: 200 });
  });

  it('reads a playlist as RFC 8216 says', () => {
    expect(segmentsOf('#EXTM3U\r\n#EXTINF:2,\r\na\r\n\r\n#x\r\nb')).toEqual(['a', 'b']);
    expect(segmentsOf('<html>')).toEqual([]);
  });
});

describe('the programs', () => {
  const running: ChildProcess[] = [];
  const folder = mkdtempSync(join(tmpdir(), 'superfluidity-programs-'));
  afterEach(() => {
    for (const child of running.splice(0)) child.kill('SIGKILL');
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const start = (program: string, env: Record<string, string>) => {
    const child = spawn(process.execPath, [fileURLToPath(new URL(program, import.meta.url))], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    running.push(child);
    return child;
  };

  it.skipIf(spawnSync('busybox', ['true']).error !== undefined)(
    'stream from busybox httpd, as in the guest of the VM variant (needs busybox)',
    async () => {
      const probe = await serve('x/x');
      await probe.drain();
      const facts = join(folder, 'guest-facts.json');
      const conf = join(folder, 'httpd.conf');
      writeFileSync(facts, JSON.stringify({ host: 'h1', site: 'edge', unit: 'video/video#0' }));
      // As in the guest, where the files are in /app.
      writeFileSync(conf, readFileSync(join(mediaFolder, 'httpd.conf'), 'utf8').replace('/app', mediaFolder));
      const args = ['httpd', '-f', '-p', `127.0.0.1:${probe.port}`, '-h', mediaFolder, '-c', conf];
      const child = spawn('busybox', args, { env: { ...process.env, FACTS_FILE: facts } });
      running.push(child);
      const url = `http://127.0.0.1:${probe.port}`;
      const records = await record(url, (all) => all.filter((one) => one.ok).length >= 11);
      expect(records.filter((one) => !one.ok && one.warmup === undefined)).toEqual([]);
      expect(records.at(-1)).toMatchObject({ ok: true, status: 200 });
      expect(records.at(-1)!.bytes).toBeGreaterThan(10_000);
      // Playlists say who answers; segments are plain files.
      expect(new Set(records.map(({ from }) => from))).toEqual(new Set(['edge', undefined]));
      const index = await fetch(`${url}/live/index.m3u8`);
      expect(index.headers.get('x-served-by')).toBe('edge/video/video#0');
      expect(index.headers.get('content-type')).toBe('application/vnd.apple.mpegurl');
      expect(await index.text()).toBe(playlist);
      const segment = await fetch(`${url}/live/segment00.mpegts`);
      expect(segment.headers.get('content-type')).toBe('video/mp2t');
      await segment.arrayBuffer();
      expect((await fetch(`${url}/health`)).status).toBe(200);
    },
  );

  it('stream from each other, take their facts from the file, and end on SIGTERM with exit code 0', async () => {
    const facts = join(folder, 'facts.json');
    writeFileSync(facts, JSON.stringify({ site: 'core', host: 'h1', unit: 'video/server#0' }));
    const probe = await serve('x/x');
    await probe.drain();
    const port = String(probe.port);
    const video = start('./video.js', { FACTS_FILE: facts, VIDEO_PORT: port, VIDEO_GRACE_MS: '100' });
    const ue = start('./ue.js', { UE_URL: `http://127.0.0.1:${port}`, UE_PACE_MS: '5' });
    const records = await new Promise<RequestRecord[]>((resolve) => {
      let output = '';
      ue.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
        output += chunk;
        const lines = output.split('\n').slice(0, -1);
        if (lines.length > 12 && lines.at(-1)!.includes('"ok":true')) resolve(lines.map((line) => JSON.parse(line)));
      });
    });
    expect(records.at(-1)).toMatchObject({ ok: true, status: 200, from: 'core' });
    ue.kill('SIGTERM');
    video.kill('SIGTERM');
    expect(await once(ue, 'exit')).toEqual([0, null]);
    if (video.exitCode === null) await once(video, 'exit');
    expect(video.exitCode).toBe(0);
  });
});
