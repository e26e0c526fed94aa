#!/bin/sh
# A machine that is a unit of a Linux site (machine=system-container): systemd and sshd of the site's own machine, in namespaces,
# in the network and the control group that the site made for the unit. Whoever has the other half of PUBLIC_KEY is root there.
set -e
own=$(dirname "$(dirname "$FACTS_FILE")")
# worker/worker#0 is worker-worker-0.
name=$(sed -n 's/.*"unit":"\([^"]*\)".*/\1/p' "$FACTS_FILE" | tr -c 'A-Za-z0-9\n' -)
root=/sys/fs/cgroup

# The site puts a process into its control group a moment after it has begun.
if [ -e $root/cgroup.controllers ]; then of='^$'; else of='(^|,)(cpu|cpuacct|memory|pids)(,|$)'; fi
groups() { awk -F : -v of="$of" '$2 ~ of { print $3 }' /proc/self/cgroup | sort -u; }
tries=0
until group=$(groups) && [ "${group#/superfluidity/*/}" != "$group" ] && [ "$(groups | wc -l)" = 1 ]; do
  tries=$((tries + 1))
  [ $tries -lt 100 ] || { echo "the site has no control group for this unit" >&2; exit 1; }
  sleep 0.1
done

if [ -e $root/cgroup.controllers ]; then
  # Who hands controllers on has no processes of its own (cgroups(7)): this one waits beside the machine.
  mkdir "$root$group/outside" "$root$group/machine"
  echo $$ >"$root$group/outside/cgroup.procs"
  for one in $(cat "$root$group/cgroup.controllers"); do echo "+$one" >"$root$group/cgroup.subtree_control"; done
  inner=$root$group/machine
else
  # Of the first version, a group of that name in every hierarchy, with the second one's beside them: the site removes them all.
  for procs in $root/*/cgroup.procs; do
    path=$(dirname "$procs")
    for part in $(echo "$group" | tr / ' '); do
      mkdir -p "$path/$part"
      # Without processors and memory of its own a group takes nobody (cpuset(7)).
      for file in cpuset.cpus cpuset.mems; do [ ! -e "$path/$file" ] || cat "$path/$file" >"$path/$part/$file"; done
      path=$path/$part
    done
    echo $$ >"$path/cgroup.procs"
  done
  inner=
fi

umask 077
echo "$PUBLIC_KEY" >"$own/authorized_keys"
umask 022
# The control group becomes the root of what the machine sees of them.
exec unshare --pid --fork --kill-child /bin/sh -c '
  [ -z "$1" ] || echo 0 >"$1/cgroup.procs"
  shift
  exec unshare --mount --uts --ipc --cgroup --propagation private /bin/sh "$@"' \
  sh "$inner" "$PWD/boot-host.sh" "$name" "$own"
