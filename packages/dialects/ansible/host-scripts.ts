/**
 * Scripts of the role `network`, which are the same in every tree. They say `changed` when they changed something, are
 * content with what is there, and take nothing but names, numbers and addresses.
 */
export const bridgeScript = `#!/bin/sh
# Networks of a host.
#   bridge start BRIDGE VXLAN VNI MTU GATEWAY/LENGTH UNDERLAY [PEER...]
#   bridge stop BRIDGE VXLAN
#   bridge route FROM_BRIDGE to|from ADDRESS VIA BRIDGE TABLE
#   bridge unroute TABLE
set -eu
changed=''
verb=$1
shift

case $verb in
start)
  bridge=$1 vxlan=$2 vni=$3 mtu=$4 gateway=$5 underlay=$6
  shift 6
  if ! ip link show dev "$bridge" >/dev/null 2>&1; then
    ip link add name "$bridge" mtu "$mtu" type bridge
    changed=changed
  fi
  if ! ip -4 address show dev "$bridge" | grep -qF " $gateway "; then
    ip address add "$gateway" dev "$bridge"
    changed=changed
  fi
  ip link set dev "$bridge" up
  conf=/proc/sys/net/ipv4/conf/$bridge
  # Packets of a chain take another way than those to their sender would.
  echo 2 >"$conf/rp_filter"
  echo 0 >"$conf/send_redirects"
  echo 1 >"$conf/forwarding"
  if [ $# -gt 0 ] && ! ip link show dev "$vxlan" >/dev/null 2>&1; then
    ip link add name "$vxlan" type vxlan id "$vni" dstport 4789 local "$underlay"
    changed=changed
  fi
  if ip link show dev "$vxlan" >/dev/null 2>&1; then
    ip link set dev "$vxlan" mtu "$mtu" master "$bridge" up
    there=$(bridge fdb show dev "$vxlan" | sed -n 's/^00:00:00:00:00:00 dst \\([0-9.]*\\) .*/\\1/p')
    for peer in $there; do
      case " $* " in
      *" $peer "*) ;;
      *)
        bridge fdb delete 00:00:00:00:00:00 dev "$vxlan" dst "$peer"
        changed=changed
        ;;
      esac
    done
    for peer in "$@"; do
      if ! echo "$there" | grep -qxF "$peer"; then
        bridge fdb append 00:00:00:00:00:00 dev "$vxlan" dst "$peer"
        changed=changed
      fi
    done
  fi
  ;;
stop)
  for device in "$2" "$1"; do
    if ip link show dev "$device" >/dev/null 2>&1; then
      ip link delete dev "$device"
      changed=changed
    fi
  done
  ;;
route)
  from=$1 direction=$2 address=$3 via=$4 bridge=$5 table=$6
  ip route replace default via "$via" dev "$bridge" onlink table "$table"
  if [ -z "$(ip rule show table "$table")" ]; then
    ip rule add iif "$from" "$direction" "$address" table "$table"
    changed=changed
  fi
  ;;
unroute)
  while [ -n "$(ip rule show table "$1")" ]; do
    ip rule delete table "$1"
    changed=changed
  done
  ip route flush table "$1" 2>/dev/null || true
  ;;
esac
echo "$changed"
`;

export const plugScript = `#!/bin/sh
# The place of an instance: a namespace with its ports, or the taps of a virtual machine.
#   plug start NAME FOLDER UNIT namespace|machine FORWARDS
#   plug stop NAME FOLDER
# FOLDER/ports: DEVICE INTERFACE BRIDGE MTU MAC ADDRESS/LENGTH GATEWAY. UNIT/routes: local ADDRESS, to ADDRESS VIA,
# from ADDRESS VIA TABLE. UNIT/rules.nft is what nft loads.
set -eu
verb=$1 name=$2 folder=$3
changed=''

start_namespace() {
  if [ ! -e "/run/netns/$name" ]; then
    ip netns add "$name"
    rm -f "$folder/rules.nft"
    changed=changed
  fi
  ip -n "$name" link set dev lo up
  if [ "$forwards" = yes ]; then
    ip netns exec "$name" sh -c '
      cd /proc/sys/net/ipv4
      echo 1 >ip_forward
      for each in all default; do
        echo 0 >conf/$each/rp_filter
        echo 0 >conf/$each/send_redirects
      done'
  fi
  first=yes
  while read -r device interface bridge mtu mac address gateway; do
    if ! ip -n "$name" link show dev "$interface" >/dev/null 2>&1; then
      ip link delete dev "$device" 2>/dev/null || true
      ip link add name "$device" mtu "$mtu" type veth \\
        peer name "$interface" address "$mac" mtu "$mtu" netns "$name"
      changed=changed
    fi
    ip link set dev "$device" master "$bridge" up
    ip -n "$name" address replace "$address" dev "$interface"
    ip -n "$name" link set dev "$interface" up
    # The first port leads everywhere.
    if [ "$first" = yes ]; then ip -n "$name" route replace default via "$gateway"; fi
    first=no
  done <"$folder/ports"
  while read -r what address via table; do
    case $what in
    local) ip -n "$name" address replace "$address/32" dev lo ;;
    to) ip -n "$name" route replace "$address/32" via "$via" ;;
    from)
      ip -n "$name" route replace default via "$via" table "$table"
      if [ -z "$(ip -n "$name" rule show table "$table")" ]; then
        ip -n "$name" rule add from "$address" table "$table"
        changed=changed
      fi
      ;;
    esac
  done <"$unit/routes"
  if ! cmp -s "$unit/rules.nft" "$folder/rules.nft"; then
    ip netns exec "$name" nft -f "$unit/rules.nft"
    cp "$unit/rules.nft" "$folder/rules.nft"
    changed=changed
  fi
}

start_machine() {
  while read -r device interface bridge mtu mac address gateway; do
    if ! ip link show dev "$device" >/dev/null 2>&1; then
      ip tuntap add dev "$device" mode tap
      changed=changed
    fi
    ip link set dev "$device" mtu "$mtu" master "$bridge" up
  done <"$folder/ports"
}

case $verb in
start)
  unit=$4 forwards=$6
  "start_$5"
  ;;
stop)
  if [ -e "/run/netns/$name" ]; then
    ip netns delete "$name"
    changed=changed
  fi
  if [ -e "$folder/ports" ]; then
    while read -r device rest; do
      if ip link show dev "$device" >/dev/null 2>&1; then
        ip link delete dev "$device" 2>/dev/null || true
        changed=changed
      fi
    done <"$folder/ports"
  fi
  ;;
esac
echo "$changed"
`;
