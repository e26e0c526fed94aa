/** The table of nftables in which packets of chains are told from others, and how flows keep the version on which they began. */
export const TABLE = 'superfluidity';

/** `Paths` fills the maps and sets; the rest of the table is that of who steers. */
export const STEERING = `  map forward_port { typeof iifname . ip daddr . meta l4proto . th dport : ct mark; }
  map forward_protocol { typeof iifname . ip daddr . meta l4proto : ct mark; }
  map forward_any { typeof iifname . ip daddr : ct mark; }
  map reverse_port { typeof iifname . ip saddr . ip daddr . meta l4proto . th sport : ct mark; }
  map reverse_protocol { typeof iifname . ip saddr . ip daddr . meta l4proto : ct mark; }
  map reverse_any { typeof iifname . ip saddr . ip daddr : ct mark; }
  map steer { typeof ct mark . iifname . ip daddr : meta mark; }
  set versions { typeof ct mark; }
  set chained { type ipv4_addr; }
  chain prerouting {
    type filter hook prerouting priority -149; policy accept;
    ct mark != 0 ct mark != @versions ct mark set 0
    ct mark 0 ct mark set iifname . ip daddr . meta l4proto . th dport map @forward_port
    ct mark 0 ct mark set iifname . ip daddr . meta l4proto map @forward_protocol
    ct mark 0 ct mark set iifname . ip daddr map @forward_any
    ct mark 0 ct mark set iifname . ip saddr . ip daddr . meta l4proto . th sport map @reverse_port
    ct mark 0 ct mark set iifname . ip saddr . ip daddr . meta l4proto map @reverse_protocol
    ct mark 0 ct mark set iifname . ip saddr . ip daddr map @reverse_any
    ct mark != 0 meta mark set ct mark . iifname . ip daddr map @steer
  }`;
