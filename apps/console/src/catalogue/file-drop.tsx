import {
  HelperText,
  HelperTextItem,
  Label,
  LabelGroup,
  MultipleFileUpload,
  MultipleFileUploadMain,
} from '@patternfly/react-core';
import { UploadIcon } from '@patternfly/react-icons/dist/esm/icons/upload-icon';
import { useState } from 'react';
import { descriptorFirst, refusedFiles, type SourceFile, toBase64 } from '../view-model/read-files.ts';

/** A descriptor with the files that it names, dropped or chosen. */
export function FileDrop({ onFiles }: { readonly onFiles: (files: readonly SourceFile[]) => void }) {
  const [files, setFiles] = useState<readonly SourceFile[]>([]);
  const [refused, setRefused] = useState<string>();
  const take = async (dropped: readonly File[]) => {
    const named = dropped.map((file) => ({ file, path: pathOf(file), size: file.size }));
    const reason = refusedFiles(named);
    setRefused(reason);
    if (reason !== undefined) return;
    const read = await Promise.all(
      descriptorFirst(named).map(async ({ file, path }) => ({
        path,
        base64: toBase64(new Uint8Array(await file.arrayBuffer())),
      })),
    );
    setFiles(read);
    onFiles(read);
  };
  const without = (path: string) => {
    const left = files.filter((file) => file.path !== path);
    setFiles(left);
    onFiles(left);
  };
  return (
    <div className="sf-drop">
      <MultipleFileUpload
        isHorizontal
        onFileDrop={(_event, dropped) => void take(dropped)}
        dropzoneProps={{ useFsAccessApi: false }}
      >
        <MultipleFileUploadMain
          titleIcon={<UploadIcon />}
          titleText="Drop a descriptor here"
          titleTextSeparator="or"
          infoText="With the files that it names, or a package (zip, tar). In any dialect that is read."
          browseButtonText="Choose files"
        />
      </MultipleFileUpload>
      {refused !== undefined && (
        <HelperText>
          <HelperTextItem variant="error">{refused}</HelperTextItem>
        </HelperText>
      )}
      {files.length > 0 && (
        <LabelGroup categoryName="Descriptor, and its files" numLabels={8}>
          {files.map((file, i) => (
            <Label
              key={file.path}
              color={i === 0 ? 'blue' : 'grey'}
              onClose={() => without(file.path)}
              closeBtnAriaLabel={`Leave out ${file.path}`}
            >
              {file.path}
            </Label>
          ))}
        </LabelGroup>
      )}
    </div>
  );
}

const pathOf = (file: File): string => {
  const given = 'path' in file && typeof file.path === 'string' ? file.path : file.webkitRelativePath || file.name;
  return given.replace(/^\.?\//, '');
};
