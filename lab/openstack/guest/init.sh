#!/bin/busybox sh
# The only program of a guest of the laboratory. Addresses come from the configuration drive that Nova attaches, else by
# DHCP. User data that begins with #! is run, and of #cloud-config what Superfluidity writes is done. Answers to ping, on
# port 80 with its name, on port 7 with what it is sent.
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox --install -s /bin
export PATH=/bin HOME=/root
# Open vSwitch in user space takes packets as they are: checksums are made by the guest itself.
for module in $(cat /lib/modules/order); do
  case $module in
    virtio_net) insmod /lib/modules/virtio_net.ko csum=0 gso=0 ;;
    *) insmod /lib/modules/$module.ko ;;
  esac
done
ip link set lo up

value() { # NAME: what a line of JSON has for it
  sed -n 's/.*"'"$1"'": "\{0,1\}\([^",}]*\).*/\1/p'
}
by_mac() { # MAC: the device that has it
  for device in /sys/class/net/eth*; do
    [ "$(cat $device/address)" = "$1" ] && basename $device
  done
}
dhcp() { # DEVICE
  touch /tmp/leases
  udhcpc -b -q -t 10 -T 2 -i "$1" -s /etc/udhcpc.sh >/dev/null 2>&1 &
}

found=
tries=0
while [ -z "$found" ] && [ $tries -lt 20 ]; do
  for disc in /dev/sr0 /dev/vdb; do
    [ -b $disc ] && mount -t iso9660 -o ro $disc /config 2>/dev/null && found=yes && break
  done
  tries=$((tries + 1))
  [ -z "$found" ] && sleep 0.1
done

latest=/config/openstack/latest
name=$(cat $latest/meta_data.json 2>/dev/null | tr '{' '\n' | value hostname | head -n 1)
hostname "${name:-guest}"
if [ -f $latest/network_data.json ]; then
  # One object to a line: links, networks with their links, and the routes of the network before them.
  (tr '{' '\n' <$latest/network_data.json && echo) >/tmp/network
  while read -r line; do
    mac=$(echo "$line" | value ethernet_mac_address)
    if [ -n "$mac" ]; then
      device=$(by_mac "$mac")
      echo "$(echo "$line" | value id) $device" >>/tmp/links
      # Where there is DHCP, that says it.
      mtu=$(echo "$line" | value mtu | sed 's/null//')
      [ -n "$device" ] && ip link set "$device" ${mtu:+mtu "$mtu"} up
      continue
    fi
    link=$(echo "$line" | value link)
    [ -n "$link" ] && device=$(sed -n "s/^$link //p" /tmp/links)
    case "$line" in
      *'"type": "ipv4_dhcp"'*) dhcp "$device" ;;
      *'"ip_address"'*)
        ip addr add "$(echo "$line" | value ip_address)/$(echo "$line" | value netmask)" dev "$device" ;;
    esac
    gateway=$(echo "$line" | value gateway)
    if [ -n "$gateway" ]; then
      target=$(echo "$line" | value network)
      ip route add "$target/$(echo "$line" | value netmask)" via "$gateway" dev "$device"
    fi
  done </tmp/network
else
  for device in /sys/class/net/eth*; do
    ip link set "$(basename $device)" up
    dhcp "$(basename $device)"
  done
fi
# What follows finds a network, as after cloud-init it would. Where no lease comes it goes on without.
tries=0
while [ -f /tmp/leases ] && [ $tries -lt 20 ] && ! ip -o -4 addr show | grep -q ': eth'; do
  tries=$((tries + 1))
  sleep 1
done
ip -o addr show | sed 's/^/lab guest: /'
echo "${name:-guest}" >/www/index.html
httpd -p 80 -h /www
nc -ll -p 7 -e cat &
echo 'lab guest: ready'
user_data=/tmp/user_data
[ -f $latest/user_data ] && cp $latest/user_data $user_data
zcat $user_data >$user_data.plain 2>/dev/null && user_data=$user_data.plain
case "$(head -n 1 $user_data 2>/dev/null)" in
  '#!'*)
    chmod +x $user_data
    $user_data
    echo "lab guest: user data ended with $?" ;;
  '#cloud-config'*)
    awk -f /lib/cloud-config.awk $user_data >/tmp/run.sh
    sh /tmp/run.sh
    echo 'lab guest: user data done' ;;
esac
while :; do sleep 3600; done
