/** Name of the executable, and so the `type` in configurations of CNI, those of NetworkAttachmentDefinitions among them. */
export const PLUGIN = 'superfluidity-kuryr';
