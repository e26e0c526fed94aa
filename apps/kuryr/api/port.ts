/** On a KuryrPort: the node of its pod, so that a daemon watches its own alone. */
export const NODE_LABEL = 'superfluidity.dev/node';
export const PORT_FINALIZER = 'superfluidity.dev/kuryr-port';
