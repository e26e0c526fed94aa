import type { HealthCheck, Service } from '@superfluidity/model';
import type { Group, Plan, PlannedNetwork, PlannedUnit } from './plan.ts';
import type { HostRoute } from './routes.ts';
import { unsafeYaml } from './text.ts';

/**
 * Playbooks, roles and variables. Names are quoted, since `no` is a name and in YAML 1.1 a truth value. Only names, numbers and addresses of the model stand in them as they are; other text of a
 * descriptor is behind `!unsafe`, or in files that are copied and not looked into.
 */
export function createPlaybook(service: Service, { units }: Plan): string {
  return `# Makes ${service.block.name}, or what is missing of it:
#   ansible-playbook -i hosts.yml create.yml
${networkPlay('  tasks:\n')}${units.map((unit) => play(unit, 'create')).join('')}`;
}

export function deletePlaybook(service: Service, { units }: Plan): string {
  return `# Removes ${service.block.name}:
#   ansible-playbook -i hosts.yml delete.yml
---${units
    .toReversed()
    .map((unit) => play(unit, 'delete'))
    .join('')}
- name: Networks
  hosts: all
  become: true
  gather_facts: false
  any_errors_fatal: true
  tasks:
    - name: Remove the networks of this host
      ansible.builtin.include_role:
        name: network
        tasks_from: delete
`;
}

/** Which unit is scaled is asked first, so that a slip of the keyboard does nothing. */
export function scalePlaybook(service: Service, { units }: Plan): string {
  const scalable = units.filter(({ scale: { min, max } }) => min < max);
  const bounds = scalable.map(
    ({ role, scale: { min, max } }) => `      "${role}": {minimum: ${min}, maximum: ${max}}\n`,
  );
  return `# Changes how many instances of a unit of ${service.block.name} there are:
#   ansible-playbook -i hosts.yml scale.yml -e unit=${scalable[0]?.role ?? 'UNIT'} -e count=${scalable[0]?.scale.max ?? 'N'}
${networkPlay(`  vars:
    scalable:${bounds.length === 0 ? ' {}\n' : `\n${bounds.join('')}`}  tasks:
    - name: Look whether that many are allowed
      ansible.builtin.assert:
        that:
          - unit is defined and count is defined
          - unit in scalable
          - count | string is match('^[0-9]{1,5}$')
          - count | int >= scalable[unit].minimum and count | int <= scalable[unit].maximum
        fail_msg: "Say -e unit=NAME -e count=N, of these: {{ scalable }}"
        quiet: true

`)}${scalable.map((unit) => play(unit, 'scale')).join('')}`;
}

/** `before` ends in the list of tasks, to which those of the networks are added. */
function networkPlay(before: string): string {
  return `---
- name: Networks
  hosts: all
  become: true
  gather_facts: false
  any_errors_fatal: true
${before}    - name: Networks of this host
      ansible.builtin.include_role:
        name: network
`;
}

function play({ path, role, group }: PlannedUnit, mode: 'create' | 'scale' | 'delete'): string {
  return `
- name: ${path}
  hosts: ${group}
  become: true
  gather_facts: false
  any_errors_fatal: true
  tasks:
    - name: Instances of this host
      ansible.builtin.include_role:
        name: "${role}"
      vars:
        mode: ${mode}${mode === 'scale' ? `\n      when: unit == '${role}'` : ''}
`;
}

export function hosts(groups: readonly Group[]): string {
  const sites = groups.map(
    ({ name, of }) => `    ${name}:
      vars:
        # What the descriptor asks for.
        ${of?.kind ?? 'site'}: ${unsafeYaml(of?.name ?? 'any')}
      hosts:
        localhost:
`,
  );
  return `# Where everything runs: a group for each site, with its hosts. As it is written, all of it runs on this machine. Of
# several hosts, each needs the address under which the others reach it (the instances take turns on the hosts of a group):
#
#     site_edge:
#       hosts:
#         edge1: {ansible_host: 192.0.2.11, underlay_address: 192.0.2.11}
#         edge2: {ansible_host: 192.0.2.12, underlay_address: 192.0.2.12}
all:
  hosts:
    localhost:
      ansible_connection: local
      underlay_address: 127.0.0.1
  children:${sites.length === 0 ? ' {}\n' : `\n${sites.join('')}`}`;
}

export function groupVars({ block, version }: Service, { networks }: Plan, routes: readonly HostRoute[]): string {
  return `service: "${block.name}"
service_version: ${unsafeYaml(version)}
service_description: ${unsafeYaml(block.description ?? '')}
# What the playbooks remember on each host.
state_folder: /var/lib/superfluidity-ansible/${block.name}
# Folder of the descriptor on the machine that runs Ansible: files and images of the service are below it.
package_folder: "{{ playbook_dir }}/package"
# Where each host has the disk images that are known by name.
image_folder: /var/lib/superfluidity-ansible/images
# More options for \`podman run\`.
podman_options: ""
networks:${list(networks, network)}
# Chains: what comes from a bridge to, or from, a service address goes on to a hop in another network.
chain_routes:${list(routes, (route) => `  - {from: ${route.from}, direction: ${route.direction}, address: ${route.address}, via: ${route.via}, bridge: ${route.bridge}, table: ${route.table}}\n`)}`;
}

function network({ network: { name }, bridge, vxlan, vni, mtu, gateway, length }: PlannedNetwork): string {
  return `  - {name: "${name}", bridge: ${bridge}, vxlan: ${vxlan}, vni: ${vni}, mtu: ${mtu}, gateway: ${gateway}/${length}}\n`;
}

function list<T>(items: readonly T[], line: (item: T) => string): string {
  return items.length === 0 ? ' []\n' : `\n${items.map(line).join('')}`;
}

export interface Copied {
  /** Below the folder of the package, and then below that of the unit. */
  readonly from: string;
  readonly to: 'files' | 'image';
  readonly folder: boolean;
}

export function unitVars(planned: PlannedUnit, copied: readonly Copied[]): string {
  const { path, role, group, fn, unit, scale, ports } = planned;
  const { environment, forwards } = unit.execution!;
  return `path: ${path}
function_description: ${unsafeYaml(fn.description ?? '')}
unit_description: ${unsafeYaml(unit.description ?? '')}
group: ${group}
initial: ${scale.initial}
maximum: ${scale.max}
kind: ${environment === 'vm' ? 'machine' : 'namespace'}
forwards: ${forwards === true ? '"yes"' : '"no"'}
# \`first\` is the address of the instance 0 as a number: instance 1 has the next one.
ports:${list(
    ports,
    ({ port, network: of, device, first }) =>
      `  - {interface: ${JSON.stringify(port.internalIf ?? port.name)}, device: ${device}, bridge: ${of.bridge}, mtu: ${of.mtu}, first: ${first}, length: ${of.length}, gateway: ${of.gateway}${port.mac === undefined ? '' : `, mac: "${port.mac}"`}}\n`,
  )}copied:${list(copied, ({ from, to, folder }) => `  - {from: ${unsafeYaml(folder ? `${from}/` : from)}, to: ${folder ? `${to}/` : to}}\n`)}unit_folder: "{{ state_folder }}/${role}"
instance_name: "{{ service }}-${role}-{{ instance }}"
instance_folder: "{{ unit_folder }}/{{ instance }}"
address: "{% set n = ports[0].first + (instance | int) %}{{ n // 16777216 }}.{{ n // 65536 % 256 }}.{{ n // 256 % 256 }}.{{ n % 256 }}"
`;
}

/** The same in every role of a unit. `mode` is create, scale, or delete. */
export const UNIT_MAIN = `- name: Look whether the unit is here
  ansible.builtin.stat:
    path: "{{ unit_folder }}"
  register: known

- name: Find its instances
  ansible.builtin.find:
    paths: "{{ unit_folder }}"
    file_type: directory
  register: found
  when: known.stat.exists

- name: Take their numbers
  ansible.builtin.set_fact:
    here: "{{ found.files | default([]) | map(attribute='path') | map('basename') | select('match', '^[0-9]+$') | map('int') | sort }}"
    slot: "{{ groups[group].index(inventory_hostname) }}"
    slots: "{{ groups[group] | length }}"

# Instances take turns on the hosts of the group. \`create\` keeps what \`scale\` made.
- name: Decide which are to be here
  ansible.builtin.set_fact:
    wanted: >-
      {{ [] if mode == 'delete'
         else range(slot | int, count | int, slots | int) | list if mode == 'scale'
         else range(slot | int, initial, slots | int) | list
              | union(here | intersect(range(slot | int, maximum, slots | int) | list)) }}

- name: Stop those that are not
  ansible.builtin.include_tasks: stop.yml
  loop: "{{ here | difference(wanted) }}"
  loop_control:
    loop_var: instance

- name: Look how it has been run
  ansible.builtin.stat:
    path: "{{ unit_folder }}/.unit/run"
  register: former

- name: Stop what was run in another way
  ansible.builtin.include_tasks: stop.yml
  loop: "{{ here | intersect(wanted) }}"
  loop_control:
    loop_var: instance
  when: former.stat.exists and former.stat.checksum != lookup('file', role_path ~ '/files/run', rstrip=False) | hash('sha1')

- name: Bring the unit
  when: wanted | length > 0
  block:
    - name: Make its folder
      ansible.builtin.file:
        path: "{{ unit_folder }}/.unit/package"
        state: directory
        mode: "0700"

    - name: Copy how it is run
      ansible.builtin.copy:
        src: "{{ item }}"
        dest: "{{ unit_folder }}/.unit/{{ item }}"
        mode: "0700"
      loop: [run, routes, rules.nft]

    - name: Copy what it is made of
      ansible.builtin.copy:
        src: "{{ package_folder }}/{{ item.from }}"
        dest: "{{ unit_folder }}/.unit/package/{{ item.to }}"
        mode: preserve
        local_follow: false
      loop: "{{ copied }}"

- name: Start those that are wanted
  ansible.builtin.include_tasks: start.yml
  loop: "{{ wanted }}"
  loop_control:
    loop_var: instance

- name: Remove what is left
  ansible.builtin.file:
    path: "{{ unit_folder }}"
    state: absent
  when: mode == 'delete'
`;

const RUN = `  environment:
    PODMAN_OPTIONS: "{{ podman_options }}"
    IMAGE_FOLDER: "{{ image_folder }}"
`;

export function startTasks(health: HealthCheck | undefined): string {
  return `- name: Make the folder of the instance
  ansible.builtin.file:
    path: "{{ instance_folder }}"
    state: directory
    mode: "0700"

- name: Say which ports it has
  ansible.builtin.template:
    src: ports.j2
    dest: "{{ instance_folder }}/ports"
    mode: "0600"

- name: Plug it in
  ansible.builtin.command:
    argv:
      - "{{ state_folder }}/.bin/plug"
      - start
      - "{{ instance_name }}"
      - "{{ instance_folder }}"
      - "{{ unit_folder }}/.unit"
      - "{{ kind }}"
      - "{{ forwards }}"
  register: plugged
  changed_when: "'changed' in plugged.stdout"

- name: Start it
  ansible.builtin.command:
    argv: ["{{ unit_folder }}/.unit/run", start, "{{ instance_name }}", "{{ instance_folder }}", "{{ unit_folder }}/.unit"]
  register: started
  changed_when: "'changed' in started.stdout"
${RUN}${health === undefined ? '' : `\n${waitTask(health)}`}`;
}

/** What comes after waits until this is well. */
function waitTask(health: HealthCheck): string {
  const seconds = Math.max(1, Math.ceil(health.timeoutMs / 1_000));
  const until = `  retries: ${seconds}\n  delay: 1\n`;
  switch (health.kind) {
    case 'ping':
      return `- name: Wait until it answers
  ansible.builtin.command:
    argv: [ping, -n, -c, "1", -W, "1", "{{ address }}"]
  register: answered
  until: answered is succeeded
  changed_when: false
${until}`;
    case 'tcp':
      return `- name: Wait until it listens
  ansible.builtin.wait_for:
    host: "{{ address }}"
    port: ${health.port}
    timeout: ${seconds}
`;
    case 'http':
      return `- name: Wait until it answers
  ansible.builtin.uri:
    url: "http://{{ address }}:${health.port}${urlPath(health.path)}"
    timeout: 5
  register: answered
  until: answered is succeeded
${until}`;
    case 'running':
      return `- name: Wait until it runs
  ansible.builtin.command:
    argv: ["{{ unit_folder }}/.unit/run", status, "{{ instance_name }}", "{{ instance_folder }}", "{{ unit_folder }}/.unit"]
  register: running
  until: running is succeeded
  changed_when: false
${until}`;
  }
}

/** Only what a URL has as it is: neither braces, which Jinja would look for, nor quotes of YAML. */
function urlPath(path: string): string {
  const from = path.startsWith('/') ? path : `/${path}`;
  return from
    .toWellFormed()
    .replace(/[^A-Za-z0-9\-._~!$&'()*+,;=:@/?%]/g, (character) => encodeURIComponent(character));
}

export const STOP_TASKS = `- name: Stop it
  ansible.builtin.command:
    argv: ["{{ unit_folder }}/.unit/run", stop, "{{ instance_name }}", "{{ instance_folder }}", "{{ unit_folder }}/.unit"]
  register: stopped
  changed_when: "'changed' in stopped.stdout"
${RUN}
- name: Unplug it
  ansible.builtin.command:
    argv: ["{{ state_folder }}/.bin/plug", stop, "{{ instance_name }}", "{{ instance_folder }}"]
  register: unplugged
  changed_when: "'changed' in unplugged.stdout"

- name: Remove its folder
  ansible.builtin.file:
    path: "{{ instance_folder }}"
    state: absent
`;

/** Addresses made by the host have the bit of those that nobody has bought (IEEE 802, clause 8.4). */
export const PORTS_TEMPLATE = `{% for port in ports %}
{% set n = port.first + (instance | int) %}
{% set mac = '02' ~ ((port.device ~ '-' ~ instance) | hash('sha1'))[:10] | regex_replace('(..)', ':\\\\1') %}
{{ port.device }}-{{ instance }} {{ port.interface }} {{ port.bridge }} {{ port.mtu }} {{ port.mac | default(mac) }} {{ n // 16777216 }}.{{ n // 65536 % 256 }}.{{ n // 256 % 256 }}.{{ n % 256 }}/{{ port.length }} {{ port.gateway }}
{% endfor %}
`;

export function networkTasks(programs: readonly string[]): string {
  return `- name: Look whether the host has what is needed
  ansible.builtin.shell: command -v {{ item }}
  loop: [${programs.join(', ')}]
  changed_when: false

- name: Make the folder of the service
  ansible.builtin.file:
    path: "{{ state_folder }}/.bin"
    state: directory
    mode: "0700"

- name: Copy the scripts
  ansible.builtin.copy:
    src: "{{ item }}"
    dest: "{{ state_folder }}/.bin/{{ item }}"
    mode: "0700"
  loop: [bridge, plug]

- name: Make the networks
  ansible.builtin.command:
    argv: >-
      {{ [state_folder ~ '/.bin/bridge', 'start', item.bridge, item.vxlan, item.vni | string, item.mtu | string, item.gateway, underlay_address]
         + groups['all'] | difference([inventory_hostname]) | map('extract', hostvars, 'underlay_address') | list }}
  loop: "{{ networks }}"
  register: made
  changed_when: "'changed' in made.stdout"

- name: Lead chains from network to network
  ansible.builtin.command:
    argv:
      - "{{ state_folder }}/.bin/bridge"
      - route
      - "{{ item.from }}"
      - "{{ item.direction }}"
      - "{{ item.address }}"
      - "{{ item.via }}"
      - "{{ item.bridge }}"
      - "{{ item.table }}"
  loop: "{{ chain_routes }}"
  register: led
  changed_when: "'changed' in led.stdout"
`;
}

export const NETWORK_DELETE = `- name: Find what is here
  ansible.builtin.stat:
    path: "{{ state_folder }}/.bin/bridge"
  register: script

- name: Remove networks
  when: script.stat.exists
  block:
    - name: Lead no chains any more
      ansible.builtin.command:
        argv: ["{{ state_folder }}/.bin/bridge", unroute, "{{ item.table }}"]
      loop: "{{ chain_routes }}"
      register: led
      changed_when: "'changed' in led.stdout"

    - name: Remove the networks
      ansible.builtin.command:
        argv: ["{{ state_folder }}/.bin/bridge", stop, "{{ item.bridge }}", "{{ item.vxlan }}"]
      loop: "{{ networks }}"
      register: removed
      changed_when: "'changed' in removed.stdout"

    - name: Remove the folder of the service
      ansible.builtin.file:
        path: "{{ state_folder }}"
        state: absent
`;
