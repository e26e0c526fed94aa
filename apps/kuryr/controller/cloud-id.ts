/** Ids of objects of a cloud: UUIDs of Neutron, 32 hexadecimal digits of Keystone, or what other services give. */
export const CLOUD_ID = /^[A-Za-z0-9-]{1,64}$/;
