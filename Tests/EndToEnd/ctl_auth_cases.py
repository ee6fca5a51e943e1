"""Command lines for auth, user and role, in groups as those of cli_cases.py: what `strake ctl` and etcdctl are asked alike."""

import cli_cases
from cli_cases import Step, script

# What etcdctl's stty says of an input that is no terminal.
STTY = (rb"^stty: .*\n", b"")
MASKS = cli_cases.VOLATILE + cli_cases.HASH + (STTY,)


def asked(line, stdin):
    """A command that reads a password."""
    step, = script(line, MASKS)
    step.stdin = stdin
    return step


def users_and_roles():
    """Each command in each output."""
    steps = []
    for output in ("simple", "json", "fields", "table"):
        # `-w table` does what it is asked and then says that it cannot print it.
        user, role = f"u-{output}", f"r-{output}"
        steps += script(f"""
auth status -w {output}
user add {user}:pw -w {output}
role add {role} -w {output}
role grant-permission {role} readwrite k -w {output}
role grant-permission {role} read a b -w {output}
role grant-permission {role} write --prefix p -w {output}
role grant-permission {role} READ --from-key z -w {output}
role grant-permission {role} read --prefix '' -w {output}
role grant-permission {role} write '' -w {output}
user grant-role {user} {role} -w {output}
user get {user} -w {output}
user get {user} --detail -w {output}
user list -w {output}
role list -w {output}
role get {role} -w {output}
role get {role} -w {output} --hex
""", MASKS)
        steps.append(asked(f"user passwd {user} --interactive=false -w {output}", b"new\n"))
        steps += script(f"""
role revoke-permission {role} k -w {output}
role revoke-permission {role} a b -w {output}
role revoke-permission {role} --prefix p -w {output}
role revoke-permission {role} --from-key z -w {output}
role revoke-permission {role} '' --from-key -w {output}
role revoke-permission {role} '' -w {output}
user revoke-role {user} {role} -w {output}
user get {user} --detail -w {output}
role get {role} -w {output}
user add 'ö <{output}>:x' --new-user-password=y -w {output}
user list -w {output}
role delete {role} -w {output}
user delete {user} -w {output}
""", MASKS)
    ranges = [b"\xff\xfe", b"\x00\x01", b"\xc3\xa4"]
    for output in ("simple", "json", "fields"):
        steps += script("role add bytes\nrole grant-permission bytes write b a\nrole grant-permission bytes read a b c")
        steps += [Step(["role", "grant-permission", "bytes", "readwrite", key, "--prefix"]) for key in ranges[:1] + ranges[2:]]
        steps += script(f"role get bytes -w {output}\nrole delete bytes")
    return steps


def auth_misuse():
    return script("""
user add
user add a b
user add :x
user add --no-password
user delete
user delete nobody
user get
user get nobody
user get nobody --detail
user list x
user passwd
user grant-role u
user grant-role nobody r
user revoke-role u
user revoke-role nobody r
user add a:b
user add a:b
user grant-role a none
user revoke-role a none
user add b --no-password
user add c:d --no-password
user get c:d
role add
role add r s
role add r
role add r
role delete
role delete none
role get
role get none
role list x
role grant-permission r
role grant-permission r read
role grant-permission r frob k
role grant-permission none read k
role grant-permission r read a b --prefix
role grant-permission r read a b --from-key
role grant-permission r read a --from-key --prefix
role grant-permission r read '' --from-key --prefix
role revoke-permission r
role revoke-permission r none
role revoke-permission r a b --prefix
role revoke-permission r a --from-key --prefix
role grant-permission r read k --foo
auth enable x
auth disable x
auth status x
auth enable
auth disable
""", MASKS)


def passwords():
    """From the standard input, which is no terminal here."""
    return [
        asked("user add one --interactive=false", b"p w\n"),
        asked("user add empty --interactive=false", b""),
        asked("user add twice", b"pw\npw\n"),
        asked("user add differs", b"pw\nother\n"),
        asked("user add none", b"\n"),
        asked("user add end", b""),
        asked("user add blanks", b"  pw \r\npw\n"),
        asked("user passwd twice", b"new\nnew\n"),
        asked("user passwd twice", b"new\nold\n"),
        asked("user passwd nobody", b"new\nnew\n"),
        asked("user passwd nobody --interactive=false", b"new\n"),
    ] + script("user add root:rp\nauth enable", MASKS) + [
        asked("--user root get a", b"rp\n"),
        asked("--user root get a", b"wrong\n"),
        asked("--user root get a", b""),
        asked("get a --user one", b"p\n"),
        asked("--user blanks user get blanks", b"pw\n"),
        asked("--user root put fromstdin", b"rp\nvalue"),
        asked("--user twice endpoint health", b"new\n"),
    ] + script("--user root:rp get fromstdin\nuser list --user=root --password=rp\n--user root:rp auth disable", MASKS)


def enabled():
    """Everybody's rights, while authentication is enabled."""
    return script("""
user add root:rp
auth enable
auth enable
auth status
get a
put a b
--user root:rp auth status
--user root:rp role get root
--user root:rp user get root
--user root:bad get a
--user nobody:x get a
--user root --password bad get a
--user root --password rp put a 1
--user root:rp --password rp get a
--user root: get a
--user : get a
--password rp get a
--user root:rp user add u:p
--user root:rp role add r
--user root:rp role grant-permission r readwrite --prefix k
--user root:rp user grant-role u r
--user u:p put k1 v
--user u:p get --prefix k
--user u:p get a
--user u:p del a
--user u:p watch a
--user u:p watch a -w json
--user u:p watch a -w fields
watch a
watch a -w json
--user u:p user list
--user u:p user get u
--user u:p user get root
--user u:p role list
--user u:p role get r
--user u:p role get root
--user u:p auth status
--user u:p auth disable
--user u:p compaction 1
--user u:p endpoint health
--user u:bad endpoint health
--user u:bad endpoint status
--user u:bad member list
--user u:bad alarm list
--user u:bad watch k
--user u:bad elect a b
--user u:p elect a b
--user u:p lock a
--user u:p lease grant 100 -w bad
--user u:p move-leader 1
--user root:rp move-leader 1
--user root:rp user delete root
--user root:rp role delete root
--user root:rp user revoke-role root root
endpoint health
member list
alarm list
--user root:rp endpoint hashkv
--user root:rp defrag
--user root:rp role revoke-permission r --prefix k
--user u:p get k1
--user root:rp auth disable
--user root:rp get a
--user nobody:x get a
auth status
""", MASKS) + [Step(["--user", "u:p", "txn"], b"\nput k2 v\n\n\n")]


GROUPS = [users_and_roles, auth_misuse, passwords, enabled]
