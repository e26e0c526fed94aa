#!/bin/busybox sh
# The first program of a guest for tests: gives devices the names that stand on the command line, as
# lab.device=ADDRESS/NAME/PREFIX/MTU, and has a shell in the file tree of its disk on port 9999, for who knows the word.
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox --install -s /bin
export PATH=/bin
for module in $(cat /lib/modules/order); do insmod /lib/modules/$module.ko; done
mount -t ext4 -o ro /dev/vda /disk
for folder in run tmp var; do mount -t tmpfs $folder /disk/$folder; done
for folder in dev proc sys; do mount --bind /$folder /disk/$folder; done
mkdir -p /disk/run/netns
ip link set lo up
for word in $(cat /proc/cmdline); do
  case $word in lab.device=*) ;; *) continue ;; esac
  rest=${word#lab.device=}
  mac=${rest%%/*}; rest=${rest#*/}
  name=${rest%%/*}; rest=${rest#*/}
  mtu=${rest##*/}
  prefix=${rest%/*}
  for device in /sys/class/net/eth*; do
    [ "$(cat $device/address)" = "$mac" ] && ip link set "${device##*/}" name "$name"
  done
  ip link set "$name" mtu "$mtu" up
  ip addr add "$prefix" dev "$name"
done
echo 'lab guest: ready'
while :; do nc -ll -p 9999 -e /lib/door.sh; done
