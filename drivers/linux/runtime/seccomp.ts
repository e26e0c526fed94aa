/**
 * What a container may not ask of the kernel, whatever capabilities it was given (seccomp(2)). A list of refusals and
 * not of permissions: a unit keeps running when its C library begins to use a new call, and every call here acts on
 * the machine as a whole, makes namespaces, or has a history of privilege escalation. After Docker's default profile.
 */
// biome-ignore format: a list that is read by topic
const REFUSED = [
  // The kernel itself, its modules and its memory.
  'init_module', 'finit_module', 'delete_module', 'create_module', 'kexec_load', 'kexec_file_load', 'reboot', 'bpf',
  'perf_event_open', 'kcmp', 'lookup_dcookie', 'syslog', 'iopl', 'ioperm', 'userfaultfd', 'personality', 'uselib',
  // Asynchronous I/O that passes by this very filter.
  'io_uring_setup', 'io_uring_enter', 'io_uring_register',
  // Mounts and namespaces.
  'mount', 'umount', 'umount2', 'pivot_root', 'move_mount', 'open_tree', 'fsopen', 'fsconfig', 'fsmount', 'fspick',
  'mount_setattr', 'setns', 'unshare', 'name_to_handle_at', 'open_by_handle_at', 'fanotify_init',
  // Time, swap, accounting and quotas of everybody.
  'settimeofday', 'clock_settime', 'clock_adjtime', 'adjtimex', 'swapon', 'swapoff', 'acct', 'quotactl', 'quotactl_fd',
  'nfsservctl', 'vhangup', 'sysfs', '_sysctl', 'ustat',
  // Other processes and the kernel's key rings, which are not in a namespace.
  'ptrace', 'process_vm_readv', 'process_vm_writev', 'process_madvise', 'keyctl', 'add_key', 'request_key',
  'move_pages', 'migrate_pages', 'set_mempolicy', 'mbind',
];

const EPERM = 1;
const ENOSYS = 38;
/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET: clone(2) stays allowed without them. */
const CLONE_NAMESPACE_FLAGS = [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000];

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'SCMP_ARCH_X86_64', arm64: 'SCMP_ARCH_AARCH64' };

/** `linux.seccomp` of the OCI runtime specification. Calls of other architectures than the machine's own are killed. */
export function defaultSeccomp(): object {
  const architecture = ARCHITECTURES[process.arch];
  return {
    defaultAction: 'SCMP_ACT_ALLOW',
    ...(architecture === undefined ? {} : { architectures: [architecture] }),
    syscalls: [
      { names: REFUSED, action: 'SCMP_ACT_ERRNO', errnoRet: EPERM },
      // A filter can only compare for equality under a mask: one refusal for each flag.
      ...CLONE_NAMESPACE_FLAGS.map((flag) => ({
        names: ['clone'],
        action: 'SCMP_ACT_ERRNO',
        errnoRet: EPERM,
        args: [{ index: 0, value: flag, valueTwo: flag, op: 'SCMP_CMP_MASKED_EQ' }],
      })),
      // Its flags lie in memory, where a filter cannot see them; without it the C library falls back to clone.
      { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
    ],
  };
}
