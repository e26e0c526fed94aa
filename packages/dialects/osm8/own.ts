/** Fields of the descriptors that follow from the model, or are put together by the writer. */
export const nsdOwn = new Set(['id', 'version', 'description', 'constituent-vnfd', 'vld', 'vnffgd']);
export const vnfdOwn = new Set(['id', 'description', 'vdu', 'kdu', 'internal-vld']);
export const vduOwn = new Set([
  'id',
  'description',
  'count',
  'vm-flavor',
  'image',
  'interface',
  'external-interface',
  'internal-interface',
]);
