/** Who asks, and where. Read from clouds.yaml, from OS_* variables or from the configuration of a site. */
export interface CloudConfig {
  /** Of Keystone v3, for example http://127.0.0.1:5000/v3. */
  readonly authUrl: string;
  readonly credentials: Credentials;
  /** Absent: the only region of the catalogue, or its first. */
  readonly region?: string;
  readonly interface?: 'public' | 'internal' | 'admin';
  /** PEM of the authority that signs the certificates of the cloud. */
  readonly caCert?: string;
  /** False: certificates are not checked. */
  readonly verify?: boolean;
  /** Addresses that replace those of the catalogue, by type of service. */
  readonly endpoints?: Readonly<Record<string, string>>;
}

export type Credentials =
  | {
      readonly kind: 'password';
      readonly username: string;
      readonly userDomain: string;
      readonly password: string;
      readonly project: string;
      readonly projectDomain: string;
    }
  | { readonly kind: 'application'; readonly id: string; readonly secret: string };

/** Body of POST /v3/auth/tokens (Identity API v3). */
export function authRequest(credentials: Credentials): Readonly<Record<string, unknown>> {
  if (credentials.kind === 'application') {
    const { id, secret } = credentials;
    return { auth: { identity: { methods: ['application_credential'], application_credential: { id, secret } } } };
  }
  const { username, userDomain, password, project, projectDomain } = credentials;
  return {
    auth: {
      identity: {
        methods: ['password'],
        password: { user: { name: username, domain: { name: userDomain }, password } },
      },
      scope: { project: { name: project, domain: { name: projectDomain } } },
    },
  };
}
