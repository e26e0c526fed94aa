import fc from 'fast-check';

/** Configurations with all that the language has, and what stands between statements. */
const names = ['a', 'b', 'c2', 'rw_1', 'Up'] as const;
const configurations = ['', '', '()', '(1)', '("x, )", 2)', '(12/0800, -)', '($v)', '(a /* ) */, b // (\n)'] as const;
const classes = ['Queue', 'Print', 'Null', 'Classifier', 'Pair'] as const;
const between = ['\n', ';\n', ' ;', '\n// one; two\n', '; /* { */\n', '\n\n'] as const;
const devices = ['FromDevice(eth0)', 'ToDevice(eth1)', 'PollDevice(0)'] as const;

const preamble = `require(package "x")
define($v 7)
elementclass Pair { input -> first :: Queue($v) -> Print -> output } // at the end
elementclass Box { $n, LIMIT $m | input -> Shaper($n) -> output || input -> inner :: { input [0] -> output } -> [1] output
  input -> output || A }
Idle -> Box(1) -> t0 :: Discard; Idle -> Box(LIMIT 2, 1) -> t0; t1 :: Box
`;

const element = fc
  .record({ className: fc.constantFrom(...classes), configuration: fc.constantFrom(...configurations) })
  .map(({ className, configuration }) => (className === 'Pair' ? className : `${className}${configuration}`));
const port = fc.constantFrom('', '', '[0]', '[1]', '[3]');

/** Text that is read without mistakes. */
export const clickTexts: fc.Arbitrary<string> = fc
  .record({
    declared: fc.array(element, { minLength: names.length, maxLength: names.length }),
    chains: fc.array(
      fc.record({
        hops: fc.array(
          fc.oneof(
            fc.record({ name: fc.constantFrom(...names), input: port, output: port }),
            fc.record({ name: element, input: fc.constant(''), output: fc.constant('') }),
            fc.constantFrom(...devices, '{ input -> Null -> output }', 'new').map((name) => ({
              name,
              input: '',
              output: '',
            })),
          ),
          { minLength: 2, maxLength: 5 },
        ),
        fresh: fc.boolean(),
      }),
      { maxLength: 6 },
    ),
    gaps: fc.array(fc.constantFrom(...between), { minLength: 16, maxLength: 16 }),
    withPreamble: fc.boolean(),
  })
  .map(({ declared, chains, gaps, withPreamble }) => {
    const isSimple = (text: string) => withPreamble || !text.startsWith('Pair');
    const statements = declared.map((text, i) => `${names[i]} :: ${isSimple(text) ? text : 'Null'}`);
    let made = 0;
    for (const { hops, fresh } of chains) {
      const simple = hops.map(({ name, input, output }) => {
        // Compounds have the ports that their class has.
        const compound = declared[names.indexOf(name as never)]?.match(/^Pair/) ?? /^(?:Pair|\{)/.exec(name);
        const text = name === 'new' ? `n${(made += 1)} :: Null` : isSimple(name) ? name : 'Null';
        return compound === null ? `${input} ${text} ${output}` : text;
      });
      statements.push(fresh ? simple.slice(0, 2).join(' => ') : simple.join(' -> '));
    }
    const body = statements.map((statement, i) => `${statement}${gaps[i % gaps.length]}`).join('');
    return `${withPreamble ? preamble : '// nothing before\n'}${body}`;
  });
