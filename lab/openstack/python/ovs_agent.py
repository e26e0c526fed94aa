"""The Open vSwitch agent of Neutron, looking for new ports five times a second.

Its own option takes whole seconds, which would be most of the time until a port is ACTIVE.
"""
import time

# First: this makes threads cooperative before anything else is imported.
from neutron.cmd.eventlet.plugins import ovs_neutron_agent as program
from neutron.plugins.ml2.drivers.openvswitch.agent import ovs_neutron_agent

POLLING_INTERVAL_SECONDS = 0.2


def wait_shortly(self, start_time, port_stats):
    time.sleep(max(0, POLLING_INTERVAL_SECONDS - (time.time() - start_time)))
    self.iter_num += 1


ovs_neutron_agent.OVSNeutronAgent.loop_count_and_wait = wait_shortly
ovs_neutron_agent.LOG.logger.addFilter(lambda record: 'rpc_loop - iteration' not in str(record.msg))

if __name__ == '__main__':
    program.main()
