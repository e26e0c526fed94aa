import { z } from 'zod';

/**
 * The parts of objects that are read: Kubernetes API v1.34 (core/v1, apps/v1, autoscaling/v2, networking.k8s.io/v1),
 * NetworkAttachmentDefinition of the Network Plumbing Working Group, KubeVirt v1, DeploymentConfig of OpenShift. What else
 * an object says is carried. Fields that are null are absent.
 */
const text = z.string().max(262_144);
const name = z.string().min(1).max(253);
const list = <T extends z.ZodType>(item: T) => z.array(item).max(10_000).exactOptional();
const texts = z.record(z.string().max(512), text).exactOptional();
const count = z.int().min(0).max(1_000_000);
const quantity = z
  .union([
    z
      .string()
      .max(64)
      .regex(/^\+?(\d+\.?\d*|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d{1,3})?$/, 'is no quantity'),
    z.number().min(0),
  ])
  .describe('100m, 1Gi, 1e3, 0.5');
const portOf = z.union([z.int().min(0).max(65_535), z.string().max(63)]);

export const metadataShape = z.looseObject({
  name: name.exactOptional(),
  generateName: name.exactOptional(),
  namespace: name.exactOptional(),
  labels: texts,
  annotations: texts,
});

const amounts = z.record(z.string().max(317), quantity).exactOptional();
const resources = z.looseObject({ requests: amounts, limits: amounts });

const probe = z.looseObject({
  httpGet: z.looseObject({ path: text.exactOptional(), port: portOf }).exactOptional(),
  tcpSocket: z.looseObject({ port: portOf }).exactOptional(),
  timeoutSeconds: count.exactOptional(),
});

const container = z.looseObject({
  name,
  image: z.string().max(4_096).exactOptional(),
  command: list(text),
  args: list(text),
  env: list(z.looseObject({ name: z.string().min(1).max(256), value: text.exactOptional() })),
  envFrom: list(z.looseObject({ prefix: text.exactOptional() })),
  ports: list(z.looseObject({ name: z.string().max(63).exactOptional(), containerPort: z.int().min(1).max(65_535) })),
  resources: resources.exactOptional(),
  readinessProbe: probe.exactOptional(),
  livenessProbe: probe.exactOptional(),
  volumeMounts: list(z.looseObject({ name: z.string().max(253), mountPath: text })),
});

const volumes = list(z.looseObject({ name: z.string().min(1).max(253) }));

const podSpec = z.looseObject({
  containers: z.array(container).min(1).max(100),
  initContainers: list(container),
  volumes,
  nodeSelector: texts,
  hostNetwork: z.boolean().exactOptional(),
  terminationGracePeriodSeconds: count.exactOptional(),
  affinity: z.looseObject({}).exactOptional(),
  securityContext: z
    .looseObject({ sysctls: list(z.looseObject({ name: z.string().max(253), value: text })) })
    .exactOptional(),
});

const podTemplate = z.looseObject({ metadata: metadataShape.exactOptional(), spec: podSpec });

const vmTemplate = z.looseObject({
  metadata: metadataShape.exactOptional(),
  spec: z.looseObject({
    domain: z.looseObject({
      cpu: z.looseObject({ cores: count.exactOptional() }).exactOptional(),
      memory: z.looseObject({ guest: quantity.exactOptional() }).exactOptional(),
      resources: resources.exactOptional(),
      devices: z.looseObject({ interfaces: list(z.looseObject({ name })) }),
    }),
    networks: list(z.looseObject({ name, multus: z.looseObject({ networkName: name }).exactOptional() })),
    volumes,
    nodeSelector: texts,
  }),
});

const head = { apiVersion: z.string().min(1).max(253), kind: z.string().min(1).max(63), metadata: metadataShape };
const workload = z.looseObject({
  ...head,
  spec: z.looseObject({ replicas: count.exactOptional(), template: podTemplate }),
});
const machine = z.looseObject({
  ...head,
  spec: z.looseObject({ replicas: count.exactOptional(), template: vmTemplate }),
});

const peers = list(z.looseObject({ ipBlock: z.looseObject({ cidr: text, except: list(text) }).exactOptional() }));
const policy = z.looseObject({
  ...head,
  spec: z.looseObject({
    podSelector: z.looseObject({ matchLabels: texts }).exactOptional(),
    policyTypes: list(text),
    ingress: list(
      z.looseObject({
        from: peers,
        ports: list(
          z.looseObject({
            protocol: text.exactOptional(),
            port: portOf.exactOptional(),
            endPort: z.int().min(1).max(65_535).exactOptional(),
          }),
        ),
      }),
    ),
  }),
});

/** What is read of an object by its kind; of other kinds, what all objects have. */
export const shapes = {
  Pod: z.looseObject({ ...head, spec: podSpec }),
  Deployment: workload,
  StatefulSet: workload,
  DaemonSet: workload,
  ReplicaSet: workload,
  ReplicationController: workload,
  DeploymentConfig: workload,
  VirtualMachine: machine,
  VirtualMachineInstance: z.looseObject({ ...head, spec: vmTemplate.shape.spec }),
  VirtualMachineInstanceReplicaSet: machine,
  NetworkAttachmentDefinition: z.looseObject({
    ...head,
    spec: z.looseObject({ config: z.string().max(65_536).exactOptional() }).exactOptional(),
  }),
  NetworkPolicy: policy,
  MultiNetworkPolicy: policy,
  Service: z.looseObject({
    ...head,
    spec: z.looseObject({
      type: text.exactOptional(),
      clusterIP: text.exactOptional(),
      loadBalancerIP: text.exactOptional(),
      sessionAffinity: text.exactOptional(),
      sessionAffinityConfig: z
        .looseObject({
          clientIP: z.looseObject({ timeoutSeconds: z.int().min(1).max(86_400).exactOptional() }).exactOptional(),
        })
        .exactOptional(),
      loadBalancerSourceRanges: z.array(text).max(1_000).exactOptional(),
      selector: texts,
      ports: list(
        z.looseObject({
          name: text.exactOptional(),
          protocol: text.exactOptional(),
          port: z.int().min(1).max(65_535),
          targetPort: portOf.exactOptional(),
        }),
      ),
    }),
  }),
  HorizontalPodAutoscaler: z.looseObject({
    ...head,
    spec: z.looseObject({
      scaleTargetRef: z.looseObject({ kind: name, name }),
      minReplicas: count.exactOptional(),
      maxReplicas: count,
    }),
  }),
  PersistentVolumeClaim: z.looseObject({ ...head, spec: z.looseObject({ resources: resources.exactOptional() }) }),
  ConfigMap: z.looseObject({ ...head, data: texts }),
} as const;

export const anyShape = z.looseObject({ ...head, metadata: metadataShape.exactOptional() });

export type Kind = keyof typeof shapes;
export type Shaped<K extends Kind> = z.infer<(typeof shapes)[K]>;
export type PodTemplate = z.infer<typeof podTemplate>;
export type Container = z.infer<typeof container>;
export type MachineTemplate = z.infer<typeof vmTemplate>;
export type Workload = z.infer<typeof workload>;
export type Policy = z.infer<typeof policy>;

export const isKind = (kind: string): kind is Kind => Object.hasOwn(shapes, kind);

/** For editors: a document is an object of one of these kinds, or of another. */
export const kubernetesFile = z
  .union([
    ...Object.entries(shapes).map(([kind, shape]) => z.looseObject({ ...shape.shape, kind: z.literal(kind) })),
    anyShape,
  ] as unknown as readonly [z.ZodType, ...z.ZodType[]])
  .meta({ title: 'Manifests of Kubernetes and OpenShift, as far as they are read' });
