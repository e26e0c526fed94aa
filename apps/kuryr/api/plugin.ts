/** Name of the executable, and so the `type` in configurations of CNI, those of NetworkAttachmentDefinitions among them. */
export const PLUGIN = 'superfluidity-kuryr';
/** The configuration of runtimes: of those in a folder they take the first by name. */
export const CONFIGURATION_LIST = `10-${PLUGIN}.conflist`;
