/**
 * A Click configuration with so many lines, as a switch of many ports has it: devices, classifiers, queues, compound
 * elements, and a comment now and then.
 */
export function clickText(lines: number): string {
  const head = `// Made to be measured.
define($RATE 1000);
elementclass Port { $addr |
  input -> c :: Classifier(12/0800, -);
  c[0] -> Strip(14) -> CheckIPHeader
    -> SetIPAddress($addr) -> output;
  c[1] -> Discard;
}
from :: FromDevice(eth0);
to :: ToDevice(eth1);
all :: Tee;
from -> all;
`.split('\n');
  head.pop();
  const text = [...head];
  for (let i = 0; text.length < lines; i += 1) {
    const [high, low] = [i >> 8, i & 255];
    const block = [
      `// port ${i}`,
      `q${i} :: Queue(64);`,
      `s${i} :: Shaper($RATE);`,
      `p${i} :: Port(10.${high}.${low}.1);`,
      `all[${i % 60_000}] -> p${i} -> q${i};`,
      `q${i} -> s${i}`,
      `  -> Unqueue -> to;`,
    ];
    text.push(...block.slice(0, lines - text.length));
  }
  return `${text.join('\n')}\n`;
}
