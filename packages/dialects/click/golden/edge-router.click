// An edge router: answers ARP and ping, limits what goes out, and counts the rest.
require(package "edge");
define($IP 10.10.0.3, $MAC 00:15:17:15:5d:75, $RATE 20000);

/* What is above the rate goes to the second output,
   where somebody may count it. */
elementclass Limiter { $rate, BURST $burst |
  input -> split :: RatedSplitter($rate, BURST $burst);
  split [0] -> output;
  split [1] -> over :: Counter -> [1] output;
  || $rate |
  input -> RatedUnqueue($rate) -> output;
}
elementclass Answer { // pings alone
  input -> CheckIPHeader(14) -> ICMPPingResponder() -> EtherMirror -> output
}

wan :: FromDevice(eth0, SNIFFER false);
out :: ToDevice(DEVNAME eth0);
lan, spare :: Queue(1024);
sort :: Classifier(
    12/0806 20/0001,  // requests
    12/0806 20/0002,  // replies
    12/0800,
    -);

wan -> sort;
sort [0] -> ARPResponder($IP $MAC) -> merge :: Null -> out;
sort [1] -> [1] arpq :: ARPQuerier($IP, $MAC) -> merge;
Idle -> arpq;
sort [2] -> Answer -> limit :: Limiter($RATE, BURST 10) -> merge;  // at most $RATE a second
limit [1], sort [3] -> lan -> Print("dropped; not sent") -> Discard;
guard :: {
  [0] -> [0];
  [1] -> IPFilter(deny all) -> [1]
};
spare -> guard -> to_lan :: ToDevice(eth1);
FromDevice(eth1) => [1] guard [1] -> ( -> Strip(14) -> ) -> Discard;
