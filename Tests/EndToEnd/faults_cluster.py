"""Members of a cluster as processes in namespaces of their own, each on a small disk of its own."""

import errno
import glob
import os
import re
import shutil
import time

from cluster import Cluster, Member
from faults_network import CommandFailed, Network, mount_disk, run
from harness import eventually, faketime
from wire import pb

DISK_BYTES = 512 << 20


class FaultyMember(Member):
    def __init__(self, binary, number, flags, directory, on_disk):
        os.makedirs(directory)
        super().__init__(binary, number, flags, directory)
        self.number = number
        self.client_port, self.peer_port = 2379, 2380
        self.disk = os.path.join(directory, "disk")
        self.data_directory = os.path.join(self.disk, "data")
        self.clock = {}  # Environment for libfaketime.
        self.paused = False
        self.crashes = []
        if on_disk:
            os.makedirs(self.disk)
        else:
            mount_disk(self.disk, DISK_BYTES)

    @property
    def endpoint(self):
        return f"{Network.address(self.number)}:{self.client_port}"

    @property
    def peer_url(self):
        return f"http://{Network.address(self.number)}:{self.peer_port}"

    def command(self):
        # Whatever kills this script kills the members too.
        clock = [f"{name}={value}" for name, value in self.clock.items()]
        return [*Network.inside(self.number), "env", *clock, "setpriv", "--pdeathsig", "KILL", "--",
                *super().command()]

    def launch(self):
        self.paused = False
        return super().launch()

    def signal(self, number):
        self.process.send_signal(number)

    def ended(self):
        """Whether it has ended by itself, as it was expected to; then it is no longer among the running ones."""
        if self.process and self.process.poll() is not None:
            self.exit_code = self.process.returncode
            super().kill()
        return self.process is None

    def kill(self):
        self.note_crash()
        return super().kill()

    def note_crash(self):
        """If it has ended by itself, and nobody expected that."""
        if self.process and self.process.poll() is not None:
            self.crashes.append(f"{self.name} ended with {self.process.returncode}:\n{self.log_tail()}")
            super().kill()

    def count_in_log(self, text):
        return self.log_since(0).decode(errors="replace").count(text)

    def set_clock(self, rate=None, offset=None):
        """A clock that runs at another rate, or a wall clock that is off; the offset can be changed while it runs."""
        self.clock = {}
        if rate is None and offset is None:
            return
        self.clock["LD_PRELOAD"] = faketime()
        if rate is not None:
            self.clock["FAKETIME"] = f"+0 x{rate}"
        else:
            path = os.path.join(self.directory, "clock")
            write_offset(path, offset)
            self.clock.update(FAKETIME_TIMESTAMP_FILE=path, FAKETIME_CACHE_DURATION="1",
                              FAKETIME_DONT_FAKE_MONOTONIC="1")

    def jump(self, offset):
        write_offset(self.clock["FAKETIME_TIMESTAMP_FILE"], offset)

    # The disk.

    @property
    def ballast(self):
        return os.path.join(self.disk, "ballast")

    def fill_disk(self, leave):
        with open(self.ballast, "wb") as file:
            while True:
                status = os.statvfs(self.disk)
                size = status.f_bavail * status.f_frsize - leave
                if size <= 0:
                    return
                try:
                    return os.posix_fallocate(file.fileno(), 0, size)
                except OSError as error:
                    # The member has taken some of it meanwhile.
                    if error.errno != errno.ENOSPC:
                        raise

    def free_disk(self):
        if os.path.exists(self.ballast):
            os.remove(self.ballast)

    def segments(self):
        return sorted(glob.glob(os.path.join(self.data_directory, "log", "*.log")))

    def flip_byte(self, rng):
        """Damages the log of a stopped member where it had been synced. Returns the file's name and the offset, or
        None if there is too little in it."""
        path = rng.choice(self.segments())
        with open(path, "r+b") as file:
            data = file.read()
            end = len(data.rstrip(b"\0"))
            # The last batch may look like a torn one, which is repaired instead.
            last = path == self.segments()[-1]
            end -= (64 << 10) if last else 8
            if end < 1024:
                return None
            offset = rng.randrange(16, end)
            file.seek(offset)
            file.write(bytes([data[offset] ^ (1 << rng.randrange(8))]))
        return os.path.basename(path), offset

    def wipe(self):
        shutil.rmtree(self.data_directory)

    def remove(self):
        self.kill()
        if os.path.ismount(self.disk):
            # The kernel needs a moment to let go of what a killed process had open.
            eventually(lambda: unmounted(self.disk), timeout=5)

    def keep(self):
        """Copies what would be gone with the process."""
        if os.path.ismount(self.disk):
            self.free_disk()
            shutil.copytree(self.disk, os.path.join(self.directory, "kept"), dirs_exist_ok=True)


def unmounted(disk):
    try:
        run("umount", disk)
    except CommandFailed:
        return False
    return True


def write_offset(path, offset):
    with open(path + ".new", "w") as file:
        file.write(f"{offset:+d}\n")
    os.rename(path + ".new", path)


class FaultyCluster(Cluster):
    def __init__(self, binary, count, flags, directory, on_disk=False):
        self.binary, self.flags, self.directory = binary, list(flags), directory
        self.network = Network(count)
        self.members = [FaultyMember(binary, number, flags, os.path.join(directory, f"m{number}"), on_disk)
                        for number in self.network.numbers]
        self.clients = {}
        for member in self.members:
            member.initial = self.initial()

    def peek_leader(self):
        """The member that says it leads, in the highest term, as far as anyone answers at once; or None."""
        best = (0, None)
        for member in self.running():
            if member.paused:
                continue
            answer = self.client(member).call("Maintenance/Status", pb.StatusRequest(), timeout=0.3)
            if answer.ok and answer.message.leader == answer.message.header.member_id:
                best = max(best, (answer.message.raftTerm, member), key=lambda found: found[0])
        return best[1]

    def forget_clients(self):
        """Connections that went through a fault may be silent for long: TCP waits longer after each attempt."""
        for client in self.clients.values():
            client.close()
        self.clients.clear()

    def _other_client(self, member):
        return self.client(next(each for each in self.running() if each is not member))

    def expel(self, member):
        """Takes it out of the cluster."""
        client = self._other_client(member)
        listed = client.must("Cluster/MemberList", pb.MemberListRequest()).members
        old = next(each for each in listed if each.name == member.name)
        insist(lambda: client.call("Cluster/MemberRemove", pb.MemberRemoveRequest(ID=old.ID)), "removed",
               settled=lambda answer: answer.code == "NOT_FOUND")

    def readmit(self, member, as_learner):
        """Adds an expelled and stopped member again, with nothing."""
        client = self._other_client(member)
        member.wipe()
        request = pb.MemberAddRequest(peerURLs=[member.peer_url], isLearner=as_learner)
        insist(lambda: client.call("Cluster/MemberAdd", request), "added",
               settled=lambda answer: "exist" in answer.text)
        member.state = "existing"
        member.launch()

    def promote(self, member):
        """Makes a learner a voter, once it has caught up."""
        client = self._other_client(member)
        listed = client.must("Cluster/MemberList", pb.MemberListRequest()).members
        learner = next(each for each in listed if member.peer_url in each.peerURLs)
        insist(lambda: client.call("Cluster/MemberPromote", pb.MemberPromoteRequest(ID=learner.ID)), "promoted",
               settled=lambda answer: answer.text == "etcdserver: can only promote a learner member")

    def remove(self):
        super().remove()
        self.network.heal()


def insist(call, what, settled, timeout=40):
    """Asks until it is done: a change of membership may be refused while members were not in touch for long."""
    deadline = time.monotonic() + timeout
    while True:
        answer = call()
        if answer.ok or settled(answer):
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"not {what}: {answer.code} {answer.text}")
        time.sleep(0.2)


def refusal(log):
    """(file name, offset of the record) that a member which does not start names, or None."""
    found = re.findall(r"cannot start.*?([0-9a-f-]+\.log) is damaged at byte (\d+)", log)
    return (found[-1][0], int(found[-1][1])) if found else None
