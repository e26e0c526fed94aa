import {
  createHash,
  createPrivateKey,
  sign,
  timingSafeEqual,
  verify,
  X509Certificate,
  type KeyObject,
} from 'node:crypto';
import { context, damaged, der, derSet, oid, only, readDer, tags, type Der } from './der.ts';
import { packageProblem } from './problem.ts';

/**
 * Detached signatures in the Cryptographic Message Syntax (RFC 5652), with the certificate inside: option 1 of ETSI GS
 * NFV-SOL 004, clause 5.2. Written here and not by `openssl cms`, so that packages can be signed and verified on machines that
 * do not have it, and so that what is made of bytes that others sent is these few lines; a test holds both against openssl.
 * Digest SHA-256 to SHA-512; keys RSA (PKCS #1 v1.5) and ECDSA.
 */
const ids = {
  signedData: oid('1.2.840.113549.1.7.2'),
  data: oid('1.2.840.113549.1.7.1'),
  contentType: oid('1.2.840.113549.1.9.3'),
  messageDigest: oid('1.2.840.113549.1.9.4'),
  rsa: oid('1.2.840.113549.1.1.1'),
  ecdsaSha256: oid('1.2.840.10045.4.3.2'),
} as const;

const digests = [
  ['sha256', oid('2.16.840.1.101.3.4.2.1')],
  ['sha384', oid('2.16.840.1.101.3.4.2.2')],
  ['sha512', oid('2.16.840.1.101.3.4.2.3')],
] as const;
/** With the digest that a signature algorithm names; RSA may leave it to `digestAlgorithm`. */
const signatures: readonly (readonly [kind: string, hash: string | undefined, id: Buffer])[] = [
  ['rsa', undefined, ids.rsa],
  ['rsa', 'sha256', oid('1.2.840.113549.1.1.11')],
  ['rsa', 'sha384', oid('1.2.840.113549.1.1.12')],
  ['rsa', 'sha512', oid('1.2.840.113549.1.1.13')],
  ['ec', 'sha256', ids.ecdsaSha256],
  ['ec', 'sha384', oid('1.2.840.10045.4.3.3')],
  ['ec', 'sha512', oid('1.2.840.10045.4.3.4')],
];

const BEGIN = '-----BEGIN CMS-----';
const END = '-----END CMS-----';

export function signCms(content: Uint8Array, keyPem: string | Buffer, certificatePem: string | Buffer): string {
  const certificate = readCertificate(certificatePem);
  const key = readKey(keyPem);
  if (!certificate.checkPrivateKey(key)) {
    throw packageProblem('SF-PACKAGE-KEY', 'the key is not that of the certificate');
  }
  const isRsa = key.asymmetricKeyType === 'rsa';
  const nothing = der(tags.nothing);
  const sha256 = der(tags.sequence, digests[0][1]);
  const attributes = [
    der(tags.sequence, ids.contentType, der(tags.set, ids.data)),
    der(
      tags.sequence,
      ids.messageDigest,
      der(tags.set, der(tags.octets, createHash('sha256').update(content).digest())),
    ),
  ];
  // Signed is the set, written is the same with the tag of its place (clause 5.4).
  const signed = derSet(attributes);
  const signer = der(
    tags.sequence,
    der(tags.integer, Buffer.from([1])),
    issuerAndSerial(certificate),
    sha256,
    retagged(signed, context(0)),
    der(tags.sequence, ...(isRsa ? [ids.rsa, nothing] : [ids.ecdsaSha256])),
    der(tags.octets, sign('sha256', signed, key)),
  );
  const data = der(
    tags.sequence,
    der(tags.integer, Buffer.from([1])),
    der(tags.set, sha256),
    der(tags.sequence, ids.data),
    der(context(0), certificate.raw),
    der(tags.set, signer),
  );
  const base64 = der(tags.sequence, ids.signedData, der(context(0), data)).toString('base64');
  return `${BEGIN}\n${(base64.match(/.{1,64}/g) ?? []).join('\n')}\n${END}\n`;
}

/** The certificate of who signed the content. @throws SuperfluidityError SF-PACKAGE-SIGNATURE where the signature does not match. */
export function verifyCms(content: Uint8Array, pem: string, others: readonly X509Certificate[] = []): X509Certificate {
  const [, signedData] = readDer(only(bytesOf(pem), tags.sequence).body);
  const parts = readDer(only(signedData?.body ?? Buffer.alloc(0), tags.sequence).body);
  const inside = parts
    .filter(({ tag }) => tag === context(0))
    .flatMap(({ body }) => readDer(body).map(({ whole }) => whole));
  const certificates = [...inside.map((raw) => readCertificate(raw)), ...others];
  const signers = readDer(parts.at(-1)?.body ?? Buffer.alloc(0));
  const [signer, ...more] = signers;
  if (signer === undefined || more.length > 0)
    throw packageProblem('SF-PACKAGE-SIGNATURE', `it has ${signers.length} signers, not one`);
  const [, sid, digest, ...rest] = readDer(signer.body);
  const attributes = rest[0]?.tag === context(0) ? rest.shift() : undefined;
  const [algorithm, value] = rest;
  if (
    sid === undefined ||
    digest?.tag !== tags.sequence ||
    algorithm?.tag !== tags.sequence ||
    value?.tag !== tags.octets
  )
    throw damaged();
  const certificate = certificates.find((one) => issuerAndSerial(one).equals(sid.whole));
  if (certificate === undefined)
    throw packageProblem(
      'SF-PACKAGE-SIGNATURE',
      'the certificate of the signer is missing: name it with --certificate',
    );
  const hash = digests.find(([, id]) => id.equals(readDer(digest.body)[0]?.whole ?? Buffer.alloc(0)))?.[0];
  const id = readDer(algorithm.body)[0]?.whole ?? Buffer.alloc(0);
  const [kind] = signatures.find(([, named, one]) => one.equals(id) && (named ?? hash) === hash) ?? [];
  if (hash === undefined || kind === undefined || kind !== publicKeyOf(certificate).asymmetricKeyType) {
    throw packageProblem(
      'SF-PACKAGE-SIGNATURE',
      'its algorithm is none of SHA-256, SHA-384, SHA-512 with RSA or ECDSA',
    );
  }
  const signed =
    attributes === undefined ? content : signedAttributes(attributes, createHash(hash).update(content).digest());
  if (!verify(hash, signed, publicKeyOf(certificate), value.body)) {
    throw packageProblem('SF-PACKAGE-SIGNATURE', 'the signature is not one of its certificate');
  }
  return certificate;
}

/** With attributes these are signed, and the digest of the content is one of them. */
function signedAttributes(attributes: Der, digest: Buffer): Buffer {
  const values = new Map(
    readDer(attributes.body).map(({ body }) => {
      const [id, set] = readDer(body);
      return [id?.whole.toString('hex') ?? '', set?.body ?? Buffer.alloc(0)] as const;
    }),
  );
  const said = only(values.get(ids.messageDigest.toString('hex')) ?? Buffer.alloc(0), tags.octets).body;
  const type = values.get(ids.contentType.toString('hex'));
  if (type === undefined || !type.equals(ids.data)) throw damaged();
  if (said.length !== digest.length || !timingSafeEqual(said, digest)) {
    throw packageProblem('SF-PACKAGE-SIGNATURE', 'what was signed is not what is there');
  }
  return retagged(attributes.whole, tags.set);
}

function retagged(value: Buffer, tag: number): Buffer {
  return Buffer.concat([Buffer.from([tag]), value.subarray(1)]);
}

/** TBSCertificate (RFC 5280, clause 4.1): the version, the serial number, the algorithm, the issuer. */
function issuerAndSerial(certificate: X509Certificate): Buffer {
  const [tbs] = readDer(only(certificate.raw, tags.sequence).body);
  const fields = readDer(tbs?.body ?? Buffer.alloc(0));
  const at = fields[0]?.tag === context(0) ? 1 : 0;
  const [serial, issuer] = [fields[at], fields[at + 2]];
  if (serial === undefined || issuer === undefined) throw damaged();
  return der(tags.sequence, issuer.whole, serial.whole);
}

function bytesOf(pem: string): Buffer {
  const inner = pem.slice(pem.indexOf(BEGIN) + BEGIN.length, pem.indexOf(END)).replace(/\s/g, '');
  if (!pem.includes(BEGIN) || !pem.includes(END) || !/^[A-Za-z0-9+/]+={0,2}$/.test(inner)) throw damaged();
  return Buffer.from(inner, 'base64');
}

/** The content before the signature that ends it, and that signature. */
export function splitSigned(text: string): { readonly content: string; readonly signature?: string } {
  const at = text.indexOf(BEGIN);
  return at === -1 ? { content: text } : { content: text.slice(0, at), signature: text.slice(at) };
}

function readKey(pem: string | Buffer): KeyObject {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === 'rsa' || key.asymmetricKeyType === 'ec') return key;
  } catch (cause) {
    throw packageProblem('SF-PACKAGE-KEY', 'the key is no unencrypted private key in PEM', cause);
  }
  throw packageProblem('SF-PACKAGE-KEY', 'the key is neither RSA nor ECDSA');
}

export function readCertificate(bytes: string | Buffer): X509Certificate {
  try {
    return new X509Certificate(bytes);
  } catch (cause) {
    throw packageProblem('SF-PACKAGE-KEY', 'the certificate is no X.509 certificate', cause);
  }
}

/** It is decoded when it is asked for, and a certificate that was damaged may have none. */
function publicKeyOf(certificate: X509Certificate): KeyObject {
  try {
    return certificate.publicKey;
  } catch (cause) {
    throw packageProblem('SF-PACKAGE-KEY', 'the certificate has no public key that is known here', cause);
  }
}

/** All certificates of a file in PEM. */
export function readCertificates(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw packageProblem('SF-PACKAGE-KEY', 'there is no certificate in PEM in it');
  return blocks.slice(0, CERTIFICATES_MAX).map((block) => readCertificate(block));
}

const CERTIFICATES_MAX = 1_000;
const CHAIN_MAX = 8;

/** Whether one of the trusted certificates is that of the signer, or issued it, by way of `between`. */
export function isTrusted(
  signer: X509Certificate,
  trusted: readonly X509Certificate[],
  between: readonly X509Certificate[],
  nowMs: number,
): boolean {
  const isCurrent = (one: X509Certificate) => Date.parse(one.validFrom) <= nowMs && nowMs <= Date.parse(one.validTo);
  let certificate: X509Certificate | undefined = signer;
  for (let depth = 0; depth < CHAIN_MAX && certificate !== undefined && isCurrent(certificate); depth += 1) {
    const child: X509Certificate = certificate;
    if (trusted.some((one) => one.fingerprint256 === child.fingerprint256)) return true;
    const issues = (one: X509Certificate) => one.ca && child.checkIssued(one) && child.verify(publicKeyOf(one));
    if (trusted.some((one) => isCurrent(one) && issues(one))) return true;
    certificate = between.find((one) => one.fingerprint256 !== child.fingerprint256 && issues(one));
  }
  return false;
}
