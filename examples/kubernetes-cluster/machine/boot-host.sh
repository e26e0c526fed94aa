#!/bin/sh
# Process 1 of a host that is namespaces of this machine: its root is this machine's, copied when it is written to.
# boot-host.sh NAME FOLDER, in namespaces of mounts, processes and control groups of its own.
set -e
name=$1 folder=$2 root=$2/root
mkdir -p "$folder/layer" "$root" "$folder/containerd"
mount -t tmpfs -o size=4g,mode=755 layer "$folder/layer"
mkdir "$folder/layer/upper" "$folder/layer/work"
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/layer/upper,workdir=$folder/layer/work" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs -o nosuid,nodev,noexec sysfs "$root/sys"
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
else
  mount -t tmpfs -o mode=755 cgroups "$root/sys/fs/cgroup"
  for one in /sys/fs/cgroup/*/cgroup.procs; do
    hierarchy=$(basename "$(dirname "$one")")
    case $hierarchy in unified) continue ;; systemd) options=none,name=systemd ;; *) options=$hierarchy ;; esac
    mkdir "$root/sys/fs/cgroup/$hierarchy"
    mount -t cgroup -o "$options" cgroup "$root/sys/fs/cgroup/$hierarchy"
  done
fi
# Nobody looks for devices there: they are the machine's.
mount -o remount,bind,ro "$root/sys"
mount -t tmpfs -o mode=755 dev "$root/dev"
for one in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0 kmsg:1:11; do
  mknod -m 666 "$root/dev/${one%%:*}" c $(echo "${one#*:}" | tr : ' ')
done
mkdir "$root/dev/pts" "$root/dev/shm" "$root/dev/mqueue"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
mount -t tmpfs -o mode=755 run "$root/run"
mount -t tmpfs -o mode=1777 tmp "$root/tmp"
# An overlay cannot be the upper part of another one.
mkdir -p "$root/var/lib/containerd"
mount --bind "$folder/containerd" "$root/var/lib/containerd"
tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id"
hostname "$name"
echo "$name" >"$root/etc/hostname"
find "$root/etc/systemd/system" -path '*.wants/*' -delete
ln -sf /lib/systemd/system/multi-user.target "$root/etc/systemd/system/default.target"
mkdir -p "$root/etc/systemd/system/multi-user.target.wants" "$root/root/.ssh"
ln -s /lib/systemd/system/ssh.service "$root/etc/systemd/system/multi-user.target.wants/ssh.service"
for one in systemd-logind.service getty.target systemd-udevd.service systemd-resolved.service systemd-timesyncd.service; do
  ln -sf /dev/null "$root/etc/systemd/system/$one"
done
rm -f "$root"/etc/ssh/ssh_host_*
ssh-keygen -q -t ed25519 -N '' -f "$root/etc/ssh/ssh_host_ed25519_key"
install -m 600 "$folder/authorized_keys" "$root/root/.ssh/authorized_keys"
# A network that the machine has for its own containers would make a node ready before Kuryr does.
rm -rf "$root/etc/cni/net.d"
# Lists of packages are those of the machine.
touch "$root/var/lib/apt/lists" "$root/var/lib/apt/periodic/update-success-stamp" 2>/dev/null || true
mkdir "$root/.machine"
cd "$root"
pivot_root . .machine
exec chroot . /bin/sh -c 'umount -l /.machine; rmdir /.machine; mount --make-rshared /
  exec env -i container=superfluidity PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --log-target=journal' </dev/null
