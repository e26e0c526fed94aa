import type { Block, Environment, Requirements } from '@superfluidity/model';
import { digest, type PlannedUnit } from './plan.ts';
import { shellWord } from './text.ts';

/**
 * `run start|stop|status NAME FOLDER UNIT`: what is specific to a unit, as a script with every word of the descriptor in quotes.
 * So none of it passes through Jinja, and the same can be done by hand. It says `changed` when it changed something.
 */
export function runScript(planned: PlannedUnit): string {
  const { unit, requirements, path } = planned;
  const environment = unit.execution!.environment;
  const make = bodies[environment];
  const body = make === undefined ? nothing : make(unit, requirements);
  const described = `${body.start}\n${body.stop}`;
  return `#!/bin/sh
# ${path}: ${body.what}
#   run start|stop|status NAME FOLDER UNIT
set -eu
verb=$1 name=$2 folder=$3 unit=$4
digest=${digest(described)}
${body.common}
start_unit() {
${body.start}
}

stop_unit() {
${body.stop}
}

status_unit() {
${body.status}
}

"\${verb}_unit"
`;
}

interface Body {
  readonly what: string;
  readonly common: string;
  readonly start: string;
  readonly stop: string;
  readonly status: string;
}

const bodies: Readonly<Partial<Record<Environment, (unit: Block, requirements: Requirements) => Body>>> = {
  container,
  process: processOf,
  vm: machine,
};

const nothing: Body = { what: 'its rules are all there is of it', common: '', start: ':', stop: ':', status: ':' };

/** Where `files` of a unit are seen inside of it. */
const FILES_INSIDE = '/app';
/** Of who does not say how long it takes to finish. */
const DRAIN_S = 10;
/** The smallest share of a processor that podman takes. */
const CPU_MIN = 0.01;

function container({ execution }: Block, { cpu, memoryMiB }: Requirements): Body {
  const { image = '', command = [], env = {}, files, drain, forwards } = execution!;
  const options = [
    '--network "ns:/run/netns/$name"',
    // Nothing is no bound, to podman and here.
    ...(cpu === undefined || cpu === 0 ? [] : [`--cpus ${Math.max(cpu, CPU_MIN).toFixed(2)}`]),
    ...(memoryMiB === undefined || memoryMiB === 0 ? [] : [`--memory ${Math.ceil(memoryMiB)}m`]),
    ...(forwards === true ? ['--cap-add NET_ADMIN,NET_RAW'] : []),
    ...(drain === undefined ? [] : [`--stop-signal ${drain.signal}`]),
    ...(files === undefined ? [] : [`--volume "$unit/package/files:${FILES_INSIDE}:ro"`]),
    ...Object.entries(env).map(([name, value]) => `--env ${shellWord(`${name}=${value}`)}`),
  ];
  const words = [imageOf(image), ...command.map(shellWord)];
  return {
    what: 'a container of podman',
    common: '',
    start: `there=$(podman container inspect --format '{{ .State.Status }} {{ index .Config.Labels "superfluidity" }}' "$name" 2>/dev/null || true)
[ "$there" = "running $digest" ] && exit 0
podman run --detach --replace --name "$name" --label "superfluidity=$digest" \${PODMAN_OPTIONS:-} \\
${[...options, words.join(' ')].map((line) => `  ${line}`).join(' \\\n')} >/dev/null
echo changed`,
    stop: `podman container exists "$name" || exit 0
podman stop --time ${drain === undefined ? DRAIN_S : Math.ceil(drain.timeoutMs / 1_000)} "$name" >/dev/null
podman rm --force "$name" >/dev/null
echo changed`,
    status: `[ "$(podman container inspect --format '{{ .State.Running }}' "$name")" = true ]`,
  };
}

/** The image as podman has it: what the package brings lies below the folder of the unit. */
function imageOf(image: string): string {
  if (image === 'host:') return '--rootfs /:O';
  if (image.startsWith('folder:')) return '--rootfs "$unit/package/image:O"';
  return image.startsWith('oci:') ? '"oci:$unit/package/image"' : shellWord(image.slice('name:'.length));
}

/** A process is known by its number and the time at which it began, since numbers are used again (proc(5)). */
const ownProcess = `since() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }
runs() {
  [ -e "$folder/pid" ] || return 1
  read -r pid began <"$folder/pid"
  [ -n "$began" ] && [ "$(since "$pid")" = "$began" ]
}
finish() {
  runs || return 0
  kill -s "$1" "$pid" || return 0
  for _ in $(seq $(($2 * 5))); do
    runs || return 0
    sleep 0.2
  done
  kill -s KILL "$pid" || true
}
`;

function processOf({ execution }: Block): Body {
  const { command = [], env = {}, drain } = execution!;
  const variables = Object.entries(env).map(([name, value]) => shellWord(`${name}=${value}`));
  const seconds = drain === undefined ? DRAIN_S : Math.ceil(drain.timeoutMs / 1_000);
  const finish = `finish ${(drain?.signal ?? 'SIGTERM').slice(3)} ${seconds}`;
  return {
    what: 'a process of the host in a namespace',
    common: ownProcess,
    start: `if runs && [ "$(cat "$folder/digest")" = "$digest" ]; then exit 0; fi
${finish}
cd /
setsid ip netns exec "$name" env ${[...variables, ...command.map(shellWord)].join(' ')} </dev/null >/dev/null 2>&1 &
pid=$!
echo "$pid $(since "$pid")" >"$folder/pid"
echo "$digest" >"$folder/digest"
echo changed`,
    stop: `runs || exit 0
${finish}
rm -f "$folder/pid"
echo changed`,
    status: 'runs',
  };
}

/** Seconds in which a machine may shut down by itself. */
const SHUTDOWN_S = 20;

/** What it writes to its disk is lost with it. Its addresses are told to cloud-init (data source NoCloud) by a disk with the label CIDATA. */
function machine({ execution }: Block, { cpu = 1, memoryMiB = 512 }: Requirements): Body {
  const { image = '' } = execution!;
  const disk = image.startsWith('disk:')
    ? '"$unit/package/image"'
    : `"$IMAGE_FOLDER/"${shellWord(image.slice('name:'.length))}`;
  return {
    what: 'a virtual machine of QEMU',
    common: ownProcess,
    start: `if runs && [ "$(cat "$folder/digest")" = "$digest" ]; then exit 0; fi
finish TERM ${SHUTDOWN_S}
image=${disk}
format=raw
if [ "$(head -c 3 "$image")" = QFI ]; then format=qcow2; fi
mkdir -p "$folder/seed"
printf 'instance-id: %s\\nlocal-hostname: %s\\n' "$name" "$name" >"$folder/seed/meta-data"
printf '#cloud-config\\n{}\\n' >"$folder/seed/user-data"
printf 'version: 2\\nethernets:\\n' >"$folder/seed/network-config"
set -- -name "$name" -machine q35,accel=kvm:tcg -smp ${Math.max(1, Math.ceil(cpu))} -m ${Math.max(1, Math.ceil(memoryMiB))} \\
  -drive "file=$image,format=$format,if=virtio,snapshot=on" \\
  -drive "driver=raw,if=virtio,readonly=on,file.driver=vvfat,file.dir=$folder/seed,file.label=CIDATA"
number=0
while read -r device interface bridge mtu mac address gateway; do
  set -- "$@" -netdev "tap,id=n$number,ifname=$device,script=no,downscript=no" -device "virtio-net-pci,netdev=n$number,mac=$mac"
  {
    echo "  port$number:"
    echo "    match: {macaddress: \\"$mac\\"}"
    echo "    set-name: $interface"
    echo "    mtu: $mtu"
    echo "    addresses: [$address]"
    [ $number -gt 0 ] || echo "    routes: [{to: 0.0.0.0/0, via: $gateway}]"
  } >>"$folder/seed/network-config"
  number=$((number + 1))
done <"$folder/ports"
qemu-system-x86_64 "$@" -display none -serial null -monitor none -daemonize -pidfile "$folder/qemu.pid"
pid=$(cat "$folder/qemu.pid")
echo "$pid $(since "$pid")" >"$folder/pid"
echo "$digest" >"$folder/digest"
echo changed`,
    stop: `runs || exit 0
finish TERM ${SHUTDOWN_S}
rm -f "$folder/pid"
echo changed`,
    status: 'runs',
  };
}
