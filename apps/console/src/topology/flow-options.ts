/** Of React Flow, for a picture that is looked at: panned, zoomed by its buttons, and not edited. */
export const pictureOptions = {
  nodesDraggable: false,
  nodesConnectable: false,
  nodesFocusable: false,
  elementsSelectable: false,
  zoomOnDoubleClick: false,
  preventScrolling: false,
  zoomOnScroll: false,
  minZoom: 0.1,
  maxZoom: 2,
  proOptions: { hideAttribution: true },
} as const;
