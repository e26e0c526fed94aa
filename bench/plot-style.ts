/** Of plots in documents, on light and on dark pages. */
export const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #4d5560; }
  .title { font-weight: 600; }
  .grid { stroke: #8a94a0; stroke-opacity: 0.25; }
  .axis { stroke: #8a94a0; }
  .line { fill: none; stroke-width: 2; }
  @media (prefers-color-scheme: dark) { text { fill: #b3bcc7; } }
`;
