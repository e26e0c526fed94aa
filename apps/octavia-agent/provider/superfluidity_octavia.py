"""Octavia provider that hands each call on to an agent, over a Unix socket, and decides nothing itself.

One message each way, "<length>\n<json>", as on the sockets of octavia-driver-agent:
  {"call": "pool_update", "arguments": [old, new]}  ->  {"status": 200} or {"status": 501, "fault": "..."}
The agent answers when it has written the change down; that it is done it reports to octavia-driver-agent.
"""
import json
import socket

from octavia_lib.api.drivers import data_models
from octavia_lib.api.drivers import exceptions
from octavia_lib.api.drivers import provider_base
from oslo_config import cfg

cfg.CONF.register_opts([
    cfg.StrOpt('socket_path', default='/var/run/octavia/superfluidity.sock', help='Where the agent listens.'),
    cfg.IntOpt('timeout', default=5, min=1, max=60, help='Seconds to wait for the agent.'),
], group='superfluidity')

ANSWER_MAX = 1 << 20
CALLS = [
    'loadbalancer_create', 'loadbalancer_delete', 'loadbalancer_failover', 'loadbalancer_update',
    'listener_create', 'listener_delete', 'listener_update',
    'pool_create', 'pool_delete', 'pool_update',
    'member_create', 'member_delete', 'member_update', 'member_batch_update',
    'health_monitor_create', 'health_monitor_delete', 'health_monitor_update',
    'l7policy_create', 'l7policy_delete', 'l7policy_update',
    'l7rule_create', 'l7rule_delete', 'l7rule_update',
]


def plain(value):
    """Without what was not set: an update has only what changes."""
    if isinstance(value, data_models.BaseDataModel):
        return {k: plain(v) for k, v in vars(value).items() if not isinstance(v, data_models.UnsetType)}
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items() if not isinstance(v, data_models.UnsetType)}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, bytes):
        return value.decode()
    return value if isinstance(value, (str, int, float, bool)) or value is None else str(value)


def receive(connection):
    length = b''
    while not length.endswith(b'\n'):
        byte = connection.recv(1)
        if not byte or len(length) > 10:
            raise ValueError('no length')
        length += byte
    left = int(length)
    if left > ANSWER_MAX:
        raise ValueError('too long')
    data = b''
    while len(data) < left:
        part = connection.recv(left - len(data))
        if not part:
            raise ValueError('cut off')
        data += part
    return json.loads(data)


def ask(call, arguments):
    conf = cfg.CONF.superfluidity
    message = json.dumps({'call': call, 'arguments': plain(arguments)}).encode()
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(conf.timeout)
            connection.connect(conf.socket_path)
            connection.sendall(b'%d\n' % len(message) + message)
            answer = receive(connection)
    except (OSError, ValueError) as error:
        raise exceptions.DriverError(
            user_fault_string='The agent of the balancer does not answer.',
            operator_fault_string='%s: %s' % (conf.socket_path, error))
    if answer.get('status') == 200:
        return
    fault = str(answer.get('fault', ''))[:1000]
    kind = exceptions.UnsupportedOptionError if answer.get('status') == 501 else exceptions.DriverError
    raise kind(user_fault_string=fault, operator_fault_string=fault)


def forward(call):
    def method(self, *arguments, **named):
        ask(call, list(arguments) + list(named.values()))
    return method


class Provider(provider_base.ProviderDriver):
    def get_supported_flavor_metadata(self):
        return {}

    def validate_flavor(self, flavor_metadata):
        if flavor_metadata:
            raise exceptions.UnsupportedOptionError(
                user_fault_string='This provider has no flavors.', operator_fault_string='no flavors')

    def get_supported_availability_zone_metadata(self):
        return {}

    def validate_availability_zone(self, availability_zone_metadata):
        if availability_zone_metadata:
            raise exceptions.UnsupportedOptionError(
                user_fault_string='This provider has no availability zones.', operator_fault_string='no zones')


for name in CALLS:
    setattr(Provider, name, forward(name))
