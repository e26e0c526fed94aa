/** Who asks, and where. Read from clouds.yaml, from OS_* variables or from the configuration of a site. */
export interface CloudConfig {
  /** Of Keystone v3, for example http://127.0.0.1:5000/v3. */
  readonly authUrl: string;
  readonly credentials: Credentials;
  /** Absent: the only region of the catalogue. Where it has several, one has to be named. */
  readonly region?: string;
  readonly interface?: 'public' | 'internal' | 'admin';
  /** PEM of the authority that signs the certificates of the cloud. */
  readonly caCert?: string;
  /** False: certificates are not checked. */
  readonly verify?: boolean;
  /** Addresses that replace those of the catalogue, by type of service. `%(project_id)s` stands for the project. */
  readonly endpoints?: Readonly<Record<string, string>>;
}

export type Credentials =
  | {
      readonly kind: 'password';
      readonly user: Named;
      readonly password: string;
      readonly project: Named;
    }
  | ({ readonly kind: 'application'; readonly secret: string } & (
      | { readonly id: string }
      | { readonly name: string; readonly user: Named }
    ));

/** Names are unique in their domain only. */
export type Named =
  | { readonly id: string }
  | { readonly name: string; readonly domain: { readonly id: string } | { readonly name: string } };

/** Body of POST /v3/auth/tokens (Identity API v3). */
export function authRequest(credentials: Credentials): Readonly<Record<string, unknown>> {
  if (credentials.kind === 'application') {
    const { kind: _, ...application } = credentials;
    return { auth: { identity: { methods: ['application_credential'], application_credential: application } } };
  }
  const { user, password, project } = credentials;
  return {
    auth: { identity: { methods: ['password'], password: { user: { ...user, password } } }, scope: { project } },
  };
}
