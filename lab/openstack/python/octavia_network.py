"""Octavia's network driver of the laboratory: real Neutron for what users see, nothing for amphorae.

Octavia's own no-op driver hands out invented addresses (198.51.100.1) and never makes a port. This one makes, checks
and deletes the real port of the address, and plugs nothing anywhere.
"""
from octavia.network import base
from octavia.network.drivers.neutron.allowed_address_pairs import AllowedAddressPairsDriver
from octavia.network.drivers.noop_driver.driver import NoopNetworkDriver


class LabNetworkDriver(NoopNetworkDriver):
    def __init__(self):
        super().__init__()
        self.real = AllowedAddressPairsDriver()

    def allocate_vip(self, loadbalancer):
        return self.real.allocate_vip(loadbalancer)

    def deallocate_vip(self, vip):
        try:
            port = self.real.get_port(vip.port_id)
        except base.PortNotFound:
            return
        if port.device_owner == 'Octavia':  # a port that the user brought stays
            self.real.delete_port(vip.port_id)

    def get_network(self, network_id, context=None):
        try:
            return self.real.get_network(network_id, context=context)
        except base.NetworkNotFound:  # the management network of amphorae is invented
            if context is not None:
                raise
            return super().get_network(network_id)

    def get_subnet(self, subnet_id, context=None):
        return self.real.get_subnet(subnet_id, context=context)

    def get_port(self, port_id, context=None):
        try:
            return self.real.get_port(port_id, context=context)
        except base.PortNotFound:
            if context is not None:
                raise
            return super().get_port(port_id)
