"""A part of a processor for a process, as if it had a machine of its own."""

import os
import pathlib

# Short, so that a process that has used its part up waits for milliseconds.
PERIOD_MICROSECONDS = 10_000
V1 = pathlib.Path("/sys/fs/cgroup/cpu")
V2 = pathlib.Path("/sys/fs/cgroup")


def is_possible():
    """Quotas need a control group, and so a hierarchy with the cpu controller that may be written to."""
    return hierarchy() is not None


def hierarchy():
    for root, file in ((V1, "cpu.cfs_quota_us"), (V2, "cgroup.subtree_control")):
        if os.access(root / file, os.W_OK) and (root == V1 or "cpu" in (root / file).read_text().split()):
            return root
    return None


class CPUShare:
    """Of one core; the group goes with its process."""

    def __init__(self, cores, process):
        root = hierarchy()
        self.group = root / f"strake-bench-{process.pid}"
        self.group.mkdir()
        quota = int(cores * PERIOD_MICROSECONDS)
        if root == V1:
            (self.group / "cpu.cfs_period_us").write_text(str(PERIOD_MICROSECONDS))
            (self.group / "cpu.cfs_quota_us").write_text(str(quota))
        else:
            (self.group / "cpu.max").write_text(f"{quota} {PERIOD_MICROSECONDS}")
        (self.group / "cgroup.procs").write_text(str(process.pid))

    def remove(self):
        """After the process has been waited for: a group with a process in it stays."""
        self.group.rmdir()
