// swift-tools-version: 6.2
import PackageDescription

/// Every target of ours is held to the same rules; none needs unsafe flags, so that others can depend on the package.
let settings: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableExperimentalFeature("Lifetimes"),
]

/// The target `Strake<last folder>` of `Sources/<path>`.
func layer(_ path: String, _ dependencies: [Target.Dependency] = []) -> Target {
    let name = "Strake" + path.split(separator: "/").last!
    return .target(name: name, dependencies: dependencies, path: "Sources/" + path, swiftSettings: settings)
}

/// The tests in `Tests/<name>Tests` of the target `Strake<name>`.
func tests(_ name: String, _ more: [Target.Dependency] = [], exclude: [String] = []) -> Target {
    .testTarget(
        name: "Strake\(name)Tests", dependencies: [.init(stringLiteral: "Strake" + name)] + more,
        path: "Tests/\(name)Tests", exclude: exclude, swiftSettings: settings)
}

let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
]

let package = Package(
    name: "strake",
    products: [
        .executable(name: "strake", targets: ["strake"]),
        .library(name: "StrakeStore", targets: ["StrakeStore"]),
        .library(name: "StrakePeers", targets: ["StrakePeers"]),
        .library(name: "StrakeClient", targets: ["StrakeClient"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-collections.git", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.2"),
    ],
    targets: [
        // Core: synchronous and deterministic.
        layer("Core/Model"),
        layer("Core/Random"),
        layer("Core/Raft", ["StrakeRandom"]),
        .target(name: "CChecksum", path: "Sources/Core/CChecksum"),
        layer("Core/Checksum", ["CChecksum"]),
        .systemLibrary(
            name: "CLMDB", path: "Sources/Core/CLMDB", pkgConfig: "lmdb", providers: [.apt(["liblmdb-dev"])]),
        layer("Core/LMDB", ["CLMDB"]),
        layer("Core/Bolt"),
        layer("Core/Tables", ["StrakeModel", "StrakeLMDB", "StrakeChecksum"]),
        layer("Core/MVCC", ["StrakeModel", "StrakeLMDB", "StrakeTables", "StrakeChecksum"]),
        layer("Core/Leases", ["StrakeModel"]),
        layer("Core/Auth", ["StrakeModel"]),
        layer(
            "Core/Watching",
            ["StrakeModel", "StrakeRandom", .product(name: "HeapModule", package: "swift-collections")]),
        layer(
            "Core/StateMachine",
            [
                "StrakeModel", "StrakeRaft", "StrakeChecksum", "StrakeLMDB", "StrakeTables", "StrakeMVCC",
                "StrakeLeases", "StrakeAuth",
            ]),
        layer(
            "Core/Replication",
            ["StrakeModel", "StrakeRaft", .product(name: "DequeModule", package: "swift-collections")]),

        // Server: everything that waits.
        layer("Server/Log", ["StrakeRandom", "StrakeRaft", "StrakeChecksum"]),
        layer("Server/HTTP2"),
        layer("Server/EtcdWire", ["StrakeModel"]),
        layer("Server/Gateway"),
        layer(
            "Server/Store",
            [
                "StrakeModel", "StrakeRaft", "StrakeChecksum", "StrakeLMDB", "StrakeTables", "StrakeMVCC",
                "StrakeLeases", "StrakeAuth", "StrakeWatching", "StrakeStateMachine", "StrakeReplication", "StrakeLog",
                .product(name: "DequeModule", package: "swift-collections"),
            ]),
        .target(
            name: "CBcrypt", path: "Sources/Server/CBcrypt", linkerSettings: [.linkedLibrary("crypt")]),
        layer("Server/Credentials", ["CBcrypt", "StrakeChecksum"]),
        layer("Server/JSON"),
        layer(
            "Server/JWT",
            [
                "StrakeCredentials", "StrakeJSON", .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
            ]),
        layer("Server/Sockets", nio),
        layer(
            "Server/TLS",
            [
                "StrakeSockets",
                "StrakeChecksum", .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOTLS", package: "swift-nio"),
            ] + nio),
        layer(
            "Server/Peers",
            [
                "StrakeStore", "StrakeSockets", "StrakeTLS", "StrakeRaft", "StrakeChecksum",
                .product(name: "DequeModule", package: "swift-collections"),
            ] + nio),
        layer(
            "Server/EtcdBackend",
            [
                "StrakeModel", "StrakeRaft", "StrakeChecksum", "StrakeBolt", "StrakeTables", "StrakeMVCC",
                "StrakeLeases", "StrakeAuth", "StrakeStateMachine", "StrakeEtcdWire", "StrakeJSON",
            ]),
        .target(name: "CMalloc", path: "Sources/Server/CMalloc"),
        layer(
            "Server/EtcdService",
            [
                "CMalloc", "StrakeModel", "StrakeRaft", "StrakeTables", "StrakeMVCC", "StrakeLeases", "StrakeAuth",
                "StrakeStateMachine", "StrakeReplication", "StrakeWatching", "StrakeStore", "StrakeSockets",
                "StrakeTLS", "StrakeHTTP2", "StrakeEtcdWire", "StrakeEtcdBackend", "StrakeGateway",
                "StrakeCredentials", "StrakeJWT",
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ] + nio),

        layer(
            "Server/Client",
            [
                "StrakeModel", "StrakeSockets", "StrakeTLS", "StrakeHTTP2", "StrakeEtcdWire",
                .product(name: "DequeModule", package: "swift-collections"),
            ] + nio),
        .target(name: "CResolver", path: "Sources/Server/CResolver"),
        layer("Server/Discovery", ["CResolver", "StrakeModel", "StrakeSockets", "StrakeClient"] + nio),

        // Commands.
        layer("Commands/Flags"),
        layer("Commands/Logging"),
        .target(name: "CMapFault", path: "Sources/Commands/CMapFault"),
        .target(name: "CMemory", path: "Sources/Commands/CMemory"),
        layer(
            "Commands/Bench",
            [
                "StrakeFlags", "StrakeClientFlags", "StrakeModel", "StrakeSockets", "StrakeTLS", "StrakeHTTP2",
                "StrakeEtcdWire",
            ]
                + nio),
        layer("Commands/ClusterFlags", ["StrakeFlags", "StrakeStore"]),
        layer("Commands/ClientFlags", ["StrakeFlags", "StrakeTLS"]),
        layer("Commands/Signals"),
        layer(
            "Commands/Ctl",
            [
                "StrakeFlags", "StrakeClusterFlags", "StrakeSockets", "StrakeTLS", "StrakeEtcdWire", "StrakeChecksum",
                "StrakeBolt", "StrakeTables", "StrakeMVCC", "StrakeLeases",
                "StrakeAuth", "StrakeModel", "StrakeStateMachine", "StrakeLog", "StrakeStore", "StrakeEtcdBackend",
                "StrakeSignals", "StrakeClient", "StrakeDiscovery",
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ] + nio),
        .executableTarget(
            name: "strake",
            dependencies: [
                "CMapFault", "CMemory", "StrakeFlags", "StrakeLogging", "StrakeClusterFlags", "StrakeSignals",
                "StrakeBench", "StrakeCtl", "StrakeRaft", "StrakeStore", "StrakeJWT", "StrakeSockets", "StrakeTLS",
                "StrakePeers", "StrakeEtcdService", "StrakeClient", "StrakeDiscovery", "StrakeLinearizability",
                "StrakeSimulation",
            ],
            path: "Sources/Commands/strake", swiftSettings: settings,
            // What runs for each request lies side by side: a put that comes alone finds the processor's caches cold. The
            // list is written by `make hot-functions`; names in it that are out of date do no harm.
            linkerSettings: [
                .unsafeFlags([
                    "-use-ld=lld", "-Xlinker", "--no-warn-symbol-ordering", "-Xlinker",
                    "--symbol-ordering-file=\(Context.packageDirectory)/Sources/Commands/hot-functions.txt",
                ])
            ]),

        // The sample of the client library, built here too so that it stays true.
        .executableTarget(
            name: "counter", dependencies: ["StrakeClient"], path: "docs/samples/client/Sources/Counter",
            swiftSettings: settings),

        // Testing.
        layer("Testing/DataDriven"),
        layer("Testing/SeededGenerator", ["StrakeRandom"]),
        layer("Testing/Fuzzing", ["StrakeSeededGenerator"]),
        layer("Testing/TemporaryDirectory"),
        layer("Testing/FreePort"),
        layer("Testing/SimulatedDisk", ["StrakeLog", "StrakeSeededGenerator"]),
        .target(name: "CFileCalls", path: "Sources/Testing/CFileCalls"),
        layer("Testing/FileCalls", ["CFileCalls"]),
        layer("Testing/Linearizability"),
        layer(
            "Testing/Simulation",
            [
                "StrakeModel", "StrakeRaft", "StrakeLMDB", "StrakeTables", "StrakeMVCC", "StrakeLeases",
                "StrakeWatching", "StrakeStateMachine", "StrakeReplication", "StrakeLog", "StrakeStore",
                "StrakeSeededGenerator", "StrakeTemporaryDirectory", "StrakeSimulatedDisk", "StrakeFileCalls",
                "StrakeLinearizability",
                .product(name: "HeapModule", package: "swift-collections"),
            ]),
        .target(name: "CChildProcess", path: "Sources/Testing/CChildProcess"),
        layer("Testing/PowerCut", ["CChildProcess", "StrakeFileCalls", "StrakeSeededGenerator"]),
        tests("Model", ["StrakeSeededGenerator"]),
        tests("Raft", ["StrakeRandom", "StrakeDataDriven"], exclude: ["Scenarios"]),
        tests("DataDriven", ["StrakeTemporaryDirectory"]),
        tests("TemporaryDirectory"),
        tests("Checksum", ["StrakeSeededGenerator"]),
        tests("LMDB", ["StrakePowerCut", "StrakeSeededGenerator", "StrakeTemporaryDirectory"]),
        tests("Bolt", ["StrakeSeededGenerator"]),
        tests("Tables", ["StrakeLMDB", "StrakeModel", "StrakeSeededGenerator", "StrakeTemporaryDirectory"]),
        tests(
            "MVCC",
            [
                "StrakeModel", "StrakeTables", "StrakeLMDB", "StrakeChecksum", "StrakeSeededGenerator",
                "StrakeTemporaryDirectory",
            ]),
        tests("Leases", ["StrakeModel", "StrakeSeededGenerator"]),
        tests("Auth", ["StrakeModel", "StrakeFuzzing", "StrakeSeededGenerator"]),
        tests("Watching", ["StrakeModel", "StrakeSeededGenerator"]),
        tests(
            "Log",
            [
                "StrakeSimulatedDisk", "StrakeRaft", "StrakeChecksum", "StrakeSeededGenerator",
                "StrakeTemporaryDirectory",
            ]),
        tests("HTTP2", ["StrakeFuzzing", "StrakeSeededGenerator"]),
        tests(
            "StateMachine",
            [
                "StrakeModel", "StrakeRaft", "StrakeTables", "StrakeLMDB", "StrakeMVCC", "StrakeLeases", "StrakeAuth",
                "StrakeFuzzing", "StrakeSeededGenerator", "StrakeTemporaryDirectory",
            ]),
        tests("Replication", ["StrakeModel", "StrakeRaft"]),
        tests(
            "Store",
            [
                "StrakeModel", "StrakeLMDB", "StrakeTables", "StrakeMVCC", "StrakeLeases", "StrakeStateMachine",
                "StrakeReplication", "StrakeLog", "StrakePowerCut", "StrakeSeededGenerator", "StrakeTemporaryDirectory",
                "StrakeChecksum",
            ]),
        // As an embedder has it: what is public, and nothing else.
        .testTarget(
            name: "StrakeEmbeddingTests",
            dependencies: ["StrakeStore", "StrakePeers", "StrakeFreePort", "StrakeTemporaryDirectory"],
            path: "Tests/EmbeddingTests", packageAccess: false, swiftSettings: settings),
        tests(
            "EtcdBackend",
            [
                "StrakeModel", "StrakeRaft", "StrakeChecksum", "StrakeBolt", "StrakeTables", "StrakeMVCC",
                "StrakeLeases", "StrakeAuth", "StrakeStateMachine", "StrakeSeededGenerator",
                "StrakeTemporaryDirectory",
            ]),
        tests("Credentials"),
        tests(
            "JWT",
            [
                "StrakeCredentials", "StrakeFuzzing", "StrakeSeededGenerator",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
            ]),
        tests("EtcdWire", ["StrakeModel", "StrakeFuzzing", "StrakeSeededGenerator"]),
        tests("Gateway", ["StrakeFuzzing", "StrakeSeededGenerator"]),
        tests("Client", ["StrakeModel", "StrakeHTTP2", "StrakeEtcdWire"] + nio),
        tests("Discovery", ["StrakeFuzzing", "StrakeSeededGenerator"]),
        tests("Flags"),
        tests("Logging", ["StrakeTemporaryDirectory"]),
        tests("Ctl", ["StrakeEtcdWire", "StrakeClient"]),
        tests(
            "Peers",
            [
                "StrakeStore", "StrakeSockets", "StrakeTLS", "StrakeRaft", "StrakeChecksum", "StrakeFuzzing",
                "StrakeFreePort", "StrakeSeededGenerator", "StrakeTemporaryDirectory",
            ] + nio),
        tests("TLS", ["StrakeFuzzing", "StrakeSeededGenerator", "StrakeTemporaryDirectory"] + nio),
        tests("Linearizability", ["StrakeSeededGenerator"]),
        tests("Simulation"),
    ],
    swiftLanguageModes: [.v6]
)
