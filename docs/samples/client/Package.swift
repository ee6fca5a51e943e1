// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "counter",
    dependencies: [.package(name: "strake", path: "../../..")],
    targets: [
        .executableTarget(
            name: "counter", dependencies: [.product(name: "StrakeClient", package: "strake")], path: "Sources/Counter")
    ]
)
