"""Flags as etcd has them: taken, refused, from wherever they come, and with their effects."""

import flags_effects
import flags_golden
import flags_sources
import flags_variables
from harness import parse_arguments, run


def main():
    arguments = parse_arguments(__doc__, budget=90)

    def body(results):
        for module in (flags_golden, flags_sources, flags_variables, flags_effects):
            module.check(results, arguments)
            print(f"{module.__name__}: {results.elapsed():.1f} s", flush=True)

    run(arguments, body)


if __name__ == "__main__":
    main()
