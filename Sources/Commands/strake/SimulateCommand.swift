internal import Glibc
internal import StrakeFlags
internal import StrakeSimulation

/// `strake simulate`: runs seeds of the cluster simulation, each in a process of its own if there are several.
struct SimulateCommand {
    private static let flags = [
        Flag(
            name: "seed", kind: .unsigned, fallback: nil, help: "Run this seed, and exit with 1 if it breaks a rule.",
            section: "Seeds"),
        Flag(
            name: "seeds", kind: .string, fallback: nil, help: "Run these seeds, both ends included, such as 1..500.",
            section: "Seeds"),
        Flag(
            name: "jobs", kind: .unsigned, fallback: "1", help: "Seeds that run at a time, with --seeds.",
            section: "Seeds"),
        Flag(
            name: "until-broken", kind: .bool, fallback: "false",
            help: "Stop after the first seed that breaks a rule, with --seeds.", section: "Seeds"),
        Flag(
            name: "trace", kind: .bool, fallback: "false",
            help: "Print a line for everything that happens, with --seed.", section: "Output"),
        Flag(
            name: "plant", kind: .string, fallback: "",
            help: "Give the simulated cluster a bug, to see it found; see the list below.", section: "Other"),
        Flag(
            name: "directory", kind: .string, fallback: "/dev/shm",
            help: "Where the members' stores lie while a seed runs; a file system in memory is fastest.",
            section: "Other"),
    ]

    /// - Returns: The exit code: 0 when every promise was kept, 1 when one was not, 2 when the flags make no sense.
    func run(_ arguments: [String]) -> Int32 {
        var flags = FlagSet(Self.flags)
        do throws(FlagError) {
            try flags.parse(arguments: arguments, environment: [:])
        } catch {
            return refuse(error.message)
        }
        if flags.asksForHelp {
            print(Self.help)
            return 0
        }
        let flaw = Flaw(rawValue: flags.string("plant"))
        if flags.isSet("plant"), flaw == nil {
            return refuse("--plant: there is no bug \"\(flags.string("plant"))\"")
        }
        let directory = flags.string("directory")
        guard access(directory, W_OK) == 0 else { return refuse("--directory: cannot write to \(directory)") }
        switch (flags.isSet("seed"), flags.isSet("seeds")) {
        case (true, true): return refuse("--seed and --seeds exclude each other")
        case (false, false): return refuse("--seed or --seeds is needed")
        case (true, false):
            for name in ["jobs", "until-broken"] where flags.isSet(name) {
                return refuse("--\(name) goes with --seeds only")
            }
            return runOne(UInt64(flags.integer("seed")), flaw, directory, traces: flags.bool("trace"))
        case (false, true):
            guard let seeds = Self.range(flags.string("seeds")) else {
                return refuse(
                    "--seeds: \"\(flags.string("seeds"))\" is not two numbers with .. between, the first not above")
            }
            guard flags.integer("jobs") > 0 else { return refuse("--jobs must be above 0") }
            guard !flags.bool("trace") else { return refuse("--trace goes with --seed only") }
            let batch = SeedBatch(
                seeds: seeds, jobs: Int(flags.integer("jobs")), stopsWhenBroken: flags.bool("until-broken"),
                arguments: ["--directory", directory] + (flaw.map { ["--plant", $0.rawValue] } ?? []))
            return batch.run()
        }
    }

    private static func range(_ text: String) -> ClosedRange<UInt64>? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[1].isEmpty, let first = UInt64(parts[0]), let last = UInt64(parts[2]),
            first <= last
        else { return nil }
        return first...last
    }

    private func refuse(_ problem: String) -> Int32 {
        StrakeCommand.complain("strake simulate: \(problem); 'strake simulate --help' lists the flags")
        return 2
    }

    private func runOne(_ seed: UInt64, _ flaw: Flaw?, _ directory: String, traces: Bool) -> Int32 {
        TrapLine.install(seed: seed)
        var simulation = Simulation(seed: seed)
        simulation.flaw = flaw
        if traces {
            // At once, so that what came before a trap is to be seen.
            simulation.sink = { line in
                var text = line + "\n"
                text.withUTF8 { _ = write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            }
        }
        let result = simulation.run(in: directory)
        if let detail = result.detail { StrakeCommand.complain("seed=\(seed) \(detail)") }
        if traces {
            print("faults: \(result.faults.text)\ndone: \(result.deeds.text)")
        }
        print(result.line)
        return result.broken == nil ? 0 : 1
    }

    private static var help: String {
        var text = """
            Usage:

              strake simulate --seed N [--trace]
              strake simulate --seeds A..B [--jobs J]

            Runs a whole cluster with its clients in one thread, on a simulated network, disk and clock, while messages
            are lost, members crash and lose power, disks fail, links are cut and clocks drift. The seed decides
            everything: the same seed does the same in every process. When the storm is over the cluster has to make
            progress again, and what its members hold and its clients saw is judged.

            Ends with one line for each seed: what happened, a hash of all of it, and "ok" or the rule that was broken.
            Exits with 0 if no rule was broken, with 1 if one was, with 2 when the flags make no sense.

            Flags:


            """
        text += FlagSet(flags).listing
        text += "\nBugs to plant:\n"
        for flaw in Flaw.allCases { text += "  \(flaw.rawValue)\n      \(flaw.summary)\n" }
        return text
    }
}
