"""Start-up, ports, HTTP and connections: what is around the protocol."""

import sockets_damage
import sockets_http
import sockets_slow
import sockets_startup
from harness import parse_arguments, run


def main():
    arguments = parse_arguments(__doc__, budget=90)

    def body(results):
        for module in (sockets_startup, sockets_http, sockets_slow, sockets_damage):
            module.check(results, arguments)
            print(f"{module.__name__}: {results.elapsed():.1f} s", flush=True)

    run(arguments, body)


if __name__ == "__main__":
    main()
