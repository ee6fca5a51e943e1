"""Hand-picked conversations about users, roles and permissions. Each runs on two fresh servers."""

import time

from normalise import describe, normalised
from wire import auth_pb, election_pb, lock_pb, pb

ALL = dict(key=b"\0", range_end=b"\0")
READ, WRITE, BOTH = 0, 1, 2
ROOT, PASSWORD = "root", "root's"
DENIED, NOBODY = "etcdserver: permission denied", "etcdserver: user name is empty"


def permission(kind, key, range_end=b""):
    return auth_pb.Permission(permType=kind, key=key, range_end=range_end)


def order_ties(message):
    """etcd sorts permissions by their keys alone, and leaves those with one key in any order."""
    permissions = sorted(message.perm, key=lambda each: (each.key, each.range_end))
    del message.perm[:]
    message.perm.extend(permissions)


class Users:
    """Calls with the tokens that each of the two servers has given."""

    def __init__(self, pair):
        self.pair = pair
        self.tokens = {}

    def call(self, method, request, user=None, label=None):
        answers = [client.call(method, request, metadata=self.metadata(user, number))
                   for number, client in enumerate(self.pair.clients)]
        for answer in answers:
            if method == "Auth/RoleGet" and answer.ok:
                order_ties(answer.message)
        name = label or f"{method} {describe(request)[:120]}"
        return self.pair.compare(f"{name} as {user}", answers, request)

    def metadata(self, user, number):
        return [("token", self.tokens[user][number])] if user else None

    def authenticate(self, user, password):
        request = pb.AuthenticateRequest(name=user, password=password)
        answers = [client.call("Auth/Authenticate", request) for client in self.pair.clients]
        self.tokens[user] = [answer.message.token if answer.ok else "" for answer in answers]
        for answer in answers:
            if answer.ok:
                answer.message.token = "<token>"
        self.pair.compare(f"authenticate {user} with {password!r}", answers)

    def newer(self, method, request, user, text="", label=None):
        """What later versions refuse and the peer lets pass, or answers in another way: asked of the server alone."""
        answer = self.pair.clients[0].call(method, request, metadata=self.metadata(user, 0))
        name = label or f"{method} {describe(request)[:120]}"
        self.pair.step += 1
        self.pair.results.equal(f"{self.pair.name}: {name} as {user}", answer.text, text)

    def watch(self, user, **create):
        """A watch may see what a Range may read. (The peer lets some pass that have no end.)"""
        client, metadata = self.pair.clients[0], self.metadata(user, 0)
        key = create.get("key") or b"\0"
        read = client.call("KV/Range", pb.RangeRequest(key=key, range_end=create.get("range_end", b"")), metadata=metadata)
        with client.watch(create, metadata=metadata) as stream:
            first = stream.next(10)
        if read.ok:
            expected = "mvcc: watcher range is empty" if create.get("range_end", b"~") < key != b"\0" and \
                create["range_end"] not in (b"", b"\0") else ""
        else:
            code = "".join(part.capitalize() for part in read.code.split("_"))
            expected = f"rpc error: code = {code} desc = {read.text}"
        actual = (first.created, first.canceled, first.watch_id, first.cancel_reason)
        self.pair.step += 1
        self.pair.results.equal(f"{self.pair.name}: watch {create} as {user}", actual,
                                (True, bool(expected), -1 if expected else 0, expected))


def set_up(pair):
    """Root, and a user who reads a..c, writes w, reads and writes both..both5, and only writes d."""
    users = Users(pair)
    for name in ("root", "r", "w"):
        users.call("Auth/RoleAdd", pb.AuthRoleAddRequest(name=name))
    for role, kind, key, end in (("r", READ, b"a", b"c"), ("w", WRITE, b"w", b""), ("w", BOTH, b"both", b"both5"),
                                 ("w", WRITE, b"d", b""), ("r", READ, b"single", b"")):
        grant = pb.AuthRoleGrantPermissionRequest(name=role, perm=permission(kind, key, end))
        users.call("Auth/RoleGrantPermission", grant)
    for name, password in ((ROOT, PASSWORD), ("u", "u's"), ("idle", "idle's")):
        users.call("Auth/UserAdd", pb.AuthUserAddRequest(name=name, password=password))
    for name, role in ((ROOT, "root"), ("u", "r"), ("u", "w")):
        users.call("Auth/UserGrantRole", pb.AuthUserGrantRoleRequest(user=name, role=role))
    for key in (b"a", b"b", b"both", b"both1", b"d", b"single", b"secret", b"w"):
        users.call("KV/Put", pb.PutRequest(key=key, value=b"1"))
    for lease in (1, 2, 3):
        users.call("Lease/LeaseGrant", pb.LeaseGrantRequest(ID=lease, TTL=500))
    users.call("KV/Put", pb.PutRequest(key=b"both2", value=b"1", lease=1))
    users.call("KV/Put", pb.PutRequest(key=b"secret2", value=b"1", lease=2))
    users.call("Auth/AuthEnable", pb.AuthEnableRequest())
    users.authenticate(ROOT, PASSWORD)
    users.authenticate("u", "u's")
    users.authenticate("idle", "idle's")
    return users


def management(pair):
    users = Users(pair)
    call = users.call
    call("Auth/AuthEnable", pb.AuthEnableRequest(), label="without root")
    call("Auth/AuthDisable", pb.AuthDisableRequest(), label="while it is off")
    call("Auth/AuthStatus", pb.AuthStatusRequest())
    call("Auth/Authenticate", pb.AuthenticateRequest(name="x", password="y"), label="while it is off")
    for method, request in (
            ("RoleAdd", pb.AuthRoleAddRequest()), ("RoleAdd", pb.AuthRoleAddRequest(name="r")),
            ("RoleAdd", pb.AuthRoleAddRequest(name="r")), ("RoleAdd", pb.AuthRoleAddRequest(name="größe")),
            ("RoleGet", pb.AuthRoleGetRequest(role="r")), ("RoleGet", pb.AuthRoleGetRequest(role="x")),
            ("RoleList", pb.AuthRoleListRequest()),
            ("RoleGrantPermission", pb.AuthRoleGrantPermissionRequest(name="r")),
            ("RoleGrantPermission", pb.AuthRoleGrantPermissionRequest(name="x", perm=permission(READ, b"a"))),
            ("RoleGrantPermission", pb.AuthRoleGrantPermissionRequest(name="r", perm=permission(READ, b"m"))),
            ("RoleGrantPermission", pb.AuthRoleGrantPermissionRequest(name="r", perm=permission(BOTH, b"a", b"b"))),
            ("RoleGrantPermission", pb.AuthRoleGrantPermissionRequest(name="r", perm=permission(WRITE, b"z", b"\0"))),
            ("RoleGrantPermission", pb.AuthRoleGrantPermissionRequest(name="r", perm=permission(WRITE, b"m"))),
            ("RoleGet", pb.AuthRoleGetRequest(role="r")),
            ("RoleRevokePermission", pb.AuthRoleRevokePermissionRequest(role="x", key=b"a")),
            ("RoleRevokePermission", pb.AuthRoleRevokePermissionRequest(role="r", key=b"a")),
            ("RoleRevokePermission", pb.AuthRoleRevokePermissionRequest(role="r", key=b"a", range_end=b"b")),
            ("RoleGet", pb.AuthRoleGetRequest(role="r")),
            ("UserAdd", pb.AuthUserAddRequest(password="p")), ("UserAdd", pb.AuthUserAddRequest(name="u", password="p")),
            ("UserAdd", pb.AuthUserAddRequest(name="u", password="p")), ("UserAdd", pb.AuthUserAddRequest(name="e")),
            ("UserAdd", pb.AuthUserAddRequest(name="n", options=auth_pb.UserAddOptions(no_password=True))),
            ("UserGet", pb.AuthUserGetRequest(name="u")), ("UserGet", pb.AuthUserGetRequest(name="x")),
            ("UserList", pb.AuthUserListRequest()),
            ("UserGrantRole", pb.AuthUserGrantRoleRequest(user="x", role="r")),
            ("UserGrantRole", pb.AuthUserGrantRoleRequest(user="u", role="x")),
            ("UserGrantRole", pb.AuthUserGrantRoleRequest(user="u", role="root")),
            ("UserGrantRole", pb.AuthUserGrantRoleRequest(user="u", role="r")),
            ("UserGrantRole", pb.AuthUserGrantRoleRequest(user="u", role="r")),
            ("UserGet", pb.AuthUserGetRequest(name="u")),
            ("UserRevokeRole", pb.AuthUserRevokeRoleRequest(name="x", role="r")),
            ("UserRevokeRole", pb.AuthUserRevokeRoleRequest(name="u", role="x")),
            ("UserRevokeRole", pb.AuthUserRevokeRoleRequest(name="u", role="root")),
            ("UserChangePassword", pb.AuthUserChangePasswordRequest(name="x", password="p")),
            ("UserChangePassword", pb.AuthUserChangePasswordRequest(name="u", password="p2")),
            ("UserChangePassword", pb.AuthUserChangePasswordRequest(name="u", password="")),
            ("UserChangePassword", pb.AuthUserChangePasswordRequest(name="n", password="p2")),
            ("UserAdd", pb.AuthUserAddRequest(name="root", password=PASSWORD)),
            ("AuthEnable", pb.AuthEnableRequest()),
            ("UserGrantRole", pb.AuthUserGrantRoleRequest(user="root", role="root")),
            ("RoleDelete", pb.AuthRoleDeleteRequest(role="x")), ("RoleDelete", pb.AuthRoleDeleteRequest(role="r")),
            ("UserGet", pb.AuthUserGetRequest(name="u")), ("UserDelete", pb.AuthUserDeleteRequest(name="x")),
            ("UserDelete", pb.AuthUserDeleteRequest(name="u")), ("UserList", pb.AuthUserListRequest()),
            ("AuthEnable", pb.AuthEnableRequest())):
        if pair.versions[1] < (3, 5) and request == pb.AuthRoleGrantPermissionRequest(name="r"):
            # etcd 3.4 dies of a grant of nothing.
            users.newer(f"Auth/{method}", request, None, "etcdserver: permission not given")
        else:
            call(f"Auth/{method}", request)
    users.newer("Auth/AuthStatus", pb.AuthStatusRequest(), None)
    users.authenticate(ROOT, PASSWORD)
    for password in ("wrong", "", PASSWORD + "x", "x" * 100):
        users.authenticate("root", password)
    users.authenticate("nobody", "x")
    users.authenticate("n", "x")
    users.authenticate("e", "")
    users.authenticate(ROOT, PASSWORD)
    for method, request in (
            ("UserDelete", pb.AuthUserDeleteRequest(name="root")), ("RoleDelete", pb.AuthRoleDeleteRequest(role="root")),
            ("UserRevokeRole", pb.AuthUserRevokeRoleRequest(name="root", role="root")),
            ("AuthEnable", pb.AuthEnableRequest()), ("AuthStatus", pb.AuthStatusRequest()),
            ("UserList", pb.AuthUserListRequest()), ("AuthDisable", pb.AuthDisableRequest())):
        call(f"Auth/{method}", request, ROOT)
    # Everybody may ask since 3.7, with a token of before too.
    users.newer("Auth/AuthStatus", pb.AuthStatusRequest(), ROOT)
    call("Auth/AuthStatus", pb.AuthStatusRequest(), label="Auth/AuthStatus after it was disabled")


def compare(key, end=b""):
    return pb.Compare(key=key, range_end=end, result=0, target=0, version=1)


def op(**kind):
    return pb.RequestOp(**kind)


def keys(pair):
    """Every call on keys by root, by a user, by one without roles, and by nobody."""
    users = set_up(pair)
    ranges = ((b"a", b""), (b"b", b""), (b"c", b""), (b"a", b"c"), (b"a", b"d"), (b"a", b"\0"), (b"single", b""),
              (b"single", b"\0"), (b"single", b"single1"), (b"w", b""), (b"both", b"both5"), (b"both1", b"both2"),
              (b"secret", b""), (b"\0", b"\0"), (b"b", b"a"))
    for user in (ROOT, "u", "idle", None):
        for key, end in ranges:
            for serializable in (False, True):
                users.call("KV/Range", pb.RangeRequest(key=key, range_end=end, serializable=serializable), user)
            users.watch(user, key=key, range_end=end)
        users.watch(user)
        users.call("KV/Range", pb.RangeRequest(key=b"secret", count_only=True), user, "count of a secret key")
        for key in (b"w", b"a", b"both1", b"secret", b"d"):
            users.call("KV/Put", pb.PutRequest(key=key, value=b"2"), user)
            users.call("KV/Put", pb.PutRequest(key=key, value=b"3", prev_kv=True), user)
        for key, end in ((b"w", b""), (b"both", b"both5"), (b"both", b"both6"), (b"a", b""), (b"\0", b"\0")):
            users.call("KV/DeleteRange", pb.DeleteRangeRequest(key=key, range_end=end), user)
        users.call("KV/DeleteRange", pb.DeleteRangeRequest(key=b"d", prev_kv=True), user)
        transactions(users, user)
        if user == ROOT:
            users.call("KV/Compact", pb.CompactionRequest(revision=2), user)
        else:
            users.newer("KV/Compact", pb.CompactionRequest(revision=2), user, refusal(user))


# etcd 3.5.1 does not look into nested transactions, nor at what their puts give back.
NEWER = ("nested", "nested secret", "nested compare", "puts and looks")


def refusal(user):
    return DENIED if user else NOBODY


def transactions(users, user):
    secret, allowed = pb.RangeRequest(key=b"secret"), pb.RangeRequest(key=b"a")
    put, forbidden = pb.PutRequest(key=b"w", value=b"t"), pb.PutRequest(key=b"secret", value=b"t")
    for name, txn in {
            "empty": pb.TxnRequest(), "only compares": pb.TxnRequest(compare=[compare(b"a")]),
            "compares a secret": pb.TxnRequest(compare=[compare(b"secret")]),
            "compares a range": pb.TxnRequest(compare=[compare(b"a", b"d")]),
            "reads": pb.TxnRequest(success=[op(request_range=allowed)]),
            "reads a secret": pb.TxnRequest(success=[op(request_range=secret)]),
            "would read a secret": pb.TxnRequest(failure=[op(request_range=secret)]),
            "writes": pb.TxnRequest(success=[op(request_put=put)]),
            "would write": pb.TxnRequest(success=[op(request_put=put)], failure=[op(request_put=forbidden)]),
            "deletes": pb.TxnRequest(success=[op(request_delete_range=pb.DeleteRangeRequest(key=b"w"))]),
            "deletes a secret": pb.TxnRequest(success=[op(request_delete_range=pb.DeleteRangeRequest(key=b"secret"))]),
            "deletes and looks": pb.TxnRequest(
                success=[op(request_delete_range=pb.DeleteRangeRequest(key=b"d", prev_kv=True))]),
            "nested": pb.TxnRequest(success=[op(request_txn=pb.TxnRequest(success=[op(request_put=put)]))]),
            "nested secret": pb.TxnRequest(success=[op(request_txn=pb.TxnRequest(failure=[op(request_range=secret)]))]),
            "nested compare": pb.TxnRequest(
                failure=[op(request_txn=pb.TxnRequest(compare=[compare(b"secret")], success=[op(request_put=put)]))]),
            "puts and looks": pb.TxnRequest(
                success=[op(request_put=pb.PutRequest(key=b"d", value=b"t", prev_kv=True))]),
            "puts on a lease": pb.TxnRequest(success=[op(request_put=pb.PutRequest(key=b"w", value=b"t", lease=2))])}.items():
        if user == ROOT or name not in NEWER or (user == "u" and name == "nested"):
            users.call("KV/Txn", txn, user, f"txn that {name}")
        else:
            users.newer("KV/Txn", txn, user, refusal(user), f"txn that {name}")


def leases_and_members(pair):
    users = set_up(pair)
    # Of lease 1 a key that u may read and write hangs, of lease 2 a secret one, of lease 3 none; there is no lease 9.
    for user, forbidden in ((None, (1, 2, 3, 9)), ("idle", (1, 2)), ("u", (2,)), (ROOT, ())):
        leases(users, user, forbidden)
        maintenance(users, user)
        accounts(users, user)


def leases(users, user, forbidden):
    # etcd 3.5.1 tells everybody of leases, and keeps them alive for everybody.
    ask = users.call if user == ROOT else users.newer
    refused = refusal(user)
    for lease in (1, 2, 3, 9):
        text = (refused,) if lease in forbidden and user != ROOT else ()
        ask("Lease/LeaseTimeToLive", pb.LeaseTimeToLiveRequest(ID=lease, keys=True), user, *text)
        ask("Lease/LeaseTimeToLive", pb.LeaseTimeToLiveRequest(ID=lease), user, *(() if user else text))
        ask("Lease/LeaseKeepAlive", [pb.LeaseKeepAliveRequest(ID=lease)], user, *text)
    ask("Lease/LeaseLeases", pb.LeaseLeasesRequest(), user, *((refused,) if user != ROOT else ()))
    for lease in (1, 2, 3, 9):
        users.call("KV/Put", pb.PutRequest(key=b"w", value=b"1", lease=lease), user)
    if user:
        users.call("Lease/LeaseGrant", pb.LeaseGrantRequest(ID=100, TTL=500), user)
        for lease in (2, 9, 100) + ((1,) if user == "u" else ()):
            users.call("Lease/LeaseRevoke", pb.LeaseRevokeRequest(ID=lease), user)
    else:
        users.newer("Lease/LeaseGrant", pb.LeaseGrantRequest(TTL=500), user, refused)
        users.newer("Lease/LeaseRevoke", pb.LeaseRevokeRequest(ID=9), user, refused)


def maintenance(users, user):
    for method, request in (
            ("Cluster/MemberAdd", pb.MemberAddRequest(peerURLs=["bad"])),
            ("Cluster/MemberRemove", pb.MemberRemoveRequest(ID=1))):
        users.call(method, request, user)
    # Of a member that is not there etcd 3.5.1 may never answer.
    for method, request in (
            ("Cluster/MemberUpdate", pb.MemberUpdateRequest(ID=1, peerURLs=["http://127.0.0.1:1"])),
            ("Cluster/MemberPromote", pb.MemberPromoteRequest(ID=1))):
        users.newer(method, request, user, "etcdserver: member not found" if user == ROOT else refusal(user))
    for method, request in (("Cluster/MemberList", pb.MemberListRequest()), ("Maintenance/Status", pb.StatusRequest()),
                            ("Maintenance/Alarm", pb.AlarmRequest())):
        if user:
            users.call(method, request, user)
        else:
            users.newer(method, request, user, NOBODY)
    for method, request in (
            ("Maintenance/Defragment", pb.DefragmentRequest()), ("Maintenance/Hash", pb.HashRequest()),
            ("Maintenance/HashKV", pb.HashKVRequest()), ("Maintenance/Snapshot", pb.SnapshotRequest()),
            ("Maintenance/MoveLeader", pb.MoveLeaderRequest(targetID=1)),
            ("Maintenance/Alarm", pb.AlarmRequest(action=1, memberID=1, alarm=1))):
        if user != ROOT:
            users.newer(method, request, user, refusal(user))
        elif method not in ("Maintenance/Snapshot", "Maintenance/Alarm"):
            users.call(method, request, user)


def accounts(users, user):
    users.newer("Auth/AuthStatus", pb.AuthStatusRequest(), user)
    for method, request in (("AuthEnable", pb.AuthEnableRequest()), ("UserList", pb.AuthUserListRequest()),
                            ("RoleList", pb.AuthRoleListRequest())):
        users.call(f"Auth/{method}", request, user)
    for name in ("u", "root", "x"):
        users.call("Auth/UserGet", pb.AuthUserGetRequest(name=name), user)
    for name in ("r", "w", "x") + (("root",) if user != ROOT else ()):
        users.call("Auth/RoleGet", pb.AuthRoleGetRequest(role=name), user)
    if user != ROOT:
        for method, request in (
                ("AuthDisable", pb.AuthDisableRequest()), ("UserAdd", pb.AuthUserAddRequest(name="y", password="z")),
                ("UserDelete", pb.AuthUserDeleteRequest(name="u")),
                ("UserChangePassword", pb.AuthUserChangePasswordRequest(name="u", password="z")),
                ("UserGrantRole", pb.AuthUserGrantRoleRequest(user="u", role="root")),
                ("UserRevokeRole", pb.AuthUserRevokeRoleRequest(name="u", role="r")),
                ("RoleAdd", pb.AuthRoleAddRequest(name="y")), ("RoleDelete", pb.AuthRoleDeleteRequest(role="r")),
                ("RoleGrantPermission", pb.AuthRoleGrantPermissionRequest(name="r", perm=permission(BOTH, b"a"))),
                ("RoleRevokePermission", pb.AuthRoleRevokePermissionRequest(role="r", key=b"single"))):
            users.call(f"Auth/{method}", request, user)


def tokens(pair):
    """What makes a token void, and what does not."""
    users = set_up(pair)
    range_ = pb.RangeRequest(key=b"a")
    users.tokens["forged"] = ["abcdefghijklmnop.1"] * 2
    users.tokens["no token"] = ["x"] * 2
    for user in ("forged", "no token"):
        users.call("KV/Range", range_, user)
        users.call("KV/Put", pb.PutRequest(key=b"w", value=b"1"), user)
        users.call("KV/Txn", pb.TxnRequest(), user)
        users.call("Lease/LeaseGrant", pb.LeaseGrantRequest(TTL=100), user)
        users.watch(user, key=b"a")
    users.call("Auth/RoleAdd", pb.AuthRoleAddRequest(name="more"), ROOT)
    users.call("KV/Range", range_, "u", "after a change of roles")
    users.call("Auth/UserRevokeRole", pb.AuthUserRevokeRoleRequest(name="u", role="r"), ROOT)
    users.call("KV/Range", range_, "u", "after the role was revoked")
    users.call("Auth/UserGrantRole", pb.AuthUserGrantRoleRequest(user="u", role="r"), ROOT)
    users.call("KV/Range", range_, "u", "after the role was granted again")
    users.call("Auth/UserChangePassword", pb.AuthUserChangePasswordRequest(name="u", password="new"), ROOT)
    users.call("KV/Range", range_, "u", "after the password was changed")
    users.authenticate("u", "u's")
    users.authenticate("u", "new")
    users.call("KV/Range", range_, "u", "with a new token")
    users.call("Auth/UserDelete", pb.AuthUserDeleteRequest(name="u"), ROOT)
    users.call("KV/Range", range_, "u", "after the user was deleted")
    users.call("Auth/UserAdd", pb.AuthUserAddRequest(name="u", password="new"), ROOT)
    users.call("KV/Range", range_, "u", "after a user of that name was added")
    pair.restart()
    users.call("KV/Range", range_, None, "after a restart")
    users.authenticate(ROOT, PASSWORD)
    users.call("Auth/UserList", pb.AuthUserListRequest(), ROOT)
    users.call("Auth/AuthDisable", pb.AuthDisableRequest(), ROOT)
    users.call("KV/Range", range_, None, "after it was disabled")
    users.newer("KV/Range", range_, ROOT, label="with the token of before")
    users.call("Auth/AuthEnable", pb.AuthEnableRequest(), None)
    users.call("KV/Range", range_, ROOT, "with a token from before it was disabled")


def locks(pair):
    users = set_up(pair)
    for user in (ROOT, "u", None):
        users.call("Election/Leader", election_pb.LeaderRequest(name=b"a"), user)
        users.call("Election/Leader", election_pb.LeaderRequest(name=b"secret"), user)
        users.call("Lock/Lock", lock_pb.LockRequest(name=b"secret", lease=3), user)
        users.call("Lock/Lock", lock_pb.LockRequest(name=b"both1", lease=3), user)
        users.call("Lock/Unlock", lock_pb.UnlockRequest(key=b"both1/3"), user)
        users.call("Lock/Unlock", lock_pb.UnlockRequest(key=b"secret/3"), user)
        users.call("Election/Campaign", election_pb.CampaignRequest(name=b"both1", lease=3, value=b"v"), user)
        users.call("KV/DeleteRange", pb.DeleteRangeRequest(key=b"both1/3"), user)


def expiry(pair):
    """A token is good for a time after its last use."""
    users = set_up(pair)
    range_ = pb.RangeRequest(key=b"a")
    for _ in range(3):
        time.sleep(1)
        users.call("KV/Range", range_, "u", "used in time")
    time.sleep(4)
    users.call("KV/Range", range_, "u", "not used for long")
    users.call("KV/Range", range_, "idle", "never used")


NAMES, ROLES, LETTERS = ["ann", "bob", "eve"], ["r1", "r2", "r3"], b"abcdefgh"


def random_rights(pair, rng, rounds):
    """Users, roles and permissions at random, and after each change what a user may do with some ranges."""
    users = set_up(pair)
    granted = {role: [] for role in ROLES}
    for name in NAMES:
        users.call("Auth/UserAdd", pb.AuthUserAddRequest(name=name, password=name), ROOT)
    for role in ROLES:
        users.call("Auth/RoleAdd", pb.AuthRoleAddRequest(name=role), ROOT)
    for _ in range(rounds):
        user, role = rng.choice(NAMES), rng.choice(ROLES)
        kind = rng.random()
        if kind < 0.5:
            grant_at_random(users, rng, role, granted[role])
        elif kind < 0.6 and granted[role]:
            key, end = granted[role].pop(rng.randrange(len(granted[role])))
            revoke = pb.AuthRoleRevokePermissionRequest(role=role, key=key, range_end=end)
            users.call("Auth/RoleRevokePermission", revoke, ROOT)
        elif kind < 0.8:
            users.call("Auth/UserGrantRole", pb.AuthUserGrantRoleRequest(user=user, role=role), ROOT)
        elif kind < 0.9:
            users.call("Auth/UserRevokeRole", pb.AuthUserRevokeRoleRequest(name=user, role=role), ROOT)
        elif kind < 0.95:
            users.call("Auth/RoleDelete", pb.AuthRoleDeleteRequest(role=role), ROOT)
            users.call("Auth/RoleAdd", pb.AuthRoleAddRequest(name=role), ROOT)
            granted[role] = []
        else:
            users.call("Auth/UserDelete", pb.AuthUserDeleteRequest(name=user), ROOT)
            users.call("Auth/UserAdd", pb.AuthUserAddRequest(name=user, password=user), ROOT)
        users.call("Auth/RoleGet", pb.AuthRoleGetRequest(role=role), ROOT)
        users.call("Auth/UserGet", pb.AuthUserGetRequest(name=user), ROOT)
        probe(users, rng, user)


def random_range(rng):
    """(key, end); most are small, some have no end."""
    low = rng.randrange(len(LETTERS))
    key = LETTERS[low:low + 1]
    return key, rng.choice([b"", b"", b"\0", LETTERS[low:][1:2] or b"i", bytes([LETTERS[low] + rng.randrange(1, 4)])])


def grant_at_random(users, rng, role, granted):
    key, end = random_range(rng)
    # Of the ranges with one key etcd 3.5.1 looks at the first, and grants a second time what is behind it. Which is first is
    # a matter of Go's sorting, which is not stable for more than a dozen.
    if (key, end) in granted and sum(each[0] == key for each in granted) > 1:
        return
    if (key, end) not in granted:
        granted.append((key, end))
    grant = pb.AuthRoleGrantPermissionRequest(name=role, perm=permission(rng.choice((READ, WRITE, BOTH)), key, end))
    users.call("Auth/RoleGrantPermission", grant, ROOT)


def probe(users, rng, user):
    users.authenticate(user, user)
    for _ in range(3):
        key, end = random_range(rng)
        users.call("KV/Range", pb.RangeRequest(key=key, range_end=end, count_only=True), user)
        users.call("KV/DeleteRange", pb.DeleteRangeRequest(key=key + b"~", range_end=end and key + b"~~"), user)
        users.call("KV/Put", pb.PutRequest(key=key, value=b"v"), user)


SCRIPTS = [management, keys, leases_and_members, tokens, locks]
EXPIRY = (expiry, ["--auth-token-ttl=2"])
