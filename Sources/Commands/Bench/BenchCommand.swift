internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import StrakeFlags

/// `strake bench`: loads any server that speaks etcd's v3 API and tells how it did.
package struct BenchCommand {
    package init() {}

    /// Runs and returns the process's exit code.
    package func run(_ arguments: [String]) async -> Int32 {
        guard let name = arguments.first, !["-h", "--help", "-help", "help"].contains(name) else {
            print(Self.help)
            return arguments.isEmpty ? 2 : 0
        }
        guard !name.hasPrefix("-") else {
            complain("the workload comes before the flags; 'strake bench --help' lists them")
            return 2
        }
        guard let workload = BenchOptions.Workload(rawValue: name) else {
            complain("unknown workload \"\(name)\"; 'strake bench --help' lists them")
            return 2
        }
        var flags = FlagSet(BenchOptions.flags)
        do throws(FlagError) {
            try flags.parse(arguments: Array(arguments.dropFirst()), environment: [:])
        } catch {
            complain("\(error.message); 'strake bench --help' lists the flags")
            return 2
        }
        if flags.asksForHelp {
            print(Self.help)
            return 0
        }
        let options: BenchOptions
        do throws(BenchError) {
            options = try BenchOptions(workload, flags)
        } catch {
            complain(error.description)
            return 2
        }
        do throws(BenchError) {
            return try await run(options)
        } catch {
            complain(error.description)
            return 1
        }
    }

    private func run(_ options: BenchOptions) async throws(BenchError) -> Int32 {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: options.threads)
        let result: BenchResult
        do throws(BenchError) {
            result = try await BenchRun(options: options, group: group, bar: ProgressBar()).run()
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
        try? await group.shutdownGracefully()
        print(options.isJSON ? result.json : result.text)
        if !options.plotPath.isEmpty { try PlotFile.write(BenchPlot(result).svg, to: options.plotPath) }
        if let first = result.firstError { complain(first) }
        return result.errors == 0 ? 0 : 1
    }

    private func complain(_ line: String) {
        var text = "strake bench: \(line)\n"
        text.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    private static var help: String {
        var text = """
            Loads a server that speaks etcd's v3 API, Strake or etcd alike, and reports throughput and latencies.

            Usage:

              strake bench <workload> [flags]

            Exits with 0, with 1 when the run cannot go on or an operation failed, with 2 when the flags make no sense.

            Workloads:

            """
        for workload in BenchOptions.Workload.allCases { text += "  \(workload.rawValue): \(workload.help)\n" }
        text += "\n" + FlagSet(BenchOptions.flags).listing
        text += """

            Example:

              strake bench put --connections 100 --clients 1000 --total 200000 --server-pid $(pidof strake)
            """
        return text
    }
}
