import { Command, Option } from 'commander';
import { seconds, type Run } from '../arguments.ts';

/** Commands about descriptors as files, in whatever dialect: they need no control plane. */
export function dialectCommands(run: Run): readonly Command[] {
  const convert = new Command('convert')
    .description('write a service in another dialect; says what that dialect cannot say')
    .argument('<in...>', 'descriptor, its folder, an archive, or the files of a package; the dialect is recognised')
    .requiredOption('--to <dialect>', 'native, sol006, ...: docs/reference/dialects.md lists them')
    .option('--encoding <encoding>', 'yaml, or xml where the dialect has that (sol006)', 'yaml')
    .option('-o, --out <path>', 'folder, or file where one is written (default: standard output)')
    .option('--force', 'replace what is there')
    .option('--strict', 'write nothing and exit with 1 when something would be lost')
    .addHelpText(
      'after',
      '\nExample:\n  superfluidity convert examples/mobile-edge/service.yaml --to sol006 -o package',
    )
    .action(
      run(async (context, inputs: string[], options) =>
        (await import('./convert.ts')).convert(context, inputs, options as never),
      ),
    );
  return [convert, importCommand(run), packageCommand(run), publishCommand(run)];
}

function importCommand(run: Run): Command {
  return new Command('import')
    .description('add descriptors to the catalogue, one entry for each input, whatever the dialect')
    .argument('<in...>', 'descriptors, folders, and packages: .csar, .zip, .tar.gz')
    .addHelpText(
      'after',
      '\nExits with 1 when the catalogue refused one; the others are added.\n\nExample:\n  superfluidity import service.yaml vnf.csar old/nsd',
    )
    .action(run(async (context, inputs: string[]) => (await import('./import.ts')).importAll(context, inputs)));
}

function publishCommand(run: Run): Command {
  return new Command('publish')
    .description('write a service as playbooks and templates, and push them to a branch; says what was lost')
    .argument('<service...>', 'descriptor, its folder, an archive, or an entry of the catalogue')
    .requiredOption('--git <repository>', 'URL, user@host:path, or path; without a password')
    .requiredOption('--branch <branch>', 'it is begun where it does not exist')
    .option('--to <dialect...>', 'default: ansible, and what else can be carried out by a tool')
    .option('--folder <path>', 'folder of the branch (default: the name of the service)')
    .option('--force', 'write over files that others made or changed')
    .option('--timeout <seconds>', 'for each call of git', seconds, 120)
    .addHelpText(
      'after',
      '\nNothing is committed when nothing has changed; files of others stay as they are.\n\nExample:\n  superfluidity publish service.yaml --git git@host:operations.git --branch edge',
    )
    .action(
      run(async (context, inputs: string[], options) =>
        (await import('../publish/publish.ts')).publish(context, inputs, options as never),
      ),
    );
}

function packageCommand(run: Run): Command {
  const command = new Command('package').description('packages: CSAR (SOL004, SOL007), OSM, and MEC applications');
  command
    .command('build')
    .description('pack a descriptor with what belongs to it; the same input makes the same bytes')
    .argument('<in...>', 'descriptor, its folder, or the files of a package; translated where its dialect is another')
    .addOption(new Option('--kind <kind>', 'what to make').choices(['csar', 'osm', 'mec']).default('csar'))
    .requiredOption('-o, --out <file>', 'the package: NAME.csar, NAME.tar.gz')
    .addOption(new Option('--digest <algorithm>', 'of each file').choices(['SHA-256', 'SHA-512']).default('SHA-256'))
    .option('--include <file...>', 'images, scripts and media that go into Files/')
    .option('--licence <file>', 'its licence')
    .option('--changelog <file>', 'its change log')
    .option('--provider <name>', 'who provides it', 'superfluidity')
    .option('--released <time>', 'like 2026-01-31T12:00:00Z (default: $SOURCE_DATE_EPOCH, else now)')
    .option('--force', 'replace what is there')
    .action(
      run(async (context, inputs: string[], options) =>
        (await import('./package/build.ts')).build(context, inputs, options as never),
      ),
    );
  command
    .command('inspect')
    .description('what a package is, and what is in it')
    .argument('<package>')
    .action(run(async (context, path: string) => (await import('./package/inspect.ts')).inspect(context, path)));
  command
    .command('sign')
    .description('sign the manifest of a CSAR (CMS, option 1 of SOL004)')
    .argument('<package>')
    .requiredOption('--key <file>', 'private key in PEM: RSA or ECDSA')
    .requiredOption('--certificate <file>', 'its X.509 certificate in PEM')
    .option('-o, --out <file>', 'the signed package (default: the same file)')
    .option('--force', 'replace what is there')
    .action(
      run(async (context, path: string, options) =>
        (await import('./package/sign.ts')).sign(context, path, options as never),
      ),
    );
  command
    .command('verify')
    .description('are the files those of the manifest, and is the signature that of somebody trusted?')
    .argument('<package>')
    .option('--trust <file>', 'certificates in PEM of those who sign, or of who issues theirs')
    .option('--certificate <file>', 'certificate of the signer, where the package does not hold it')
    .option('--require-signature', 'a package that is not signed is a mismatch')
    .addHelpText('after', '\nExit codes: 0 as it should be, 1 mismatches, each of them named, 2 no package')
    .action(
      run(async (context, path: string, options) =>
        (await import('./package/verify.ts')).verify(context, path, options as never),
      ),
    );
  return command;
}
