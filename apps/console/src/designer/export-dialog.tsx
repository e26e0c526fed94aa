import {
  Alert,
  Button,
  FormSelect,
  FormSelectOption,
  Modal,
  ModalBody,
  ModalFooter,
  ModalHeader,
} from '@patternfly/react-core';
import {
  type DescriptorFile,
  dialects,
  type Format,
  formats,
  type ReadResult,
  writeDescriptor,
} from '@superfluidity/dialects';
import { locateNative } from '@superfluidity/dialects';
import { isSuperfluidityError } from '@superfluidity/core';
import type { Service } from '@superfluidity/model';
import { useMemo } from 'react';
import type { Version } from './core/history.ts';
import { filesOf } from './core/tree.ts';
import { ProblemsPanel } from './problems-panel.tsx';
import type { Reveal } from './editor/text-editor.tsx';

const SHOWN_MAX = 20_000;

/** The design in any dialect that can be written, with what that dialect has no words for. */
export default function ExportDialog(props: {
  readonly service: Service;
  readonly version: Version;
  readonly locate: ReadResult['locate'];
  readonly format: string | undefined;
  readonly onFormat: (format: string) => void;
  readonly onLine: (line: number, file?: string) => void;
  readonly onReveal?: (reveal: Reveal) => void;
  readonly onClose: () => void;
}) {
  const writable = dialects.filter(({ writer }) => writer !== undefined);
  const { service, version, locate } = props;
  const format =
    formats.find((one) => one === props.format && writable.some((dialect) => dialect.format === one)) ??
    version.language;
  const written = useMemo(() => attempt(service, version, format, locate), [service, version, format, locate]);
  const [first] = written.files;
  return (
    <Modal isOpen variant="large" onClose={props.onClose} aria-labelledby="export-title" data-export={format}>
      <ModalHeader title={`Export ${props.service.block.name}`} labelId="export-title" />
      <ModalBody>
        <FormSelect aria-label="Dialect" value={format} onChange={(_event, value) => props.onFormat(value)}>
          {writable.map((dialect) => (
            <FormSelectOption
              key={dialect.format}
              value={dialect.format}
              label={`${dialect.title} (${dialect.format})`}
            />
          ))}
        </FormSelect>
        {written.refused !== undefined && <Alert component="h2" isInline variant="danger" title={written.refused} />}
        {written.refused === undefined && written.losses.length === 0 && (
          <Alert
            component="h2"
            isInline
            variant="success"
            title="Nothing is lost: this dialect has words for everything in the design"
          />
        )}
        {written.losses.length > 0 && (
          <>
            <Alert
              component="h2"
              isInline
              variant="warning"
              title={`${written.losses.length} things are lost: this dialect has no words for them`}
            />
            <div
              className="sf-export__losses"
              data-losses={written.losses.length}
              tabIndex={0}
              role="group"
              aria-label="What is lost"
            >
              <ProblemsPanel
                problems={written.losses}
                onProblem={({ position }) => {
                  if (position !== undefined) props.onLine(position.line, position.file);
                }}
              />
            </div>
          </>
        )}
        <ul className="sf-export__files">
          {written.files.map((file) => (
            <li key={file.path}>
              <Button variant="link" isInline onClick={() => download(file)} data-file={file.path}>
                {file.path}
              </Button>{' '}
              <small>{file.bytes.byteLength} bytes</small>
            </li>
          ))}
        </ul>
        {first !== undefined && (
          <pre className="sf-export__text" tabIndex={0} aria-label={`Text of ${first.path}`}>
            {new TextDecoder().decode(first.bytes.subarray(0, SHOWN_MAX))}
          </pre>
        )}
      </ModalBody>
      <ModalFooter>
        <Button isDisabled={written.files.length === 0} onClick={() => written.files.forEach(download)}>
          {written.files.length > 1 ? `Download ${written.files.length} files` : 'Download'}
        </Button>
        <Button variant="link" onClick={props.onClose}>
          Close
        </Button>
      </ModalFooter>
    </Modal>
  );
}

function attempt(service: Service, version: Version, format: Format, locate: ReadResult['locate']) {
  // Its own dialect has it already, as it was written.
  if (format === version.language) return { files: filesOf(version), losses: [], refused: undefined };
  try {
    const places = locate ?? locateNative(version.text, 'service.yaml');
    return { ...writeDescriptor(service, format, places), refused: undefined };
  } catch (error) {
    if (!isSuperfluidityError(error)) throw error;
    return { files: [], losses: [], refused: error.message };
  }
}

function download({ path, bytes }: DescriptorFile): void {
  const url = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>]));
  const link = document.createElement('a');
  link.href = url;
  link.download = path.replaceAll('/', '_');
  link.click();
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
