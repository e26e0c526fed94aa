# What Ansible tells, as one JSON object on each line of standard output: read by ../follow.ts.
# Of what a task answered only the message is told, and nothing of a task that says no_log.
from __future__ import annotations

import json
import sys

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: superfluidity_lines
type: stdout
short_description: a line of JSON for each event
description: For the control plane of Superfluidity, which makes steps of operations of it.
"""

TEXT_MAX = 1000


def text_of(result):
    said = result._result
    if said.get("_ansible_no_log") or result._task.no_log:
        return "nothing is told of this task (no_log)"
    parts = [said.get(key) for key in ("msg", "stderr", "reason", "exception")]
    if not any(parts) and isinstance(said.get("results"), list):
        failed = [one for one in said["results"] if isinstance(one, dict) and one.get("failed")]
        parts = [one.get("msg") or one.get("stderr") for one in failed[:3]]
    return ": ".join(str(part) for part in parts if part)[:TEXT_MAX]


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "superfluidity_lines"

    def line(self, event, **fields):
        sys.stdout.write(json.dumps({"event": event, **fields}) + "\n")
        sys.stdout.flush()

    def result(self, state, result):
        host = result._host.get_name()
        text = text_of(result) if state in ("failed", "unreachable") else ""
        self.line("host", state=state, host=host, text=text)

    def v2_playbook_on_play_start(self, play):
        self.line("play", name=play.get_name().strip())

    def v2_playbook_on_task_start(self, task, is_conditional):
        self.line("task", name=task.get_name().strip())

    def v2_playbook_on_handler_task_start(self, task):
        self.line("task", name=task.get_name().strip())

    def v2_runner_on_ok(self, result):
        self.result("changed" if result._result.get("changed") else "ok", result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self.result("ignored" if ignore_errors else "failed", result)

    def v2_runner_on_unreachable(self, result):
        self.result("unreachable", result)

    def v2_runner_on_skipped(self, result):
        self.result("skipped", result)

    def v2_playbook_on_stats(self, stats):
        hosts = {host: stats.summarize(host) for host in sorted(stats.processed)}
        said = {}
        for custom in stats.custom.values():
            said.update(custom)
        self.line("stats", hosts=hosts, said=said)
