import {
  Button,
  Card,
  CardBody,
  CardTitle,
  ClipboardCopyButton,
  CodeBlock,
  CodeBlockAction,
  CodeBlockCode,
} from '@patternfly/react-core';
import { useState } from 'react';

const SHOWN = 200_000;

/** The text of a descriptor, to read and to copy. */
export function SourceText({ text, name }: { readonly text: string; readonly name: string }) {
  const [copied, setCopied] = useState(false);
  const shown = text.slice(0, SHOWN);
  return (
    <Card>
      <CardTitle component="h2">Text</CardTitle>
      <CardBody>
        <CodeBlock
          actions={
            <CodeBlockAction>
              <ClipboardCopyButton
                id="copy-source"
                aria-label={`Copy the text of ${name}`}
                onClick={() => {
                  void navigator.clipboard.writeText(text);
                  setCopied(true);
                }}
                onTooltipHidden={() => setCopied(false)}
                variant="plain"
              >
                {copied ? 'Copied' : 'Copy'}
              </ClipboardCopyButton>
            </CodeBlockAction>
          }
        >
          <CodeBlockCode id="source">{shown}</CodeBlockCode>
        </CodeBlock>
        {shown.length < text.length && (
          <p className="sf-subtle">
            The first {SHOWN} of {text.length} characters.{' '}
            <Button variant="link" isInline onClick={() => void navigator.clipboard.writeText(text)}>
              Copy all
            </Button>
          </p>
        )}
      </CardBody>
    </Card>
  );
}
